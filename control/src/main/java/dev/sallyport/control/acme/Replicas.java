package dev.sallyport.control.acme;

import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.resource.Resource.OfEndpointSlice;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replicas that a CA may come to: the ready endpoints of the Service in front of the gateway,
 * each with the ports of this one. Where the Service is not known, those of the gateway's namespace
 * are meant that have this replica behind them, at one of its ports. Safe from any thread; may
 * block for one request to the API server.
 */
final class Replicas implements Supplier<List<Replica>> {
    private static final Logger log = LoggerFactory.getLogger(Replicas.class);
    private static final String SERVICE_NAME = "kubernetes.io/service-name";

    /** A replica that appears, or goes, meanwhile is seen by the next look. */
    private static final long FRESH = TimeUnit.MILLISECONDS.toNanos(500);

    /** Nodes are told of a ready endpoint later than we are, and lead to it about once a second. */
    private static final long SETTLED = TimeUnit.SECONDS.toNanos(2);

    /** Whoever has just started may have been ready for no longer than that. */
    private static final long YOUNG = TimeUnit.SECONDS.toNanos(30);

    private final KubernetesClient client;
    private final BoundedCalls calls;
    private final String namespace;
    private final Optional<ObjectRef> service;
    private final Supplier<Replica> self;
    private final LongSupplier nanoTime;
    private final Consumer<String> warner;
    private final ReentrantLock lock = new ReentrantLock();
    private boolean alone; // under the lock; told that it seems so
    private @Nullable List<InetAddress> known; // under the lock; null: nobody is to be asked yet
    private long askedAt; // under the lock
    private final long born;
    private boolean looked; // under the lock
    private @Nullable Long readySince; // under the lock; null: none was at the last look

    /**
     * @param namespace the gateway's own
     * @param service in front of the gateway, where it is known
     * @param self where this replica is bound now
     */
    Replicas(
            KubernetesClient client,
            BoundedCalls calls,
            String namespace,
            Optional<ObjectRef> service,
            Supplier<Replica> self) {
        this(client, calls, namespace, service, self, System::nanoTime, Replicas::warn);
    }

    /**
     * One with a clock.
     *
     * @param warner told why this replica counts as all
     */
    Replicas(
            KubernetesClient client,
            BoundedCalls calls,
            String namespace,
            Optional<ObjectRef> service,
            Supplier<Replica> self,
            LongSupplier nanoTime,
            Consumer<String> warner) {
        this.client = client;
        this.calls = calls;
        this.namespace = namespace;
        this.service = service;
        this.self = self;
        this.nanoTime = nanoTime;
        this.warner = warner;
        this.askedAt = nanoTime.getAsLong() - FRESH;
        this.born = nanoTime.getAsLong();
    }

    private static void warn(String why) {
        log.atWarn()
                .addArgument(why)
                .log(
                        "this replica counts as all, when it is looked at whether all show a"
                                + " challenge, for {}: where there are several give"
                                + " acme.service, NAMESPACE/NAME");
    }

    /**
     * Empty where nobody is to be asked yet: the API server has not said, or none is ready, or none
     * was a moment ago.
     */
    @Override
    public List<Replica> get() {
        Replica own = self.get();
        List<InetAddress> addresses = addresses(own);
        if (addresses == null) {
            return List.of();
        }
        return addresses.isEmpty()
                ? List.of(own)
                : addresses.stream().map(address -> at(address, own)).toList();
    }

    private static Replica at(InetAddress address, Replica own) {
        return new Replica(at(address, own.http()), at(address, own.https()));
    }

    private static List<InetSocketAddress> at(InetAddress address, List<InetSocketAddress> ports) {
        return ports.stream().map(port -> new InetSocketAddress(address, port.getPort())).toList();
    }

    /** As they are now; as they were, where the API server is silent. */
    private @Nullable List<InetAddress> addresses(Replica own) {
        lock.lock();
        try {
            if (nanoTime.getAsLong() - askedAt >= FRESH) {
                look(own);
                askedAt = nanoTime.getAsLong();
            }
            return isSettled() ? known : null;
        } finally {
            lock.unlock();
        }
    }

    private void look(Replica own) {
        try {
            known = service.isPresent() ? behind(service.get()) : besides(own);
            noteReady();
        } catch (RuntimeException silent) {
            log.atWarn()
                    .addArgument(service.map(ObjectRef::toString).orElse("this one's Services"))
                    .addArgument(silent::getMessage)
                    .log("which replicas are behind {} is not known now: {}");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void noteReady() {
        long now = nanoTime.getAsLong();
        if (known == null) {
            readySince = null;
        } else if (readySince == null) {
            readySince = looked || now - born < YOUNG ? now : born;
        }
        looked = true;
    }

    private boolean isSettled() {
        Long since = readySince;
        return since != null && nanoTime.getAsLong() - since >= SETTLED;
    }

    private @Nullable List<InetAddress> behind(ObjectRef named) throws InterruptedException {
        return asked(
                calls.make(() ->
                        client.discovery()
                                .v1()
                                .endpointSlices()
                                .inNamespace(named.namespace())
                                .withLabel(SERVICE_NAME, named.name())
                                .list()
                                .getItems()));
    }

    private @Nullable List<InetAddress> besides(Replica own) throws InterruptedException {
        @Nullable List<InetAddress> found = List.of();
        String why = "no Service in its namespace has it as an endpoint";
        try {
            List<EndpointSlice> all =
                    calls.make(() ->
                            client.discovery()
                                    .v1()
                                    .endpointSlices()
                                    .inNamespace(namespace)
                                    .list()
                                    .getItems());
            found = asked(sharing(all, machine(), ports(own)));
        } catch (KubernetesClientException refused) {
            if (refused.getCode() != HttpURLConnection.HTTP_FORBIDDEN) {
                throw refused;
            }
            why = "it may not list EndpointSlices in its namespace";
        }
        boolean nobody = found != null && found.isEmpty();
        if (nobody && !alone) {
            warner.accept(why);
        }
        alone = nobody;
        return found;
    }

    /**
     * Those that are ready; null where there are endpoints and none is, as in the seconds after a
     * first installation: a CA would not get through to anybody, and count it against us.
     */
    private static @Nullable List<InetAddress> asked(List<EndpointSlice> slices) {
        List<InetAddress> ready = ready(slices);
        boolean expected = slices.stream().flatMap(Replicas::addresses).findAny().isPresent();
        return ready.isEmpty() && expected ? null : ready;
    }

    /** All slices of the Services of which one has an address and a port of ours. */
    static List<EndpointSlice> sharing(
            List<EndpointSlice> slices, Set<InetAddress> addresses, Set<Integer> ports) {
        Set<String> ours =
                slices.stream()
                        .filter(slice ->
                                ports(slice).anyMatch(ports::contains)
                                        && addresses(slice).anyMatch(addresses::contains))
                        .map(Replicas::serviceOf)
                        .collect(Collectors.toSet());
        ours.remove("");
        return slices.stream().filter(slice -> ours.contains(serviceOf(slice))).toList();
    }

    private static String serviceOf(EndpointSlice slice) {
        Map<String, String> labels = slice.getMetadata().getLabels();
        return labels == null ? "" : labels.getOrDefault(SERVICE_NAME, "");
    }

    private static Stream<Integer> ports(EndpointSlice slice) {
        return slice.getPorts() == null
                ? Stream.empty()
                : slice.getPorts().stream().map(EndpointPort::getPort).filter(Objects::nonNull);
    }

    private static Stream<InetAddress> addresses(EndpointSlice slice) {
        return OfEndpointSlice.endpoints(slice).flatMap(Replicas::addresses);
    }

    private static Stream<InetAddress> addresses(Endpoint endpoint) {
        return OfEndpointSlice.addresses(endpoint).flatMap(text -> literal(text).stream());
    }

    private static Set<Integer> ports(Replica own) {
        return Stream.concat(own.http().stream(), own.https().stream())
                .map(InetSocketAddress::getPort)
                .collect(Collectors.toSet());
    }

    /** A Pod's is its own; with the host's network the node's. */
    private static Set<InetAddress> machine() {
        try {
            return NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .collect(Collectors.toSet());
        } catch (SocketException unknown) {
            return Set.of();
        }
    }

    static List<InetAddress> ready(List<EndpointSlice> slices) {
        return slices.stream()
                .flatMap(OfEndpointSlice::endpoints)
                .filter(OfEndpointSlice::isReady)
                .flatMap(Replicas::addresses)
                .distinct()
                .toList();
    }

    private static Optional<InetAddress> literal(String text) {
        try {
            return Optional.of(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException name) {
            return Optional.empty(); // slices of the type FQDN
        }
    }
}

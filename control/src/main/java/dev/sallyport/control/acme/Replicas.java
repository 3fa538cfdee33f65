package dev.sallyport.control.acme;

import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replicas that a CA may come to: the ready endpoints of the Service in front of the gateway,
 * each with the ports of this one. Safe from any thread; may block for one request to the API
 * server.
 */
final class Replicas implements Supplier<List<Replica>> {
    private static final Logger log = LoggerFactory.getLogger(Replicas.class);
    private static final String SERVICE_NAME = "kubernetes.io/service-name";

    /** A replica that appears, or goes, meanwhile is seen by the next look. */
    private static final long FRESH = TimeUnit.MILLISECONDS.toNanos(500);

    private final KubernetesClient client;
    private final BoundedCalls calls;
    private final Optional<ObjectRef> service;
    private final Supplier<Replica> self;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable List<InetAddress> known; // under the lock; null before the first answer
    private long askedAt = System.nanoTime() - FRESH; // under the lock

    /**
     * @param service in front of the gateway; where it is not known, this replica counts as all
     * @param self where this replica is bound now
     */
    Replicas(
            KubernetesClient client,
            BoundedCalls calls,
            Optional<ObjectRef> service,
            Supplier<Replica> self) {
        this.client = client;
        this.calls = calls;
        this.service = service;
        this.self = self;
    }

    /** Empty where the API server has not said yet. */
    @Override
    public List<Replica> get() {
        Replica own = self.get();
        if (service.isEmpty()) {
            return List.of(own);
        }
        List<InetAddress> addresses = addresses(service.get());
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
    private @Nullable List<InetAddress> addresses(ObjectRef behind) {
        lock.lock();
        try {
            if (System.nanoTime() - askedAt >= FRESH) {
                try {
                    known = ready(list(behind));
                } finally {
                    askedAt = System.nanoTime();
                }
            }
            return known;
        } catch (RuntimeException silent) {
            log.atWarn()
                    .addArgument(behind)
                    .addArgument(silent::getMessage)
                    .log("which replicas are behind {} is not known now: {}");
            return known;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return known;
        } finally {
            lock.unlock();
        }
    }

    private List<EndpointSlice> list(ObjectRef behind) throws InterruptedException {
        return calls.make(() ->
                client.discovery()
                        .v1()
                        .endpointSlices()
                        .inNamespace(behind.namespace())
                        .withLabel(SERVICE_NAME, behind.name())
                        .list()
                        .getItems());
    }

    static List<InetAddress> ready(List<EndpointSlice> slices) {
        List<InetAddress> ready = new ArrayList<>();
        for (EndpointSlice slice : slices) {
            for (Endpoint endpoint : slice.getEndpoints()) {
                boolean isReady =
                        endpoint.getConditions() == null
                                || !Boolean.FALSE.equals(endpoint.getConditions().getReady());
                if (isReady) {
                    endpoint.getAddresses().forEach(text -> literal(text).ifPresent(ready::add));
                }
            }
        }
        return ready.stream().distinct().toList();
    }

    private static Optional<InetAddress> literal(String text) {
        try {
            return Optional.of(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException name) {
            return Optional.empty(); // slices of the type FQDN
        }
    }
}

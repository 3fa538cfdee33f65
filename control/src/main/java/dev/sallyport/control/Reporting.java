package dev.sallyport.control;

import dev.sallyport.control.acme.ClusterAcme;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.cluster.ClusterClient;
import dev.sallyport.control.event.EventPublisher;
import dev.sallyport.control.event.News;
import dev.sallyport.control.leader.LeaderElection;
import dev.sallyport.control.leader.LeaseTimes;
import dev.sallyport.control.reconcile.Reconciler;
import dev.sallyport.control.status.AddressSource;
import dev.sallyport.control.status.GivenAddresses;
import dev.sallyport.control.status.NodeAddresses;
import dev.sallyport.control.status.ServiceAddresses;
import dev.sallyport.control.status.StatusPublisher;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the API server what the reconciler knows: the status of Ingresses and Events, on the one
 * replica that leads, which orders certificates, too. It reads the reconciler's states and nothing
 * waits for it.
 */
final class Reporting implements AutoCloseable {
    /*
     * Concurrency: started and closed under the lock, by any thread; the parts are volatile, safe
     * from any thread, and never changed once they are set.
     */
    private static final Logger log = LoggerFactory.getLogger(Reporting.class);

    /** However silent the API server is, closing takes no longer. */
    private static final Duration LONGEST_CLOSE = Duration.ofSeconds(2);

    private static final int MOST_MANAGER = 128; // the API takes no more
    private static final Pattern POD = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?");

    private final ClusterClient cluster;
    private final Reconciler reconciler;
    private final ReportSettings settings;
    private final Optional<ClusterAcme> acme;
    private final InstantSource time;
    private final Supplier<RandomGenerator> randoms; // one for each thread
    private final ReentrantLock lock = new ReentrantLock();
    private boolean closed; // under the lock
    private volatile @Nullable LeaderElection election;
    private volatile @Nullable StatusPublisher statuses;
    private volatile @Nullable EventPublisher events;

    /** Nothing is started yet. */
    Reporting(
            ClusterClient cluster,
            Reconciler reconciler,
            ReportSettings settings,
            Optional<ClusterAcme> acme,
            InstantSource time,
            Supplier<RandomGenerator> randoms) {
        this.cluster = cluster;
        this.reconciler = reconciler;
        this.settings = settings;
        this.acme = acme;
        this.time = time;
        this.randoms = randoms;
    }

    /** Starts the threads {@code leader}, {@code ingress-status} and {@code events}. */
    void start() {
        lock.lock();
        try {
            if (!closed && (settings.status() || settings.events() || acme.isPresent())) {
                open();
            }
        } catch (RuntimeException | Error bug) {
            log.atError().setCause(bug).log("A bug: neither status nor Events are written");
        } finally {
            lock.unlock();
        }
    }

    /** Has something told that was done, once. Safe from any thread; does not block. */
    void tell(News news) {
        EventPublisher publisher = events;
        if (publisher != null) {
            publisher.tell(news);
        }
    }

    /** What was told. Safe from any thread. */
    Reported reported() {
        LeaderElection elected = election;
        StatusPublisher written = statuses;
        EventPublisher told = events;
        return new Reported(
                settings.status() || settings.events() || acme.isPresent(),
                elected != null && elected.leads(),
                elected == null ? Optional.empty() : elected.leader().flatMap(this::pod),
                written == null ? StatusPublisher.Counts.NONE : written.counts(),
                told == null ? EventPublisher.Counts.NONE : told.counts());
    }

    /**
     * Ends: first the writing, then leadership, so that another replica takes over at once. Two
     * seconds at most; what was written stays. May be called again.
     */
    @Override
    public void close() {
        Thread closing = Thread.ofVirtual().name("reporting-close").start(this::end);
        try {
            if (!closing.join(LONGEST_CLOSE)) {
                log.atInfo().log("The API server is silent: the Lease runs out by itself");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void open() {
        KubernetesClient hasty = cluster.hastyClient();
        String namespace = settings.leaseNamespace().orElse(cluster.namespace());
        String instance = settings.pod().orElse("sallyport");
        LeaderElection chosen =
                LeaderElection.of(
                        cluster.hastyClient(), // with connections that nothing else keeps busy
                        namespace,
                        settings.leaseName(),
                        identity(instance, UUID.randomUUID()),
                        LeaseTimes.DEFAULT,
                        time,
                        randoms.get());
        election = chosen;
        if (settings.status()) {
            openStatuses(hasty, chosen, manager(namespace, settings.leaseName()));
        }
        if (settings.events()) {
            EventPublisher told =
                    EventPublisher.of(
                            reconciler::state, chosen::leads, hasty, instance, time, randoms.get());
            events = told;
            reconciler.whenChanged(told::wake);
            chosen.whenChanged(told::wake);
            told.start();
        }
        acme.ifPresent(it -> {
            it.elected(chosen::leads);
            chosen.whenChanged(it::leadershipChanged);
        });
        chosen.start();
    }

    private void openStatuses(KubernetesClient hasty, LeaderElection chosen, String manager) {
        Optional<AddressSource> source = addresses(hasty);
        if (source.isEmpty()) {
            log.atInfo().log(
                    "no status of Ingresses is written, for the gateway's address is not known here: give"
                            + " --publish-address ADDR or --publish-service NAMESPACE/NAME");
            return;
        }
        StatusPublisher written =
                StatusPublisher.of(
                        () -> reconciler.state().ingresses(),
                        source.get(),
                        chosen::leads,
                        hasty,
                        manager,
                        randoms.get());
        statuses = written;
        reconciler.whenChanged(written::wake);
        chosen.whenChanged(written::wake);
        written.start();
    }

    private Optional<AddressSource> addresses(KubernetesClient hasty) {
        if (!settings.addresses().isEmpty()) {
            return Optional.of(new GivenAddresses(settings.addresses()));
        }
        if (settings.service().isPresent()) {
            ObjectRef service = settings.service().get();
            return Optional.of(
                    new ServiceAddresses(cluster.client(), service.namespace(), service.name()));
        }
        return settings.pod()
                .map(pod ->
                        new NodeAddresses(
                                hasty,
                                new BoundedCalls(LeaseTimes.DEFAULT.call()),
                                cluster.namespace(),
                                pod));
    }

    private void end() {
        lock.lock();
        try {
            closed = true;
            StatusPublisher written = statuses;
            EventPublisher told = events;
            LeaderElection elected = election;
            if (written != null) {
                written.close();
            }
            if (told != null) {
                told.close();
            }
            acme.ifPresent(it -> it.keeper().lead(false));
            if (elected != null) {
                elected.close();
            }
        } finally {
            lock.unlock();
        }
    }

    private Optional<ObjectRef> pod(String identity) {
        // Where this one runs in no Pod, others need not either.
        return settings.pod().isPresent()
                ? podOf(identity).map(pod -> new ObjectRef("Pod", cluster.namespace(), pod))
                : Optional.empty();
    }

    /** That of a process, in the Lease: others are never the same, not even in the same Pod. */
    static String identity(String instance, UUID process) {
        return instance + "_" + process;
    }

    /** The Pod of an {@link #identity}; empty where somebody wrote what is none. */
    static Optional<String> podOf(String identity) {
        return Optional.of(identity.substring(0, Math.max(0, identity.lastIndexOf('_'))))
                .filter(name -> POD.matcher(name).matches());
    }

    /**
     * The field manager: that of the installation, as its Lease is, so that every replica of it
     * knows what was written, and no other gateway takes it for its own.
     */
    static String manager(String namespace, String lease) {
        String manager = "sallyport/" + namespace + "/" + lease;
        if (manager.length() <= MOST_MANAGER) {
            return manager;
        }
        UUID digest = UUID.nameUUIDFromBytes(manager.getBytes(StandardCharsets.UTF_8));
        String hex = HexFormat.of().toHexDigits(digest.getMostSignificantBits());
        return manager.substring(0, MOST_MANAGER - hex.length() - 1) + "-" + hex;
    }
}

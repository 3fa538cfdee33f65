package dev.sallyport.control.acme;

import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.challenge.Rfc2136Board;
import dev.sallyport.acme.challenge.SeveralBoards;
import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.cluster.ClusterClient;
import dev.sallyport.control.event.News;
import dev.sallyport.control.leader.LeaseTimes;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.resource.AcmeAnswer;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Certificates of its own for a gateway in a cluster: the replica that leads orders them, all show
 * what CAs ask for, and serve what is issued as they serve any Secret.
 */
public final class ClusterAcme implements AutoCloseable {
    /* Concurrency: what comes first is under the lock; the rest is safe from any thread. */
    private final AcmeSettings settings;
    private final ClusterClient cluster;
    private final OwnSecrets own;
    private final BoundedCalls calls = new BoundedCalls(LeaseTimes.DEFAULT.call());
    private final ChallengesSecret challenges;
    private final CertificateKeeper keeper;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable List<AcmeAnswer> early; // under the lock; shown before anything was told
    private boolean told; // under the lock
    private @Nullable Consumer<SourceUpdate> next; // under the lock
    private volatile BooleanSupplier leads = () -> false;
    private volatile @Nullable AcmeMediator mediator;

    /**
     * One that is not started.
     *
     * @param cluster stays the caller's to close, after this
     * @param gateway what it is told apart by from other gateways in its namespace: the name of the
     *     Lease
     * @param service in front of all replicas, where it is known
     * @param self where this replica is bound now
     */
    public ClusterAcme(
            AcmeSettings settings,
            ClusterClient cluster,
            String gateway,
            Optional<ObjectRef> service,
            InstantSource time,
            Supplier<Replica> self) {
        this.settings = settings;
        this.cluster = cluster;
        this.own = new OwnSecrets(gateway);
        KubernetesClient hasty = cluster.hastyClient();
        String namespace = cluster.namespace();
        this.challenges =
                new ChallengesSecret(hasty, calls, namespace, own, () -> leads.getAsBoolean());
        var store =
                new SecretStore(
                        hasty,
                        calls,
                        namespace,
                        own,
                        () -> leads.getAsBoolean(),
                        challenges::owner);
        List<ChallengeBoard> boards = new ArrayList<>();
        boards.add(
                new SnapshotBoard(
                        settings.challenges(),
                        challenges::show,
                        self,
                        new Replicas(hasty, calls, namespace, service, self)));
        settings.zone().ifPresent(zone -> boards.add(new Rfc2136Board(zone)));
        this.keeper =
                CertificateKeeper.of(settings.keeper(), store, new SeveralBoards(boards), time);
    }

    /** For translation. */
    public AcmeRules rules() {
        return settings.rules(cluster.namespace(), own.gateway());
    }

    /**
     * What is to be told instead of the reconciler: it is told of challenges, too, though not
     * before it is told of all else.
     */
    public Consumer<SourceUpdate> before(Consumer<SourceUpdate> next) {
        lock.lock();
        try {
            this.next = next;
        } finally {
            lock.unlock();
        }
        return this::tell;
    }

    /**
     * Starts the threads {@code acme}, {@code acme-mediator} and {@code acme-challenges}.
     *
     * @param reconciler is told of findings
     * @param state what is translated now
     * @param teller is told what was done; not to block
     */
    public void start(
            Consumer<SourceUpdate> reconciler,
            Supplier<ControlState> state,
            Consumer<News> teller) {
        keeper.whenChanged(this::changed);
        keeper.start();
        mediator =
                AcmeMediator.start(keeper, reconciler, state, teller, settings.issuers(), rules());
        challenges.start(cluster.client(), this::show);
    }

    /** What is translated, or kept, changed. At once, on whatever thread. */
    public void changed() {
        AcmeMediator started = mediator;
        if (started != null) {
            started.wake();
        }
    }

    /** Whether this replica leads, to be asked before each write. */
    public void elected(BooleanSupplier leads) {
        this.leads = leads;
    }

    /** Leadership began, or has ended. At once. */
    public void leadershipChanged() {
        challenges.leadershipChanged();
        keeper.lead(leads.getAsBoolean());
    }

    /** What is kept. */
    public CertificateKeeper keeper() {
        return keeper;
    }

    /** Ends orders where they are: whoever leads next goes on with them. Some seconds at most. */
    @Override
    public void close() {
        AcmeMediator started = mediator;
        if (started != null) {
            started.close();
        }
        keeper.close();
        challenges.close();
        calls.close();
    }

    private void show(List<AcmeAnswer> answers) {
        lock.lock();
        try {
            Consumer<SourceUpdate> reconciler = next;
            if (told && reconciler != null) {
                reconciler.accept(SnapshotBoard.update(answers));
            } else {
                early = answers;
            }
        } finally {
            lock.unlock();
        }
    }

    private void tell(SourceUpdate update) {
        lock.lock();
        try {
            Consumer<SourceUpdate> reconciler = next;
            List<AcmeAnswer> also = early;
            told = true;
            early = null;
            if (reconciler != null) {
                reconciler.accept(also == null ? update : with(update, also));
            }
        } finally {
            lock.unlock();
        }
    }

    private static SourceUpdate with(SourceUpdate update, List<AcmeAnswer> answers) {
        return new SourceUpdate(
                Stream.concat(
                                update.changes().stream(),
                                SnapshotBoard.update(answers).changes().stream())
                        .toList(),
                update.findings(),
                update.unreadable());
    }
}

package dev.sallyport.control;

import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.control.acme.ClusterAcme;
import dev.sallyport.control.cluster.ClusterClient;
import dev.sallyport.control.cluster.ClusterSettings;
import dev.sallyport.control.cluster.ClusterSource;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.reconcile.ParserThreads;
import dev.sallyport.control.reconcile.Reconciler;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.stored.LastKnownGood;
import dev.sallyport.control.stored.StoreReport;
import dev.sallyport.control.stored.StoreSettings;
import dev.sallyport.control.translate.ClassParameters;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.secretsync.CertificateReader;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** Serves a cluster: watches it, translates it, and keeps the data plane at what it says. */
public final class ClusterControl implements Control {
    /** An API server that has just started may refuse for a moment what it grants. */
    private static final Duration REFUSAL = Duration.ofSeconds(10);

    private final ClusterSource source;
    private final Reconciler reconciler;
    private final Reporting reporting;
    private final Optional<LastKnownGood> lastKnownGood;
    private final Optional<ClusterAcme> acme;
    private final InstantSource time;

    private ClusterControl(
            ClusterSource source,
            Reconciler reconciler,
            Reporting reporting,
            Optional<LastKnownGood> lastKnownGood,
            Optional<ClusterAcme> acme,
            InstantSource time) {
        this.source = source;
        this.reconciler = reconciler;
        this.reporting = reporting;
        this.lastKnownGood = lastKnownGood;
        this.acme = acme;
        this.time = time;
    }

    /**
     * Starts the threads {@code reconciler} and {@code cluster-watcher}, {@code last-known-good}
     * and those of ACME where that is configured; when what the API server says is in service,
     * those that tell. Returns at once, whether the API server answers or not.
     *
     * @param cluster stays the caller's to close, after this
     * @param store where the last known good state is kept, if it is
     * @param told what is told to the API server
     * @param acme has certificates issued, if that is configured; closed with this
     * @param dataPlane called on the reconciler's thread only
     * @param time for the validity of certificates
     */
    public static ClusterControl open(
            ClusterClient cluster,
            ClusterSettings watched,
            Optional<StoreSettings> store,
            ReportSettings told,
            Optional<ClusterAcme> acme,
            ControlSettings settings,
            DataPlane dataPlane,
            InstantSource time) {
        Executor parsers = ParserThreads.executor();
        TranslationSettings translation =
                acme.map(it -> settings.translation().with(it.rules()))
                        .orElse(settings.translation());
        var source =
                new ClusterSource(
                        cluster,
                        acme.map(it -> watched.withSecretsOf(it.rules().namespace()))
                                .orElse(watched),
                        resource -> ClassParameters.configMap(resource, translation),
                        System::nanoTime);
        var reconciler =
                new Reconciler(
                        translation,
                        settings.holdOff(),
                        source,
                        CertificateReader.provenBy(settings.proof()),
                        parsers,
                        dataPlane,
                        time);
        Consumer<SourceUpdate> sink =
                acme.map(it -> it.before(reconciler::submit)).orElse(reconciler::submit);
        Optional<LastKnownGood> lastKnownGood =
                store.map(where ->
                        new LastKnownGood(
                                where,
                                translation,
                                parsers,
                                source,
                                sink,
                                reconciler::state,
                                time,
                                new SecureRandom()));
        var reporting =
                new Reporting(cluster, reconciler, told, acme, time, RandomGenerator::getDefault);
        var synchronised = new CompletableFuture<Void>();
        reconciler.whenChanged(() -> {
            ControlState state = reconciler.state();
            if (state.published() > 0 && !state.stale()) {
                synchronised.complete(null);
            }
        });
        var _ = synchronised.thenRun(() -> Thread.startVirtualThread(reporting::start));
        acme.ifPresent(it -> reconciler.whenChanged(it::changed));
        reconciler.start();
        source.start(
                lastKnownGood.<Consumer<SourceUpdate>>map(between -> between::submit).orElse(sink));
        lastKnownGood.ifPresent(LastKnownGood::start);
        acme.ifPresent(it -> it.start(reconciler::submit, reconciler::state, reporting::tell));
        return new ClusterControl(source, reconciler, reporting, lastKnownGood, acme, time);
    }

    /** The same, but nothing is kept and nothing is told. */
    public static ClusterControl open(
            ClusterClient cluster,
            ClusterSettings watched,
            ControlSettings settings,
            DataPlane dataPlane,
            InstantSource time) {
        return open(
                cluster,
                watched,
                Optional.empty(),
                ReportSettings.NOTHING,
                Optional.empty(),
                settings,
                dataPlane,
                time);
    }

    @Override
    public CompletableFuture<Applied> firstApplied() {
        return reconciler.firstApplied();
    }

    @Override
    public ControlState state() {
        return reconciler.state();
    }

    /**
     * How long the most silent watch has been so; seconds where all is well. The age of the stored
     * state while that is served.
     */
    @Override
    public Optional<Duration> sinceLastLook() {
        return source.sinceLastLook().or(() -> stored().staleSince().map(this::ago));
    }

    @Override
    public StoreReport stored() {
        return lastKnownGood.map(LastKnownGood::report).orElse(StoreReport.NONE);
    }

    @Override
    public Optional<String> waitingFor() {
        return source.waitingFor().or(reconciler::waitingFor);
    }

    @Override
    public Optional<String> refused() {
        return stored().staleSince().flatMap(_ -> source.refused(REFUSAL));
    }

    @Override
    public int heldBack() {
        return source.heldBack();
    }

    @Override
    public Reported reported() {
        return reporting.reported();
    }

    @Override
    public Optional<CertificateKeeper> acme() {
        return acme.map(ClusterAcme::keeper);
    }

    @Override
    public void fallSilent() {
        reporting.close();
    }

    @Override
    public void close() {
        reporting.close();
        acme.ifPresent(ClusterAcme::close);
        lastKnownGood.ifPresent(LastKnownGood::close); // which stores what is served
        source.close();
        reconciler.close();
    }

    /** By a clock that may have been set since. */
    private Duration ago(Instant moment) {
        Duration age = Duration.between(moment, time.instant());
        return age.isNegative() ? Duration.ZERO : age;
    }
}

package dev.sallyport.control;

import dev.sallyport.control.cluster.ClusterClient;
import dev.sallyport.control.cluster.ClusterSettings;
import dev.sallyport.control.cluster.ClusterSource;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.reconcile.ParserThreads;
import dev.sallyport.control.reconcile.Reconciler;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.secretsync.CertificateReader;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/** Serves a cluster: watches it, translates it, and keeps the data plane at what it says. */
public final class ClusterControl implements Control {
    private final ClusterSource source;
    private final Reconciler reconciler;

    private final Reporting reporting;

    private ClusterControl(ClusterSource source, Reconciler reconciler, Reporting reporting) {
        this.source = source;
        this.reconciler = reconciler;
        this.reporting = reporting;
    }

    /**
     * Starts the threads {@code reconciler} and {@code cluster-watcher}; when the first snapshot is
     * in service, those that tell. Returns at once, whether the API server answers or not.
     *
     * @param cluster stays the caller's to close, after this
     * @param told what is told to the API server
     * @param dataPlane called on the reconciler's thread only
     * @param time for the validity of certificates
     */
    public static ClusterControl open(
            ClusterClient cluster,
            ClusterSettings watched,
            ReportSettings told,
            ControlSettings settings,
            DataPlane dataPlane,
            InstantSource time) {
        var source = new ClusterSource(cluster, watched, System::nanoTime);
        var reconciler =
                new Reconciler(
                        settings.translation(),
                        settings.holdOff(),
                        source,
                        CertificateReader.PEM,
                        ParserThreads.executor(),
                        dataPlane,
                        time);
        var reporting = new Reporting(cluster, reconciler, told, time, RandomGenerator::getDefault);
        reconciler.start();
        source.start(reconciler::submit);
        var _ =
                reconciler
                        .firstApplied()
                        .thenRun(() -> Thread.startVirtualThread(reporting::start));
        return new ClusterControl(source, reconciler, reporting);
    }

    /** The same, but nothing is told. */
    public static ClusterControl open(
            ClusterClient cluster,
            ClusterSettings watched,
            ControlSettings settings,
            DataPlane dataPlane,
            InstantSource time) {
        return open(cluster, watched, ReportSettings.NOTHING, settings, dataPlane, time);
    }

    @Override
    public CompletableFuture<Applied> firstApplied() {
        return reconciler.firstApplied();
    }

    @Override
    public ControlState state() {
        return reconciler.state();
    }

    /** How long the most silent watch has been so; seconds where all is well. */
    @Override
    public Optional<Duration> sinceLastLook() {
        return source.sinceLastLook();
    }

    @Override
    public Optional<String> waitingFor() {
        return source.waitingFor().or(reconciler::waitingFor);
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
    public void fallSilent() {
        reporting.close();
    }

    @Override
    public void close() {
        reporting.close();
        source.close();
        reconciler.close();
    }
}

package dev.sallyport.control;

import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.reconcile.ParserThreads;
import dev.sallyport.control.reconcile.Reconciler;
import dev.sallyport.control.reconcile.SecretDemand;
import dev.sallyport.control.source.FolderSource;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.secretsync.CertificateReader;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** Serves a folder: reads it, translates it, and keeps the data plane at what it says. */
public final class FolderControl implements Control {
    private final FolderSource source;
    private final Reconciler reconciler;

    private FolderControl(FolderSource source, Reconciler reconciler) {
        this.source = source;
        this.reconciler = reconciler;
    }

    /**
     * Starts the threads {@code reconciler} and {@code folder-watcher}. Returns at once.
     *
     * @param dir a folder of manifests; may appear later
     * @param dataPlane called on the reconciler's thread only
     * @param time for the validity of certificates
     */
    public static FolderControl open(
            Path dir, ControlSettings settings, DataPlane dataPlane, InstantSource time) {
        Executor parsers = ParserThreads.executor();
        var reconciler =
                new Reconciler(
                        settings.translation(),
                        settings.holdOff(),
                        SecretDemand.NONE,
                        CertificateReader.PEM,
                        parsers,
                        dataPlane,
                        time);
        var source =
                new FolderSource(
                        dir, settings.folder(), reconciler::submit, parsers, System::nanoTime);
        reconciler.start();
        source.start();
        return new FolderControl(source, reconciler);
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
     * How long ago the whole folder was last compared with what is served; empty until it was read.
     * Much more than the poll interval means that changes are no longer seen.
     */
    @Override
    public Optional<Duration> sinceLastLook() {
        return source.sinceLastLook();
    }

    @Override
    public Optional<String> waitingFor() {
        return firstApplied().isDone()
                ? Optional.empty()
                : Optional.of("the folder: it is being read");
    }

    /** A folder is believed. */
    @Override
    public int heldBack() {
        return 0;
    }

    /** Nobody writes into a folder. */
    @Override
    public Reported reported() {
        return Reported.NOTHING;
    }

    @Override
    public void fallSilent() {}

    @Override
    public void close() {
        source.close();
        reconciler.close();
    }
}

package dev.sallyport.control;

import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.control.acme.FolderAcme;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.reconcile.ParserThreads;
import dev.sallyport.control.reconcile.Reconciler;
import dev.sallyport.control.reconcile.SecretDemand;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.source.FolderSource;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.secretsync.CertificateReader;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Serves a folder: reads it, translates it, and keeps the data plane at what it says. */
public final class FolderControl implements Control {
    private final FolderSource source;
    private final Reconciler reconciler;
    private final Optional<FolderAcme> acme;

    private FolderControl(FolderSource source, Reconciler reconciler, Optional<FolderAcme> acme) {
        this.source = source;
        this.reconciler = reconciler;
        this.acme = acme;
    }

    /**
     * Starts the threads {@code reconciler} and {@code folder-watcher}. Returns at once.
     *
     * @param dir a folder of manifests; may appear later
     * @param dataPlane called on the reconciler's thread only
     * @param time for the validity of certificates
     * @param acme has certificates issued, if that is configured; closed with this
     */
    public static FolderControl open(
            Path dir,
            ControlSettings settings,
            DataPlane dataPlane,
            InstantSource time,
            Optional<FolderAcme> acme) {
        Executor parsers = ParserThreads.executor();
        var reconciler =
                new Reconciler(
                        acme.map(it -> settings.translation().with(it.rules()))
                                .orElse(settings.translation()),
                        settings.holdOff(),
                        SecretDemand.NONE,
                        CertificateReader.provenBy(settings.proof()),
                        parsers,
                        dataPlane,
                        time);
        var source =
                new FolderSource(
                        dir,
                        settings.folder(),
                        acme.map(it -> withStored(it.stored(), reconciler::submit))
                                .orElse(reconciler::submit),
                        parsers,
                        System::nanoTime);
        acme.ifPresent(it -> reconciler.whenChanged(it::changed));
        reconciler.start();
        source.start();
        acme.ifPresent(it -> it.start(reconciler::submit, reconciler::state));
        return new FolderControl(source, reconciler, acme);
    }

    /** The same, without certificates of its own. */
    public static FolderControl open(
            Path dir, ControlSettings settings, DataPlane dataPlane, InstantSource time) {
        return open(dir, settings, dataPlane, time, Optional.empty());
    }

    /** What was issued is there from the first snapshot on. */
    private static Consumer<SourceUpdate> withStored(
            List<ResourceChange> stored, Consumer<SourceUpdate> next) {
        var first = new AtomicReference<>(stored);
        return update -> {
            List<ResourceChange> more = first.getAndSet(List.of());
            next.accept(
                    more.isEmpty()
                            ? update
                            : new SourceUpdate(
                                    Stream.concat(more.stream(), update.changes().stream())
                                            .toList(),
                                    update.findings(),
                                    update.unreadable()));
        };
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
    public Optional<CertificateKeeper> acme() {
        return acme.flatMap(FolderAcme::keeper);
    }

    @Override
    public void close() {
        acme.ifPresent(FolderAcme::close);
        source.close();
        reconciler.close();
    }
}

package dev.sallyport.control;

import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;

/** Serves a folder: reads it, translates it, and keeps the data plane at what it says. */
public final class FolderControl implements AutoCloseable {
    private FolderControl() {}

    /**
     * Starts the threads {@code reconciler} and {@code folder-watcher}. Returns at once.
     *
     * @param dir a folder of manifests; may appear later
     */
    public static FolderControl open(
            Path dir, ControlSettings settings, DataPlane dataPlane, InstantSource time) {
        return new FolderControl();
    }

    /** Completes when the data plane has applied the first snapshot. */
    public CompletableFuture<Applied> firstApplied() {
        return new CompletableFuture<>();
    }

    /** What is known now. Safe from any thread. */
    public ControlState state() {
        return ControlState.EMPTY;
    }

    /** Stops both threads; what is in service stays in service. */
    @Override
    public void close() {}
}

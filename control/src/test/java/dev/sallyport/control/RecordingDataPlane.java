package dev.sallyport.control;

import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** A data plane that remembers what it was given. */
public final class RecordingDataPlane implements DataPlane {
    private final List<GatewaySnapshot> snapshots = new CopyOnWriteArrayList<>();
    private volatile Consumer<GatewaySnapshot> before = _ -> {};

    @Override
    public Applied apply(GatewaySnapshot snapshot) {
        before.accept(snapshot);
        snapshots.add(snapshot);
        return new Applied(snapshot.version(), List.of());
    }

    /** Called before a snapshot is taken; may throw. */
    public void before(Consumer<GatewaySnapshot> action) {
        before = action;
    }

    /** All, in order. */
    public List<GatewaySnapshot> snapshots() {
        return List.copyOf(snapshots);
    }

    /** The last one, or the empty one. */
    public GatewaySnapshot last() {
        return snapshots.isEmpty() ? GatewaySnapshot.EMPTY : snapshots.getLast();
    }
}

package dev.sallyport.control;

import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;

/** A data plane that remembers what it was given. */
public final class RecordingDataPlane implements DataPlane {
    private final List<GatewaySnapshot> snapshots = new CopyOnWriteArrayList<>();
    private final Queue<Function<GatewaySnapshot, Applied>> putOff = new ConcurrentLinkedQueue<>();
    private volatile Consumer<GatewaySnapshot> before = _ -> {};
    private volatile Function<GatewaySnapshot, Applied> answer =
            snapshot -> Applied.whole(snapshot, List.of());

    @Override
    public Applied apply(GatewaySnapshot snapshot) {
        before.accept(snapshot);
        snapshots.add(snapshot);
        return answer.apply(snapshot);
    }

    @Override
    public Optional<Applied> proceed() {
        return Optional.ofNullable(putOff.poll()).map(piece -> piece.apply(last()));
    }

    /** What {@link #proceed} will do, one piece a call. */
    public void putOff(Function<GatewaySnapshot, Applied> piece) {
        putOff.add(piece);
    }

    /** Whether all that was put off is done. */
    public boolean isDone() {
        return putOff.isEmpty();
    }

    /** Called before a snapshot is taken; may throw. */
    public void before(Consumer<GatewaySnapshot> action) {
        before = action;
    }

    /** What it makes of snapshots from now on; all of each is in service at first. */
    public void answer(Function<GatewaySnapshot, Applied> made) {
        answer = made;
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

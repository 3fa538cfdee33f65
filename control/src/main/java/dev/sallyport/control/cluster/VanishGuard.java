package dev.sallyport.control.cluster;

import dev.sallyport.model.name.ObjectRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Says whether to believe that objects are gone. A deletion that is seen as it happens is believed.
 * What a list lacks that follows a gap is believed as well, unless the list is empty or no more
 * than half as long as what was known: API servers answer from empty caches and restored backups,
 * and obeying would end service for everybody. Such objects are held until the time is over and a
 * second list, which is asked for then, lacks them too.
 *
 * <p>Time is passed in, in nanoseconds of a clock that only goes forward. Not thread-safe.
 */
final class VanishGuard {
    private final long holdBack;
    private final Set<ObjectRef> known = new HashSet<>(); // with those that are held
    private final Set<ObjectRef> held = new HashSet<>();
    private final Set<ObjectRef> missing = new HashSet<>(); // from the list that is being read
    private boolean listed;
    private int before; // how many there were when the list began
    private long due;

    /** Knows nothing yet: the first list is believed whatever it holds, unless more is expected. */
    VanishGuard(Duration holdBack) {
        this.holdBack = holdBack.toNanos();
    }

    /** A list begins. */
    void listing() {
        before = known.size() - held.size();
        missing.clear();
    }

    /** A list begins that tells of everything that exists, not only of what changed. */
    void listingAnew() {
        before = known.size() - held.size();
        missing.clear();
        missing.addAll(known);
        missing.removeAll(held);
    }

    /**
     * These are in service though no list showed them: the one that is being read, or the next if
     * that begins anew, is judged by them.
     */
    void expect(Collection<ObjectRef> inService) {
        for (ObjectRef ref : inService) {
            if (known.add(ref)) {
                missing.add(ref);
            }
        }
        before = known.size() - held.size();
        listed |= !inService.isEmpty();
    }

    /** The object exists. */
    void seen(ObjectRef ref) {
        known.add(ref);
        held.remove(ref);
        missing.remove(ref);
    }

    /** The object was deleted, and that was seen. */
    void deleted(ObjectRef ref) {
        known.remove(ref);
        held.remove(ref);
    }

    /** The object is not in the list that is being read. */
    void missing(ObjectRef ref) {
        if (known.contains(ref) && !held.contains(ref)) {
            missing.add(ref);
        }
    }

    /** The list is read to its end; returns what is gone. */
    List<ObjectRef> listed(long now) {
        boolean first = !listed;
        listed = true;
        int nowListed = known.size() - held.size() - missing.size();
        if (!first && !missing.isEmpty() && 2 * nowListed <= before) {
            due = now + holdBack;
            held.addAll(missing);
            missing.clear();
        }
        return gone(missing);
    }

    /** How many objects are held. */
    int held() {
        return held.size();
    }

    /** How many objects are known, with those that are held. */
    int known() {
        return known.size();
    }

    /** Whether it is time to ask for a second list. */
    boolean isDue(long now) {
        return !held.isEmpty() && now - due >= 0;
    }

    /** Nothing came of asking for a second list: it is asked for again later. */
    void postpone(long now) {
        due = now + holdBack;
    }

    /** The second list came; returns what is gone. What it still has stays held. */
    List<ObjectRef> confirm(Set<ObjectRef> existing, long now) {
        postpone(now);
        Set<ObjectRef> absent = new HashSet<>(held);
        absent.removeAll(existing);
        return gone(absent);
    }

    private List<ObjectRef> gone(Set<ObjectRef> which) {
        List<ObjectRef> gone = new ArrayList<>(which);
        gone.sort(ObjectRef.ORDER);
        known.removeAll(which);
        held.removeAll(gone);
        missing.clear();
        return gone;
    }
}

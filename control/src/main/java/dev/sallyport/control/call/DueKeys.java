package dev.sallyport.control.call;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Keys for which there is something to do: each once, whatever happened meanwhile, first come first
 * served, and none twice at a time. Time is passed in, in nanoseconds. Confined to one thread.
 *
 * @param <K> the key type, with value equality
 */
public final class DueKeys<K> {
    private final Set<K> ready = new LinkedHashSet<>();
    private final TreeMap<Long, Set<K>> later = new TreeMap<>();
    private final Map<K, Long> when = new HashMap<>();
    private final Set<K> taken = new HashSet<>();
    private final Set<K> again = new HashSet<>();

    /** There is something to do for {@code key}, now, or when what is being done for it ended. */
    public void add(K key) {
        if (taken.contains(key)) {
            again.add(key);
        } else if (!when.containsKey(key)) { // whoever waits was told to
            ready.add(key);
        }
    }

    /** There is something to do for {@code key}, not before a time; it is not taken any more. */
    public void addLater(K key, long notBefore) {
        taken.remove(key);
        again.remove(key);
        ready.remove(key);
        unschedule(key);
        when.put(key, notBefore);
        later.computeIfAbsent(notBefore, _ -> new LinkedHashSet<>()).add(key);
    }

    /** What {@code key} waited for has come: it need not wait any more. */
    public void hurry(K key) {
        unschedule(key);
        add(key);
    }

    /** There is nothing to do for {@code key} any more. */
    public void remove(K key) {
        ready.remove(key);
        again.remove(key);
        unschedule(key);
    }

    /** The next key for which something is to be done now; null where there is none. */
    public @Nullable K take(long now) {
        while (!later.isEmpty() && later.firstKey() - now <= 0) {
            for (K key : later.pollFirstEntry().getValue()) {
                when.remove(key);
                ready.add(key);
            }
        }
        var first = ready.iterator();
        if (!first.hasNext()) {
            return null;
        }
        K key = first.next();
        first.remove();
        taken.add(key);
        return key;
    }

    /** What was to be done for a key that was taken is done. */
    public void done(K key) {
        taken.remove(key);
        if (again.remove(key)) {
            ready.add(key);
        }
    }

    /** Whether {@code key} waits. */
    public boolean contains(K key) {
        return ready.contains(key) || when.containsKey(key);
    }

    /** How long until {@link #take} has one; {@link Long#MAX_VALUE} where none is known. */
    public long nanosToNext(long now) {
        if (!ready.isEmpty()) {
            return 0;
        }
        return later.isEmpty() ? Long.MAX_VALUE : Math.max(0, later.firstKey() - now);
    }

    /** The keys that wait, those that were taken not counted. */
    public int size() {
        return ready.size() + when.size();
    }

    /** How many were taken and are not done. */
    public int taken() {
        return taken.size();
    }

    /** Forgets all but what was taken. */
    public void clear() {
        ready.clear();
        later.clear();
        when.clear();
        again.clear();
    }

    private void unschedule(K key) {
        Long time = when.remove(key);
        Set<K> sameTime = time == null ? null : later.get(time);
        if (time != null && sameTime != null) {
            sameTime.remove(key);
            if (sameTime.isEmpty()) {
                later.remove(time);
            }
        }
    }
}

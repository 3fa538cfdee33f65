package dev.sallyport.control.cluster;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the API server last said about each thing that is watched: the connections tell it, whoever
 * reports or waits asks for it. Things are told apart by {@link WatchedPath}.
 */
final class Contacts {
    /* Concurrency: a concurrent map of entries whose fields are under the entry's own lock. */
    private final LongSupplier nanoTime;
    private final Map<WatchedPath, Entry> entries = new ConcurrentHashMap<>();

    /** None yet; {@code nanoTime} counts from any moment. */
    Contacts(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /**
     * What is known of one thing.
     *
     * @param watching whether a watch is open
     * @param heard when anything was last heard on it, a pong for instance
     * @param trouble what the last request came to, if it failed
     */
    record Contact(boolean watching, Optional<Long> heard, Optional<Trouble> trouble) {}

    /**
     * A request that failed.
     *
     * @param status as HTTP has it; 0 where there was no answer
     * @param text for people
     */
    record Trouble(int status, String text) {
        /** Whether the API server does not let the gateway do this. */
        boolean refused() {
            return status == 401 || status == 403;
        }
    }

    /** What is known of {@code path}. */
    Contact of(WatchedPath path) {
        Entry entry = entries.get(path);
        return entry == null
                ? new Contact(false, Optional.empty(), Optional.empty())
                : entry.contact();
    }

    /** A watch was opened. */
    void opened(WatchedPath path) {
        entry(path).opened(nanoTime.getAsLong());
    }

    /** Something was heard on a watch. */
    void heard(WatchedPath path) {
        entry(path).heard(nanoTime.getAsLong());
    }

    /** A watch that was open is not any more. */
    void closed(WatchedPath path) {
        entry(path).closed();
    }

    /** A request was answered well. */
    void answered(WatchedPath path) {
        entry(path).failed(null);
    }

    /** A request failed. */
    void failed(WatchedPath path, Trouble trouble) {
        entry(path).failed(trouble);
    }

    /** Nobody watches this any more. */
    void forget(WatchedPath path) {
        entries.remove(path);
    }

    private Entry entry(WatchedPath path) {
        return entries.computeIfAbsent(path, _ -> new Entry());
    }

    private static final class Entry {
        private int open; // the next watch may be opened before the last is closed
        private @Nullable Long heard;
        private @Nullable Trouble trouble;

        synchronized void opened(long now) {
            open++;
            heard = now;
            trouble = null;
        }

        synchronized void heard(long now) {
            heard = now;
        }

        synchronized void closed() {
            open = Math.max(0, open - 1);
        }

        synchronized void failed(@Nullable Trouble now) {
            trouble = now;
        }

        synchronized Contact contact() {
            return new Contact(open > 0, Optional.ofNullable(heard), Optional.ofNullable(trouble));
        }
    }
}

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
     * @param watched whether one ever was
     * @param heard when anything was last heard on it, a pong for instance
     * @param trouble what the last request came to, if it failed
     */
    record Contact(
            boolean watching, boolean watched, Optional<Long> heard, Optional<Trouble> trouble) {
        static final Contact NONE = new Contact(false, false, Optional.empty(), Optional.empty());
    }

    /**
     * A request that failed.
     *
     * @param status as HTTP has it; 0 where there was no answer
     * @param text for people; empty where there is only the status
     */
    record Trouble(int status, String text) {
        /** {@code 403: secrets is forbidden: …}. */
        @Override
        public String toString() {
            return status == 0 ? text : text.isEmpty() ? "status " + status : status + ": " + text;
        }

        /** Whether there was no answer at all. */
        boolean unanswered() {
            return status == 0;
        }

        /** Whether a right is missing. */
        boolean forbidden() {
            return status == 403;
        }

        /** Whether the API server does not let the gateway do this. */
        boolean refused() {
            return status == 401 || status == 403;
        }
    }

    /** What is known of {@code path}. */
    Contact of(WatchedPath path) {
        Entry entry = entries.get(path);
        return entry == null ? Contact.NONE : entry.contact();
    }

    /** This is going to be watched; nothing is noted of other paths. */
    void expect(WatchedPath path) {
        entries.putIfAbsent(path, new Entry());
    }

    /** Nobody watches this any more. */
    void forget(WatchedPath path) {
        entries.remove(path);
    }

    /** A watch was opened: all trouble is over. */
    Session opened(WatchedPath path) {
        Entry entry = entries.get(path);
        return (entry == null ? new Entry() : entry).open(nanoTime);
    }

    /** A request failed. */
    void failed(WatchedPath path, Trouble trouble) {
        Entry entry = entries.get(path);
        if (entry != null) {
            entry.failed(trouble);
        }
    }

    /** One connection that carries a watch; what it tells after {@link #forget} is lost. */
    static final class Session {
        private final Entry entry;
        private final LongSupplier nanoTime;

        private Session(Entry entry, LongSupplier nanoTime) {
            this.entry = entry;
            this.nanoTime = nanoTime;
        }

        /** Something came. */
        void heard() {
            entry.heard(nanoTime.getAsLong());
        }

        /** It is closed in good order. */
        void closed() {
            entry.closed();
        }

        /** It broke. */
        void failed(String why) {
            entry.closed();
            entry.failed(new Trouble(0, why));
        }
    }

    private static final class Entry {
        private boolean everOpen;
        private int open; // the next watch may be opened before the last is closed
        private @Nullable Long heard;
        private @Nullable Trouble trouble;

        synchronized Session open(LongSupplier nanoTime) {
            open++;
            everOpen = true;
            heard = nanoTime.getAsLong();
            trouble = null;
            return new Session(this, nanoTime);
        }

        synchronized void heard(long now) {
            heard = now;
        }

        synchronized void closed() {
            open = Math.max(0, open - 1);
        }

        /** An answer may be noted twice, the second time with what the body says. */
        synchronized void failed(Trouble now) {
            boolean saysLess =
                    now.text().isEmpty() && trouble != null && trouble.status() == now.status();
            if (!saysLess) {
                trouble = now;
            }
        }

        synchronized Contact contact() {
            return new Contact(
                    open > 0, everOpen, Optional.ofNullable(heard), Optional.ofNullable(trouble));
        }
    }
}

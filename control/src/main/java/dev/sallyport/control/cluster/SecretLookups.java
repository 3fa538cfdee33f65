package dev.sallyport.control.cluster;

import dev.sallyport.model.name.ObjectRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which Secrets are watched one by one: so many at a time are opened, so many are open at most, and
 * those beyond are read in turn, so many at once, the ones nothing is known of first. Not
 * thread-safe.
 */
final class SecretLookups {
    private final int mostOpen;
    private final int mostOpening;
    private final int mostReading;
    private final Set<ObjectRef> fresh = new LinkedHashSet<>(); // no watch, nothing known
    private final Set<ObjectRef> read = new LinkedHashSet<>(); // no watch, read once
    private final Set<ObjectRef> opening = new HashSet<>(); // a watch, nothing known
    private final Set<ObjectRef> watched = new HashSet<>();
    private final Map<ObjectRef, Boolean> reading = new HashMap<>(); // whether it was read before

    /**
     * @param mostOpen watches; each is a connection
     * @param mostOpening of which no more than these are without an answer
     * @param mostReading so many are being read at most, however slowly the answers come
     */
    SecretLookups(int mostOpen, int mostOpening, int mostReading) {
        this.mostOpen = mostOpen;
        this.mostOpening = mostOpening;
        this.mostReading = mostReading;
    }

    /** The Secret is to be watched. */
    void want(ObjectRef secret) {
        if (!wants(secret)) {
            fresh.add(secret);
        }
    }

    /** Whether the Secret is to be watched. */
    boolean wants(ObjectRef secret) {
        return fresh.contains(secret)
                || read.contains(secret)
                || reading.containsKey(secret)
                || opening.contains(secret)
                || watched.contains(secret);
    }

    /** The Secret is not to be watched any more; its watch, if it has one, is to be closed. */
    void drop(ObjectRef secret) {
        fresh.remove(secret);
        read.remove(secret);
        reading.remove(secret);
        opening.remove(secret);
        watched.remove(secret);
    }

    /** Something is known of the Secret now, from its watch or from reading it. */
    void answered(ObjectRef secret) {
        if (opening.remove(secret)) {
            watched.add(secret);
        } else if (fresh.remove(secret) || reading.remove(secret) != null) {
            read.add(secret);
        }
    }

    /** Reading it came to nothing: it will have its turn again. */
    void unanswered(ObjectRef secret) {
        Boolean before = reading.remove(secret);
        if (before != null) {
            (before ? read : fresh).add(secret);
        }
    }

    /** The next Secret whose watch is to be opened now. */
    Optional<ObjectRef> next() {
        if (isFull() || opening.size() >= mostOpening) {
            return Optional.empty();
        }
        Set<ObjectRef> from = fresh.isEmpty() ? read : fresh;
        if (from.isEmpty()) {
            return Optional.empty();
        }
        ObjectRef secret = from.iterator().next();
        from.remove(secret);
        opening.add(secret);
        return Optional.of(secret);
    }

    /**
     * Secrets for which there is no watch left, to be read now; others the next time. Each is
     * {@link #answered} or {@link #unanswered} before its turn comes again.
     *
     * @param mostFresh of those nothing is known of
     * @param mostAgain of the others; some of these are let in however many fresh ones there are
     */
    List<ObjectRef> toRead(int mostFresh, int mostAgain) {
        if (!isFull()) {
            return List.of();
        }
        int room = mostReading - reading.size();
        List<ObjectRef> again = turn(read, Math.min(mostAgain, room), true);
        List<ObjectRef> turn =
                new ArrayList<>(turn(fresh, Math.min(mostFresh, room - again.size()), false));
        turn.addAll(again);
        return turn;
    }

    private List<ObjectRef> turn(Set<ObjectRef> from, int most, boolean before) {
        List<ObjectRef> turn = from.stream().limit(Math.max(0, most)).toList();
        turn.forEach(secret -> {
            from.remove(secret);
            reading.put(secret, before);
        });
        return turn;
    }

    /** How many watches are open, or being opened. */
    int open() {
        return opening.size() + watched.size();
    }

    /** How many Secrets are read in turn. */
    int unwatched() {
        return isFull() ? fresh.size() + read.size() + reading.size() : 0;
    }

    private boolean isFull() {
        return open() >= mostOpen;
    }
}

package dev.sallyport.control.cluster;

import dev.sallyport.model.name.ObjectRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which Secrets are watched one by one: so many at a time are opened, so many are open at most, and
 * those beyond are read in turn. Not thread-safe.
 */
final class SecretLookups {
    private enum Stage {
        WAITING,
        OPENING,
        WATCHED
    }

    private final int mostOpen;
    private final int mostOpening;
    private final Map<ObjectRef, Stage> stages = new HashMap<>();
    private final Set<ObjectRef> waiting = new LinkedHashSet<>();
    private int opening;
    private int open; // with those that are being opened

    /**
     * @param mostOpen watches; each is a connection
     * @param mostOpening of which no more than these are without an answer
     */
    SecretLookups(int mostOpen, int mostOpening) {
        this.mostOpen = mostOpen;
        this.mostOpening = mostOpening;
    }

    /** The Secret is to be watched. */
    void want(ObjectRef secret) {
        if (stages.putIfAbsent(secret, Stage.WAITING) == null) {
            waiting.add(secret);
        }
    }

    /** Whether the Secret is to be watched. */
    boolean wants(ObjectRef secret) {
        return stages.containsKey(secret);
    }

    /** The Secret is not to be watched any more; its watch, if it has one, is to be closed. */
    void drop(ObjectRef secret) {
        Stage stage = stages.remove(secret);
        waiting.remove(secret);
        if (stage == Stage.OPENING) {
            opening--;
        }
        if (stage == Stage.OPENING || stage == Stage.WATCHED) {
            open--;
        }
    }

    /** A first answer came for a Secret that is watched, whatever it says. */
    void answered(ObjectRef secret) {
        if (stages.replace(secret, Stage.OPENING, Stage.WATCHED)) {
            opening--;
        }
    }

    /** The next Secret whose watch is to be opened now. */
    Optional<ObjectRef> next() {
        if (waiting.isEmpty() || open >= mostOpen || opening >= mostOpening) {
            return Optional.empty();
        }
        ObjectRef secret = waiting.iterator().next();
        waiting.remove(secret);
        stages.put(secret, Stage.OPENING);
        opening++;
        open++;
        return Optional.of(secret);
    }

    /** Secrets for which there is no watch left, to be read now; the next ones the next time. */
    List<ObjectRef> toRead(int most) {
        if (open < mostOpen) {
            return List.of();
        }
        List<ObjectRef> turn = new ArrayList<>();
        for (ObjectRef secret : waiting) {
            if (turn.size() == most) {
                break;
            }
            turn.add(secret);
        }
        turn.forEach(waiting::remove);
        waiting.addAll(turn);
        return turn;
    }

    /** How many watches are open, or being opened. */
    int open() {
        return open;
    }

    /** How many Secrets are read in turn. */
    int unwatched() {
        return open < mostOpen ? 0 : waiting.size();
    }
}

package dev.sallyport.control.cluster;

import dev.sallyport.control.cluster.Contacts.Trouble;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What is known of one watch at one moment.
 *
 * @param kind for instance {@code Secret}
 * @param what for people, for instance {@code secrets in namespace shop}
 * @param needed whether there is nothing to serve without it
 * @param listed whether it was listed once
 * @param silence how long ago anything was heard of it, in nanoseconds
 * @param refusal how long the API server has refused it, in nanoseconds, at least 1; 0 where it
 *     does not
 * @param trouble what the last request came to, if it failed
 */
record WatchState(
        String kind,
        String what,
        boolean needed,
        boolean listed,
        long silence,
        long refusal,
        Optional<Trouble> trouble) {
    private static final int NAMED = 3;

    /** How long a namespace that refuses the gateway keeps the others waiting at the start. */
    static final long REFUSAL_COUNTS = 10_000_000_000L;

    /** How long a start waits for what it can do without. */
    static final long OPTIONAL_WAITS = 10_000_000_000L;

    /** A watch that comes back within this time was never away. */
    static final long SILENCE_COUNTS = 15_000_000_000L;

    /** Whether all is well, and if not, how it is not. */
    enum Condition {
        FINE,
        REFUSED,
        SILENT
    }

    boolean is(Condition condition) {
        return condition() == condition;
    }

    /** How it is. */
    Condition condition() {
        if (refusal > 0) {
            return Condition.REFUSED;
        }
        return silence > SILENCE_COUNTS ? Condition.SILENT : Condition.FINE;
    }

    /**
     * What a start still waits for, for people; empty where it waits for nothing. All lists that
     * are needed have to be there, for half of the objects are not half as good: a rolling update
     * would end the pods that serve. What the gateway may not read is waited for as well, but for
     * one namespace among several: after a while the others are served without it.
     */
    static Optional<String> awaited(Collection<WatchState> watches) {
        List<String> awaited =
                watches.stream()
                        .filter(watch -> watch.isAwaited(watches))
                        .map(WatchState::described)
                        .toList();
        if (awaited.isEmpty()) {
            return Optional.empty();
        }
        String named = String.join("; ", awaited.subList(0, Math.min(NAMED, awaited.size())));
        int more = awaited.size() - NAMED;
        return Optional.of(named + (more > 0 ? "; and " + more + " more" : ""));
    }

    /** What a start waits for although the API server refuses it, for the longest time. */
    static Optional<WatchState> refused(Collection<WatchState> watches) {
        return watches.stream()
                .filter(watch -> watch.needed && watch.refusal > 0 && watch.isAwaited(watches))
                // A 401 is a token that is about to be replaced, after an outage for instance.
                .filter(watch -> watch.trouble.filter(Trouble::forbidden).isPresent())
                .max(Comparator.comparingLong(WatchState::refusal));
    }

    private boolean isAwaited(Collection<WatchState> watches) {
        if (listed) {
            return false;
        }
        if (!needed) {
            return refusal == 0 && silence < OPTIONAL_WAITS;
        }
        boolean elsewhere =
                watches.stream().anyMatch(other -> other.kind.equals(kind) && other.listed);
        return !elsewhere || refusal < REFUSAL_COUNTS;
    }

    /** For people. */
    String described() {
        return "the list of " + what + trouble.map(why -> " (" + why + ")").orElse("");
    }
}

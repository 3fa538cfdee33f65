package dev.sallyport.model.route;

import dev.sallyport.model.name.ShardedMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The live challenges and what answers each. Immutable.
 *
 * <p>They are no rules of their hosts: a host of which only a challenge is known stays unknown to
 * everything else, so that a wildcard's routes, redirect and default backend go on counting for it.
 */
public final class ChallengeTable {
    /** Without challenges. */
    public static final ChallengeTable EMPTY = new ChallengeTable(ShardedMap.empty());

    private final ShardedMap<Challenge, Route> routes;

    private ChallengeTable(ShardedMap<Challenge, Route> routes) {
        this.routes = routes;
    }

    /** What answers a challenge for exactly this host, or null. Safe from any thread. */
    public @Nullable Route find(String host, String token) {
        return routes.isEmpty() ? null : routes.get(new Challenge(host, token));
    }

    /**
     * This table with some challenges set or removed; what no change touches is shared.
     *
     * @param changes the new values; a null value removes the challenge
     */
    public ChallengeTable with(Map<Challenge, ? extends @Nullable Route> changes) {
        return changes.isEmpty() ? this : new ChallengeTable(routes.with(changes));
    }

    /** The number of challenges. */
    public int size() {
        return routes.size();
    }

    /** Calls {@code action} for each challenge, in no particular order. */
    public void forEach(BiConsumer<Challenge, Route> action) {
        routes.forEach(action);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ChallengeTable that && routes.equals(that.routes);
    }

    @Override
    public int hashCode() {
        return routes.hashCode();
    }

    @Override
    public String toString() {
        return "ChallengeTable" + routes;
    }
}

package dev.sallyport.proxy.upstream;

import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.proxy.http.ProxyError;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Chooses endpoints of one upstream for one event loop, and keeps the line of those who wait for a
 * connection. Confined to the loop.
 *
 * <p>Few endpoints: the one with the least calls of this loop, from a starting point that moves on,
 * so that equals take turns. Many: the better of two at random, which is nearly as even and costs
 * the same for ten or ten thousand. What belongs to an endpoint is in its pool and outlives changes
 * of the upstream.
 */
final class Balancer {
    private static final int SCANNED = 8;
    private static final int EJECTED = 1 << 28;
    private static final int AVOIDED = 1 << 29;
    private static final int UNAVAILABLE = Integer.MAX_VALUE;

    private final LoopPools loop;
    private final Queue<Attempt> line = new ArrayDeque<>();
    private Upstream upstream;
    private EndpointPool[] pools = {};
    private int next;
    private int random;
    private boolean used; // since the last sweep

    Balancer(LoopPools loop, Upstream upstream, int seed) {
        this.loop = loop;
        this.upstream = upstream;
        this.random = seed == 0 ? 1 : seed;
        this.next = seed & 0xffff; // not every loop starts at the same endpoint
        adopt(upstream);
    }

    Upstream upstream() {
        return upstream;
    }

    /** Takes over the endpoints of a newer (or, for a late retry, older) snapshot. */
    @SuppressWarnings("ReferenceEquality") // unchanged parts keep identity; asked at each request
    void update(Upstream changed) {
        if (changed != upstream) {
            adopt(changed);
            serveNewcomers();
        }
    }

    /** The upstream is gone. */
    void retire() {
        while (!line.isEmpty()) {
            leaveLine().fail(ProxyError.NO_ENDPOINT, null);
        }
        for (EndpointPool pool : pools) {
            pool.removeUser(this);
        }
        pools = new EndpointPool[0];
    }

    /** Whether nothing happened since the last call and nothing is held. */
    boolean unusedSinceLastSweep() {
        boolean idle = !used && line.isEmpty();
        used = false;
        for (EndpointPool pool : pools) {
            idle &= pool.active() == 0 && pool.idle() == 0;
        }
        return idle;
    }

    /** Begins {@code attempt}, or has it stand in line. */
    void begin(Attempt attempt) {
        used = true;
        EndpointPool pool = line.isEmpty() ? choose(attempt.avoid()) : null;
        if (pool != null && start(attempt, pool)) {
            return;
        }
        if (line.size() >= loop.limits().upstreamPending()) {
            attempt.fail(ProxyError.OVERLOADED, null);
            return;
        }
        line.add(attempt);
        attempt.waits(this);
        loop.metrics().upstreamPending(1);
        for (EndpointPool each : pools) {
            each.queue();
            loop.registry().shed(each);
        }
    }

    /** {@code attempt} was cancelled or waited for too long. */
    void leave(Attempt attempt) {
        if (line.remove(attempt)) {
            loop.metrics().upstreamPending(-1);
            leaveQueuesIfNobodyWaits();
        }
    }

    boolean anybodyWaits() {
        return !line.isEmpty();
    }

    /** The first in line gets a new connection to {@code pool}, whose permit was taken. */
    void connectFirst(EndpointPool pool) {
        loop.connect(pool, leaveLine());
    }

    /** The first in line gets {@code connection}; a retry gets its permit. */
    void serveFirst(EndpointPool pool, UpstreamConnection connection) {
        Attempt first = leaveLine();
        if (first.fresh()) {
            connection.surrenderPermit();
            loop.connect(pool, first);
        } else {
            connection.handOver(first);
        }
    }

    private Attempt leaveLine() {
        loop.metrics().upstreamPending(-1);
        Attempt first = line.remove();
        first.served();
        leaveQueuesIfNobodyWaits();
        return first;
    }

    /** A pool that is queued for nobody would keep the other loops from pooling. */
    private void leaveQueuesIfNobodyWaits() {
        if (line.isEmpty()) {
            for (EndpointPool pool : pools) {
                pool.leaveQueue();
            }
        }
    }

    private boolean start(Attempt attempt, EndpointPool pool) {
        if (!attempt.fresh()) {
            UpstreamConnection connection = pool.takeIdle();
            if (connection != null) {
                connection.handOver(attempt);
                return true;
            }
        }
        if (!pool.tryAcquire(false)) {
            return false; // another loop was faster
        }
        loop.connect(pool, attempt);
        return true;
    }

    private @Nullable EndpointPool choose(@Nullable Endpoint avoid) {
        int count = pools.length;
        if (count == 1) {
            return pools[0].available() ? pools[0] : null;
        }
        if (count > SCANNED) {
            EndpointPool one = pools[random(count)];
            EndpointPool other = pools[random(count)];
            int rankOfOne = rank(one, avoid);
            int rankOfOther = rank(other, avoid);
            if (Math.min(rankOfOne, rankOfOther) < EJECTED) {
                return rankOfOne <= rankOfOther ? one : other;
            }
        }
        return scan(avoid);
    }

    private @Nullable EndpointPool scan(@Nullable Endpoint avoid) {
        int count = pools.length;
        int start = count == 0 ? 0 : Math.floorMod(next++, count);
        EndpointPool best = null;
        int bestRank = UNAVAILABLE;
        for (int i = 0; i < count; i++) {
            int at = start + i;
            EndpointPool pool = pools[at < count ? at : at - count];
            int rank = rank(pool, avoid);
            if (rank < bestRank) {
                best = pool;
                bestRank = rank;
            }
        }
        return best;
    }

    /** An endpoint that just failed comes last, but is better than none. */
    private static int rank(EndpointPool pool, @Nullable Endpoint avoid) {
        if (!pool.available()) {
            return UNAVAILABLE;
        }
        int rank = pool.active();
        if (pool.permits().ejected()) {
            rank += EJECTED;
        }
        if (avoid != null && pool.endpoint().equals(avoid)) {
            rank += AVOIDED;
        }
        return rank;
    }

    private int random(int bound) {
        random ^= random << 13;
        random ^= random >>> 17;
        random ^= random << 5;
        return (int) (((random & 0xffffffffL) * bound) >>> 32);
    }

    private void adopt(Upstream changed) {
        upstream = changed;
        List<EndpointPool> kept = new ArrayList<>(changed.endpoints().size());
        Set<EndpointPool> known = new HashSet<>(List.of(pools));
        for (Endpoint endpoint : changed.endpoints()) {
            EndpointPool pool = loop.pool(endpoint);
            if (!known.remove(pool)) {
                pool.addUser(this);
            }
            kept.add(pool);
        }
        pools = kept.toArray(EndpointPool[]::new);
        known.forEach(gone -> gone.removeUser(this));
    }

    private void serveNewcomers() {
        if (pools.length == 0) {
            while (!line.isEmpty()) {
                leaveLine().fail(ProxyError.NO_ENDPOINT, null);
            }
        }
        if (!line.isEmpty()) {
            for (EndpointPool pool : pools) {
                pool.queue();
                loop.registry().shed(pool);
            }
        }
    }
}

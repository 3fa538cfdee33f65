package dev.sallyport.proxy.upstream;

import io.netty.util.concurrent.Ticker;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What all event loops share about one endpoint: how many connections it may still get, who waits
 * for one, and whether it was just found dead.
 *
 * <p>Concurrency: any loop. A pool that finds no permit queues itself in {@link #waiting} and tries
 * again; a release frees the permit first and then wakes the first in the queue. So either the
 * waiter sees the free permit or the release sees the waiter. Newcomers stand back while anybody
 * waits.
 */
final class EndpointPermits {
    private static final long FIRST_EJECTION = TimeUnit.SECONDS.toNanos(1);
    private static final int MAX_DOUBLINGS = 3; // up to 8 s

    private final int max;
    private final Ticker ticker;
    private final AtomicInteger used = new AtomicInteger();
    private final Queue<EndpointPool> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger failures = new AtomicInteger();
    private volatile long ejectedUntil; // 0: in good standing

    EndpointPermits(int max, Ticker ticker) {
        this.max = max;
        this.ticker = ticker;
    }

    /** Whether {@link #tryAcquire} may succeed. */
    boolean available() {
        return used.get() < max && waiting.isEmpty();
    }

    /**
     * Takes a permit.
     *
     * @param woken whether this is the turn of the one who waited
     */
    boolean tryAcquire(boolean woken) {
        if (!woken && !waiting.isEmpty()) {
            return false;
        }
        int now = used.get();
        while (now < max) {
            if (used.compareAndSet(now, now + 1)) {
                return true;
            }
            now = used.get();
        }
        return false;
    }

    /** Gives a permit back. */
    void release() {
        used.decrementAndGet();
        wakeNext();
    }

    /** Queues {@code pool}; it is woken on its own loop when a permit may be free. */
    void enqueue(EndpointPool pool) {
        waiting.add(pool);
        passOn();
    }

    /** Takes {@code pool} out of the queue; false where its turn came already. */
    boolean dequeue(EndpointPool pool) {
        return waiting.remove(pool);
    }

    /** Whether any loop waits for a permit. */
    boolean contended() {
        return !waiting.isEmpty();
    }

    /** Wakes the first that waits, if there is a permit for it. */
    void passOn() {
        if (used.get() < max) {
            wakeNext();
        }
    }

    private void wakeNext() {
        EndpointPool next = waiting.poll();
        if (next != null) {
            next.wake();
        }
    }

    /** The endpoint refused a connection, or none could be made. */
    void failed() {
        int doublings = Math.min(failures.getAndIncrement(), MAX_DOUBLINGS);
        long until = ticker.nanoTime() + (FIRST_EJECTION << doublings);
        ejectedUntil = until == 0 ? 1 : until;
    }

    /** A connection was made. */
    void connected() {
        if (ejectedUntil != 0 || failures.get() != 0) {
            failures.set(0);
            ejectedUntil = 0;
        }
    }

    /** Whether it is better avoided for now. */
    boolean ejected() {
        long until = ejectedUntil;
        return until != 0 && ticker.nanoTime() - until < 0;
    }

    /** Permits in use: connections that are open or being made. */
    int used() {
        return used.get();
    }
}

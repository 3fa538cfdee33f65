package dev.sallyport.proxy.http2;

import java.util.concurrent.TimeUnit;

/** How often something may happen in half a minute. Confined to an event loop. */
final class Budget {
    private static final long WINDOW = TimeUnit.SECONDS.toNanos(30);

    private final int limit;
    private long windowStart;
    private int spent;

    Budget(int limit, long now) {
        this.limit = limit;
        this.windowStart = now;
    }

    /**
     * Whether {@code cost} more is within the limit.
     *
     * @param now in nanoseconds, with a meaning only beside others
     */
    boolean spend(int cost, long now) {
        if (now - windowStart >= WINDOW) {
            windowStart = now;
            spent = 0;
        }
        spent += cost;
        return spent <= limit;
    }
}

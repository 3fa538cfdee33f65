package dev.sallyport.control.cluster;

/**
 * How fast requests may follow each other: a burst at once, then one each interval. Tells each
 * request how long to wait, so that they keep their order and none is refused. Time is passed in,
 * in nanoseconds of a clock that only goes forward. Not thread-safe.
 */
final class RequestRate {
    private final long interval;
    private final long tolerance;
    private boolean used;
    private long next; // when the next one would be due without a burst

    /**
     * @param burst at least 1
     * @param perSecond at least 1
     */
    RequestRate(int burst, int perSecond) {
        this.interval = 1_000_000_000L / perSecond;
        this.tolerance = (burst - 1) * interval;
    }

    /** Takes the next turn; returns how many nanoseconds are left until it comes. */
    long take(long now) {
        long due = used && next - now > 0 ? next : now;
        long wait = Math.max(0, due - tolerance - now);
        used = true;
        next = due + interval;
        return wait;
    }

    /** Nobody's turn comes before {@code nanos} have gone by. */
    void pause(long now, long nanos) {
        long earliest = now + nanos + tolerance;
        if (!used || earliest - next > 0) {
            used = true;
            next = earliest;
        }
    }
}

package dev.sallyport.control.reconcile;

import java.time.Duration;

/**
 * Says how long a round must wait: a bucket of {@link HoldOff#burst} rounds, into which one falls
 * every interval. Time is passed in, in nanoseconds of a clock that only goes forward. Confined to
 * one thread.
 */
final class Pacer {
    private final HoldOff holdOff;
    private double rounds;
    private long updated;
    private long notBefore;

    /** A full bucket. */
    Pacer(HoldOff holdOff, long now) {
        this.holdOff = holdOff;
        this.rounds = holdOff.burst();
        this.updated = now;
        this.notBefore = now;
    }

    /** How long until a round may run; zero or negative means now. */
    long delay(long now) {
        refill(now);
        long forToken =
                rounds >= 1 ? 0 : (long) Math.ceil((1 - rounds) * holdOff.interval().toNanos());
        return Math.min(Math.max(forToken, notBefore - now), holdOff.cap().toNanos());
    }

    /**
     * A round ran. One that put nothing in service costs its time alone, so that what others do in
     * a large cluster does not make the next change of ours wait.
     */
    void ran(long now, Duration took, boolean published) {
        refill(now);
        double share = 2.0 * took.toNanos() / Math.max(1, holdOff.interval().toNanos());
        rounds = Math.max(0, rounds - (published ? 1 : Math.min(1, share)));
        if (took.compareTo(holdOff.interval()) > 0) {
            notBefore = now + took.toNanos();
        }
    }

    private void refill(long now) {
        double interval = Math.max(1, holdOff.interval().toNanos());
        rounds = Math.min(holdOff.burst(), rounds + (now - updated) / interval);
        updated = now;
    }
}

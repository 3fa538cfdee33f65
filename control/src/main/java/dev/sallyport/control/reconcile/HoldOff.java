package dev.sallyport.control.reconcile;

import java.time.Duration;

/**
 * How bursts of changes are put together. A round that follows quiet time runs at once; {@code
 * burst} rounds may follow each other without a pause, and every {@code interval} allows one more.
 * Where a round takes longer than the interval, the pause is as long as the round, so that
 * translation never takes more than half of a core, but no longer than {@code cap}. A round that
 * puts nothing in service counts by the time it takes.
 *
 * @param interval between two rounds of a long burst
 * @param burst rounds without a pause, at least 1
 * @param cap the longest that a change waits
 */
public record HoldOff(Duration interval, int burst, Duration cap) {

    /** 10 ms, 10 rounds, at most 1 s. */
    public static final HoldOff DEFAULT =
            new HoldOff(Duration.ofMillis(10), 10, Duration.ofSeconds(1));

    public HoldOff {
        if (burst < 1) {
            throw new IllegalArgumentException("burst: " + burst + " (expected: at least 1)");
        }
    }
}

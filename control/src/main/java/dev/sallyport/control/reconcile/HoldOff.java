package dev.sallyport.control.reconcile;

import java.time.Duration;

/**
 * How bursts of changes are put together: the first change after a quiet time is applied at once,
 * further ones wait until {@code quiet} has passed without a new one, but never longer than {@code
 * cap}.
 *
 * @param quiet between two rounds of a burst
 * @param cap the longest that a change waits
 */
public record HoldOff(Duration quiet, Duration cap) {

    /** 100 ms, at most 1 s. */
    public static final HoldOff DEFAULT =
            new HoldOff(Duration.ofMillis(100), Duration.ofSeconds(1));
}

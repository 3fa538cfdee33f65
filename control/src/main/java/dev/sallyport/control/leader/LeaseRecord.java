package dev.sallyport.control.leader;

import java.time.Duration;
import java.time.Instant;

/**
 * What a Lease says. Its times are those of its holder's clock: they tell one version from the
 * next, and are never compared with ours.
 *
 * @param holder who leads; empty for nobody
 * @param duration for how long, from when others see it
 * @param acquired when the holder began to lead
 * @param renewed when the holder last said so
 * @param transitions how often the holder changed
 */
record LeaseRecord(
        String holder, Duration duration, Instant acquired, Instant renewed, int transitions) {

    boolean isHeldBy(String identity) {
        return holder.equals(identity);
    }

    boolean isFree() {
        return holder.isEmpty();
    }
}

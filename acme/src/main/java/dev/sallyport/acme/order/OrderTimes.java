package dev.sallyport.acme.order;

import java.time.Duration;

/**
 * How long an order may take.
 *
 * @param total from its begin to its end, whatever the CA does
 * @param presenting until everybody answers one challenge
 * @param soonest between two questions to the CA whether it is done, where it does not say
 */
public record OrderTimes(Duration total, Duration presenting, Duration soonest) {
    /** Ten minutes; CAs take some seconds. */
    public static final OrderTimes STANDARD =
            new OrderTimes(Duration.ofMinutes(10), Duration.ofMinutes(1), Duration.ofMillis(500));
}

package dev.sallyport.control.leader;

import java.time.Duration;

/**
 * How long leadership holds. Nobody else leads within {@code lease} of a renewal, and the leader
 * believes in itself for {@code belief} only: the difference is for requests that are under way
 * when belief ends, and for clocks that do not go at the same rate.
 *
 * @param lease how long others wait, from when they saw a renewal
 * @param belief how long the leader acts, from when it sent the renewal
 * @param retry between two renewals, and at the longest between two looks of those that wait
 * @param call the longest that one request to the API server takes
 */
public record LeaseTimes(Duration lease, Duration belief, Duration retry, Duration call) {

    /** 15 s, 10 s, 2 s, 2 s. */
    public static final LeaseTimes DEFAULT =
            new LeaseTimes(
                    Duration.ofSeconds(15),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(2));

    public LeaseTimes {
        if (lease.compareTo(belief.plus(call)) <= 0) {
            throw new IllegalArgumentException(
                    "lease: " + lease + " (expected: more than belief and call together)");
        }
        if (belief.compareTo(retry.plus(call).multipliedBy(2)) < 0) {
            throw new IllegalArgumentException(
                    "belief: " + belief + " (expected: at least two retries with their calls)");
        }
    }
}

package dev.sallyport.control.status;

import java.time.Duration;

/**
 * How hard statuses are written. Ten thousand Ingresses are done in less than two minutes.
 *
 * @param atOnce requests under way
 * @param perSecond requests a second, after {@code perSecond} at once
 * @param call the longest that one takes
 * @param look how often addresses are looked up that nothing tells of
 * @param handOver how long an Ingress must have been somebody else's, or the gateway without
 *     addresses, before these are taken away: names go with them, and a class that is made anew is
 *     back in a moment
 * @param firstPause after a failure; doubled up to {@code longestPause}
 * @param longestPause between two tries
 */
record StatusPace(
        int atOnce,
        int perSecond,
        Duration call,
        Duration look,
        Duration handOver,
        Duration firstPause,
        Duration longestPause) {

    /** 8 at once, 100 a second, 2 s, each minute, after 2 s, pauses of 1 s to 1 min. */
    static final StatusPace DEFAULT =
            new StatusPace(
                    8,
                    100,
                    Duration.ofSeconds(2),
                    Duration.ofMinutes(1),
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(1),
                    Duration.ofMinutes(1));
}

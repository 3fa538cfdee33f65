package dev.sallyport.control.event;

import java.time.Duration;

/**
 * How much is told.
 *
 * @param settle how long something must have been so before it is told; what comes and goes within
 *     is told as one
 * @param perObject Events about one object at once
 * @param objectPause until one more about the same
 * @param waiting the most that wait to be told about one object
 * @param topics the most that are followed
 * @param atOnce Events about all objects at once
 * @param perSecond Events a second thereafter
 * @param call the longest that one request takes
 * @param firstPause after a failure; doubled up to {@code longestPause}
 * @param longestPause between two tries
 */
record EventPace(
        Duration settle,
        int perObject,
        Duration objectPause,
        int waiting,
        int topics,
        int atOnce,
        int perSecond,
        Duration call,
        Duration firstPause,
        Duration longestPause) {

    /**
     * A second; ten of an object, then one a minute, twenty waiting; of 20,000 topics; a hundred at
     * once, then twenty a second; 2 s a request, pauses of 1 s to 1 min.
     */
    static final EventPace DEFAULT =
            new EventPace(
                    Duration.ofSeconds(1),
                    10,
                    Duration.ofMinutes(1),
                    20,
                    20_000,
                    100,
                    20,
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(1),
                    Duration.ofMinutes(1));
}

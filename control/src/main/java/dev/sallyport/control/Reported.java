package dev.sallyport.control;

import dev.sallyport.control.event.EventPublisher;
import dev.sallyport.control.status.StatusPublisher;

/**
 * What was told to the API server by this replica.
 *
 * @param leads whether it is the one that tells
 * @param statuses of Ingresses
 * @param events about objects
 */
public record Reported(
        boolean leads, StatusPublisher.Counts statuses, EventPublisher.Counts events) {
    /** Nothing. */
    public static final Reported NOTHING =
            new Reported(false, StatusPublisher.Counts.NONE, EventPublisher.Counts.NONE);
}

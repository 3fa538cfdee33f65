package dev.sallyport.control;

import dev.sallyport.control.event.EventPublisher;
import dev.sallyport.control.status.StatusPublisher;

/**
 * What was told to the API server by this replica.
 *
 * @param wanted whether there is a cluster that is to be told anything
 * @param leads whether it is the one that tells
 * @param statuses of Ingresses
 * @param events about objects
 */
public record Reported(
        boolean wanted,
        boolean leads,
        StatusPublisher.Counts statuses,
        EventPublisher.Counts events) {
    /** Nothing, to nobody. */
    public static final Reported NOTHING =
            new Reported(false, false, StatusPublisher.Counts.NONE, EventPublisher.Counts.NONE);
}

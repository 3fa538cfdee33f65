package dev.sallyport.control;

import dev.sallyport.control.event.EventPublisher;
import dev.sallyport.control.status.StatusPublisher;
import dev.sallyport.model.name.ObjectRef;
import java.util.Optional;

/**
 * What was told to the API server by this replica.
 *
 * @param wanted whether there is a cluster that is to be told anything
 * @param leads whether it is the one that tells
 * @param leader the Pod that is, as far as is known here
 * @param statuses of Ingresses
 * @param events about objects
 */
public record Reported(
        boolean wanted,
        boolean leads,
        Optional<ObjectRef> leader,
        StatusPublisher.Counts statuses,
        EventPublisher.Counts events) {
    /** Nothing, to nobody. */
    public static final Reported NOTHING =
            new Reported(
                    false,
                    false,
                    Optional.empty(),
                    StatusPublisher.Counts.NONE,
                    EventPublisher.Counts.NONE);
}

package dev.sallyport.model.snapshot;

import java.util.Optional;

/** The traffic side of the gateway, as its control side sees it. */
public interface DataPlane {

    /**
     * Puts a snapshot in service. Called by the reconciler's thread only, one snapshot after the
     * other; returns when new connections and requests see it and every listener is bound or
     * reported. Never throws for what a user wrote: the rest of the snapshot is in service, and the
     * result says what is not.
     */
    Applied apply(GatewaySnapshot snapshot);

    /**
     * Goes on for a moment (some 20 ms) with what {@link #apply} put off so that the snapshot was
     * in service sooner. To be called by the same thread, when it has nothing else to do, and at
     * times when it always has.
     *
     * @return what {@link #apply} would say now, where there was something to do; empty once
     *     nothing is left
     */
    default Optional<Applied> proceed() {
        return Optional.empty();
    }
}

package dev.sallyport.model.snapshot;

/** The traffic side of the gateway, as its control side sees it. */
public interface DataPlane {

    /**
     * Puts a snapshot in service. Called by the reconciler's thread only, one snapshot after the
     * other; returns when new connections and requests see it and every listener is bound or
     * reported. Never throws for what a user wrote: the rest of the snapshot is in service, and the
     * result says what is not.
     */
    Applied apply(GatewaySnapshot snapshot);
}

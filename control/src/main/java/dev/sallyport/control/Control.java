package dev.sallyport.control;

import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.stored.StoreReport;
import dev.sallyport.model.snapshot.Applied;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What keeps a data plane at what the objects of a source say. All methods: from any thread. */
public sealed interface Control extends AutoCloseable permits FolderControl, ClusterControl {

    /** Completes when the data plane has applied the first snapshot. */
    CompletableFuture<Applied> firstApplied();

    /** What is known now. */
    ControlState state();

    /**
     * How long ago it was known for the last time that nothing of the source goes unseen; empty
     * until it was read.
     */
    Optional<Duration> sinceLastLook();

    /** What the first snapshot waits for, for people; empty once it waits for nothing. */
    Optional<String> waitingFor();

    /**
     * What the API server has refused for some time while nothing but the stored state is served,
     * for people: whoever is to take over from another should not.
     */
    default Optional<String> refused() {
        return Optional.empty();
    }

    /** How many objects stay in service though the source, in doubt, does not have them. */
    int heldBack();

    /** What was told to the source of the objects. */
    Reported reported();

    /**
     * Tells the source nothing more: other replicas go on, or the next one. Takes two seconds at
     * most.
     */
    void fallSilent();

    /** How it stands with the last known good state on disk; a folder needs none. */
    default StoreReport stored() {
        return StoreReport.NONE;
    }

    /** Who keeps certificates of the gateway's own, where that is configured. */
    default Optional<CertificateKeeper> acme() {
        return Optional.empty();
    }

    /** Stops all threads and waits until they have ended; what is in service stays in service. */
    @Override
    void close();
}

package dev.sallyport.app.admin;

import dev.sallyport.control.Reported;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.stored.StoreReport;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.proxy.metric.Reading;
import java.time.Duration;
import java.util.Optional;

/**
 * What the admin port shows. Each method is called on the admin port's threads and must not block.
 */
public interface AdminState {

    /** Whether traffic should be sent here, and if not, why. */
    Readiness readiness();

    /** What the data plane serves: not what is wanted, but what is. */
    GatewaySnapshot served();

    /** What the control side knows. */
    ControlState control();

    /**
     * How long ago it was last known that nothing of the source goes unseen; empty before the first
     * time.
     */
    Optional<Duration> sinceLastLook();

    /** How many objects stay in service though the source, in doubt, does not have them. */
    int heldBack();

    /** What was told to the cluster. */
    Reported reported();

    /** How it stands with the last known good state on disk. */
    StoreReport stored();

    /** The data plane's counters. */
    Reading traffic();

    /** What there is to ask of the gateway's own certificates, where that is configured. */
    default Optional<AcmeDesk> acme() {
        return Optional.empty();
    }
}

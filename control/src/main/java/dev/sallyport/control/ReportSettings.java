package dev.sallyport.control;

import dev.sallyport.control.resource.LoadBalancerAddress;
import dev.sallyport.model.name.ObjectRef;
import java.util.List;
import java.util.Optional;

/**
 * What is told to the API server.
 *
 * @param status whether the status of Ingresses is written
 * @param events whether Events are
 * @param addresses where clients reach the gateway, if that is given
 * @param service the Service whose addresses these are, if it is given
 * @param pod the Pod that this process runs in, if it does
 * @param leaseName of the Lease by which replicas choose the one that writes
 * @param leaseNamespace the Lease's; the gateway's own where it is empty
 */
public record ReportSettings(
        boolean status,
        boolean events,
        List<LoadBalancerAddress> addresses,
        Optional<ObjectRef> service,
        Optional<String> pod,
        String leaseName,
        Optional<String> leaseNamespace) {

    /** Nothing. */
    public static final ReportSettings NOTHING =
            new ReportSettings(
                    false,
                    false,
                    List.of(),
                    Optional.empty(),
                    Optional.empty(),
                    "sallyport-leader",
                    Optional.empty());

    public ReportSettings {
        addresses = List.copyOf(addresses);
    }
}

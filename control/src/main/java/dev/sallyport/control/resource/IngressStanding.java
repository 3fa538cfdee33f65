package dev.sallyport.control.resource;

import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressLoadBalancerIngress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * An Ingress as whoever writes its status sees it.
 *
 * @param ref the Ingress
 * @param version which one, in which version
 * @param accepted whether its class is ours
 * @param addresses what its status says
 * @param writers the field managers that applied the status' addresses, and still own them
 */
public record IngressStanding(
        ObjectRef ref,
        ObjectVersion version,
        boolean accepted,
        List<LoadBalancerAddress> addresses,
        Set<String> writers) {
    private static final String STATUS = "status";

    public IngressStanding {
        addresses = List.copyOf(addresses);
        writers = Set.copyOf(writers);
    }

    /** The standing of one that is ours, or not. */
    public static IngressStanding of(Resource.OfIngress resource, boolean accepted) {
        return new IngressStanding(
                resource.ref(),
                resource.version(),
                accepted,
                addresses(resource.ingress()),
                writers(resource.ingress()));
    }

    private static List<LoadBalancerAddress> addresses(Ingress ingress) {
        if (ingress.getStatus() == null
                || ingress.getStatus().getLoadBalancer() == null
                || ingress.getStatus().getLoadBalancer().getIngress() == null) {
            return List.of();
        }
        List<LoadBalancerAddress> addresses = new ArrayList<>();
        for (IngressLoadBalancerIngress entry :
                ingress.getStatus().getLoadBalancer().getIngress()) {
            addressOf(entry.getIp(), entry.getHostname()).ifPresent(addresses::add);
        }
        return addresses;
    }

    /** The address of an entry that has one or the other; the address where it has both. */
    public static Optional<LoadBalancerAddress> addressOf(
            @Nullable String ip, @Nullable String hostname) {
        if (ip != null && !ip.isEmpty()) {
            return Optional.of(new LoadBalancerAddress.Ip(ip));
        }
        return hostname == null || hostname.isEmpty()
                ? Optional.empty()
                : Optional.of(new LoadBalancerAddress.Name(hostname));
    }

    private static Set<String> writers(Ingress ingress) {
        List<ManagedFieldsEntry> entries = ingress.getMetadata().getManagedFields();
        Set<String> writers = new TreeSet<>();
        for (ManagedFieldsEntry entry : entries == null ? List.<ManagedFieldsEntry>of() : entries) {
            if ("Apply".equals(entry.getOperation())
                    && STATUS.equals(entry.getSubresource())
                    && entry.getFieldsV1() != null
                    && owned(entry.getFieldsV1().getAdditionalProperties())) {
                writers.add(entry.getManager());
            }
        }
        return writers;
    }

    private static boolean owned(Map<String, Object> fields) {
        return fields.get("f:" + STATUS) instanceof Map<?, ?> status
                && status.get("f:loadBalancer") instanceof Map<?, ?> loadBalancer
                && loadBalancer.containsKey("f:ingress");
    }
}

package dev.sallyport.control.status;

import dev.sallyport.control.resource.IngressStanding;
import dev.sallyport.control.resource.LoadBalancerAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/**
 * What the status of Ingresses is to say. Pure.
 *
 * <p>An Ingress that is ours says the addresses, with whatever findings. One that is not says
 * nothing of ours: what this gateway wrote is taken away, known by its field manager, and nothing
 * else is. So hand-over works both ways, and two gateways with the same addresses never disagree.
 *
 * @param addresses where clients reach the gateway: empty where that is not known, no address where
 *     they do not reach it yet
 * @param manager the field manager under which this gateway, and none beside it, writes
 */
record StatusPlan(Optional<List<LoadBalancerAddress>> addresses, String manager) {
    StatusPlan {
        addresses = addresses.map(List::copyOf);
    }

    /**
     * What to write.
     *
     * @param onto the Ingress as it was seen
     * @param addresses empty to take away what this gateway wrote
     */
    record Change(IngressStanding onto, List<LoadBalancerAddress> addresses) {
        boolean takesAway() {
            return addresses.isEmpty();
        }
    }

    /** What is to be written; empty where all is as it should be. */
    Optional<Change> change(IngressStanding ingress) {
        if (ingress.accepted()) {
            List<LoadBalancerAddress> wanted = addresses.orElse(ingress.addresses());
            if (says(ingress, wanted)) {
                return Optional.empty();
            }
            if (!wanted.isEmpty()) {
                return Optional.of(new Change(ingress, wanted));
            }
        }
        return ingress.writers().contains(manager)
                ? Optional.of(new Change(ingress, List.of()))
                : Optional.empty();
    }

    /** In whatever order: what others wrote need not be written again. */
    private static boolean says(IngressStanding ingress, List<LoadBalancerAddress> wanted) {
        return ingress.addresses().size() == wanted.size()
                && new HashSet<>(ingress.addresses()).equals(new HashSet<>(wanted));
    }
}

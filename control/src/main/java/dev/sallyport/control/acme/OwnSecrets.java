package dev.sallyport.control.acme;

import dev.sallyport.control.translate.AcmeRules;
import io.fabric8.kubernetes.api.model.Secret;
import java.util.Map;

/**
 * Which Secrets of a namespace are a gateway's, where other gateways have theirs there, too: those
 * with our labels and its name.
 *
 * @param gateway its name, which no other in the namespace has: that of its Lease
 */
record OwnSecrets(String gateway) {
    /** What a Secret is. */
    static final String WHAT = AcmeRules.KEY;

    /** Whose it is. */
    static final String GATEWAY = "sallyport.dev/acme-gateway";

    static final String MANAGED_BY = "app.kubernetes.io/managed-by";
    static final String MANAGER = "sallyport";

    /** The Secret that owns all others: to delete it is to delete them. */
    String ownerName() {
        return gateway + "-acme";
    }

    Map<String, String> labels(String what) {
        return Map.of(WHAT, what, MANAGED_BY, MANAGER, GATEWAY, AcmeRules.called(gateway));
    }

    /** Whether it may be read, replaced and deleted. */
    boolean isOurs(Secret secret) {
        Map<String, String> labels = secret.getMetadata().getLabels();
        return labels != null
                && labels.containsKey(WHAT)
                && MANAGER.equals(labels.get(MANAGED_BY))
                && AcmeRules.called(gateway).equals(labels.get(GATEWAY));
    }

    /** Why a Secret that has the name of one of ours is left alone. */
    String refusal(String namespace, String name) {
        return "Secret "
                + namespace
                + "/"
                + name
                + ": it is somebody else's, for it does not have our labels "
                + labels(WHAT).keySet().stream().sorted().toList()
                + ": delete it, or give this gateway another name (kubernetes.lease-name)";
    }
}

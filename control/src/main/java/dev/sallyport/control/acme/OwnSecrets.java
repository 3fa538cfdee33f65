package dev.sallyport.control.acme;

import dev.sallyport.control.translate.AcmeRules;
import io.fabric8.kubernetes.api.model.Secret;
import java.util.Map;

/**
 * Which Secrets of a namespace are a gateway's, where other gateways have theirs there, too: those
 * with our labels and its name. Before there was a label for the name none had one; these are its
 * own where no owner says that they are another's.
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

    /** Whether a Secret is marked as this gateway's. */
    boolean isMarked(Secret secret) {
        return isManaged(secret)
                && AcmeRules.called(gateway).equals(secret.getMetadata().getLabels().get(GATEWAY));
    }

    /** Whether it may be read, replaced and deleted. */
    boolean isOurs(Secret secret) {
        return isMarked(secret) || isLeft(secret);
    }

    /** Whether it was stored without a gateway's name, and no other gateway is its owner. */
    boolean isLeft(Secret secret) {
        return isManaged(secret)
                && !secret.getMetadata().getLabels().containsKey(GATEWAY)
                && secret.getMetadata().getOwnerReferences().stream()
                        .allMatch(owner ->
                                !owner.getKind().equals("Secret")
                                        || owner.getName().equals(ownerName()));
    }

    /** What is to be called here what was stored without a gateway's name. */
    String nameOf(Secret left) {
        String name = left.getMetadata().getName();
        String before = AcmeRules.prefix(AcmeRules.GATEWAY);
        return name.startsWith(before)
                ? AcmeRules.prefix(gateway) + name.substring(before.length())
                : name;
    }

    private static boolean isManaged(Secret secret) {
        Map<String, String> labels = secret.getMetadata().getLabels();
        return labels != null && labels.containsKey(WHAT) && MANAGER.equals(labels.get(MANAGED_BY));
    }
}

package dev.sallyport.control.translate;

import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.route.Challenge;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.networking.v1.HTTPIngressPath;
import io.fabric8.kubernetes.api.model.networking.v1.IngressServiceBackend;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What cert-manager and those who use it write into objects, as far as a gateway has to know it.
 *
 * <p>Anybody who may create an Ingress may write the same, for any host, and so can have a
 * certificate issued for every host that leads here: whoever orders one knows its token. Where a
 * namespace has the host in a TLS section, another's answer to the same token yields to it; a token
 * of one's own is nobody else's. What does restrict that is said in {@code docs/ingress.md}.
 */
final class CertManagerObjects {
    /** Of Ingresses and Services that exist for one challenge. */
    private static final String SOLVER_LABEL = "acme.cert-manager.io/http01-solver";

    /** Of users' Ingresses that challenge paths are written into. */
    private static final String EDIT_IN_PLACE = "acme.cert-manager.io/http01-edit-in-place";

    /** An issuer may name the Ingress to edit, which then has no annotation. */
    private static final String SOLVER_SERVICE = "cm-acme-http-solver-";

    private static final Set<String> ISSUERS =
            Set.of("cert-manager.io/issuer", "cert-manager.io/cluster-issuer");
    private static final String AUTOMATIC = "kubernetes.io/tls-acme";

    /** What Go's {@code strconv.ParseBool} takes for true. */
    private static final Set<String> TRUE = Set.of("1", "t", "T", "true", "TRUE", "True");

    private CertManagerObjects() {}

    /**
     * The challenge that a path is for, if it is for one. ImplementationSpecific is what older
     * versions write instead of Exact. A wildcard can not be proven by HTTP-01.
     */
    static Optional<Challenge> challenge(
            @Nullable ObjectMeta ingress, HostScope scope, HTTPIngressPath path) {
        String text = path.getPath() == null ? "" : path.getPath();
        String token = Challenge.tokenOf(text);
        boolean whole =
                "Exact".equals(path.getPathType())
                        || "ImplementationSpecific".equals(path.getPathType());
        if (token == null || !whole || !(solves(ingress) || leadsToSolver(path))) {
            return Optional.empty();
        }
        return switch (scope) {
            case HostScope.Any _ -> Optional.of(new Challenge(Challenge.ANY_HOST, token));
            case HostScope.Named(Hostname.Exact(String host)) ->
                    Optional.of(new Challenge(host, token));
            case HostScope.Named(Hostname.Wildcard _) -> Optional.empty();
        };
    }

    /** Whether the Service is that of a challenge's solver. */
    static boolean isSolver(Service service) {
        return isSolver(service.getMetadata());
    }

    /** Whether the object says that it exists for one challenge. */
    static boolean isSolver(@Nullable ObjectMeta object) {
        return object != null && "true".equals(value(object.getLabels(), SOLVER_LABEL));
    }

    /** Whether ingress-shim is asked to have the Secrets of an Ingress issued. */
    static boolean issuesFor(@Nullable ObjectMeta ingress) {
        Map<String, String> annotations = ingress == null ? null : ingress.getAnnotations();
        return annotations != null
                && (ISSUERS.stream().anyMatch(annotations::containsKey)
                        || TRUE.contains(annotations.getOrDefault(AUTOMATIC, "")));
    }

    private static boolean solves(@Nullable ObjectMeta ingress) {
        return ingress != null
                && (isSolver(ingress)
                        || "true".equals(value(ingress.getAnnotations(), EDIT_IN_PLACE)));
    }

    private static boolean leadsToSolver(HTTPIngressPath path) {
        IngressServiceBackend service =
                path.getBackend() == null ? null : path.getBackend().getService();
        return service != null
                && service.getName() != null
                && service.getName().startsWith(SOLVER_SERVICE);
    }

    private static @Nullable String value(@Nullable Map<String, String> map, String key) {
        return map == null ? null : map.get(key);
    }
}

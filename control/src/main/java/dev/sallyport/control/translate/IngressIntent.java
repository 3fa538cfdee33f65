package dev.sallyport.control.translate;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.Challenge;
import dev.sallyport.model.route.PathMatch;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What one Ingress asks for, read without looking at any other object but its class.
 *
 * @param ref the Ingress
 * @param created when it was created; {@link Instant#MAX} where it does not say
 * @param rules its rules, in the order they were written
 * @param challenges the challenges that it answers; they are no rules
 * @param scopes the hosts of its rules; any host where there is no rule
 * @param fallback its default backend
 * @param tls its TLS sections, in the order they were written
 * @param acme what its annotation {@link AcmeRules#KEY} says; empty where it has none
 * @param parameters what its class says for all its Ingresses
 * @param findings what is wrong with it by itself
 */
record IngressIntent(
        ObjectRef ref,
        Instant created,
        List<PathRule> rules,
        List<ChallengeRule> challenges,
        Set<HostScope> scopes,
        Optional<Target> fallback,
        List<TlsSection> tls,
        Optional<String> acme,
        ClassParameters parameters,
        List<Finding> findings) {

    /** One path of one host. */
    record PathRule(HostScope scope, PathMatch path, Target target) {}

    /**
     * One challenge of one host.
     *
     * @param solver whether the Ingress says that it exists for nothing else
     */
    record ChallengeRule(HostScope scope, Challenge challenge, Target target, boolean solver) {}

    /**
     * Where requests go.
     *
     * @param backend the Service and port; empty where the Ingress names none that can be used,
     *     which it was told, and requests are answered 503
     * @param location where that stands
     */
    record Target(Optional<BackendReference> backend, Optional<Location> location) {}

    /**
     * One TLS section.
     *
     * @param hosts as written; empty means the hosts of the rules
     * @param secret empty means the default certificate
     * @param issuance whether cert-manager has the Secret issued
     * @param location where the section stands
     */
    record TlsSection(
            Set<Hostname> hosts,
            Optional<ObjectRef> secret,
            Issuance issuance,
            Optional<Location> location) {}

    /** Whether cert-manager has a Secret issued. */
    enum Issuance {
        /** Nobody asks it to. */
        NONE,
        /** It does, or did. */
        AUTOMATIC,
        /** It is asked to, but takes no notice of the section as it is written. */
        SKIPPED
    }
}

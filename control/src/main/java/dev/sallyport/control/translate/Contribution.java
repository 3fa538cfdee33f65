package dev.sallyport.control.translate;

import dev.sallyport.control.translate.IngressIntent.ChallengeRule;
import dev.sallyport.control.translate.IngressIntent.Issuance;
import dev.sallyport.control.translate.IngressIntent.PathRule;
import dev.sallyport.control.translate.IngressIntent.Target;
import dev.sallyport.control.translate.IngressIntent.TlsSection;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What one Ingress adds to one host.
 *
 * @param ingress the Ingress
 * @param created when it was created
 * @param rules its paths for the host
 * @param challenges the challenges for the host that it answers
 * @param fallback its default backend, where it has rules for the host or none at all
 * @param routed whether it has a rule for the host, if only one without paths
 * @param secured whether a TLS section of it means the host
 * @param claims the certificates it wants for the host
 * @param acme whether it wants the gateway to have one issued
 * @param parameters what its class says
 */
record Contribution(
        ObjectRef ingress,
        Instant created,
        List<PathRule> rules,
        List<ChallengeRule> challenges,
        Optional<Target> fallback,
        boolean routed,
        boolean secured,
        List<Claim> claims,
        Optional<AcmeAsk> acme,
        ClassParameters parameters) {

    /** The oldest object first, then by namespace and name. */
    static final Comparator<Contribution> PRECEDENCE =
            Comparator.comparing(Contribution::created)
                    .thenComparing(Contribution::ingress, ObjectRef.ORDER);

    /**
     * A certificate wanted for a host.
     *
     * @param secret where it is
     * @param issuance whether cert-manager has it issued
     * @param location of the TLS section
     * @param byItself whether the host was not written but is a name of the certificate
     */
    record Claim(
            ObjectRef secret, Issuance issuance, Optional<Location> location, boolean byItself) {}

    /**
     * That the gateway is to have certificates issued.
     *
     * @param issuers names of issuers, the one to be asked first in front
     * @param by who says so
     */
    record AcmeAsk(List<String> issuers, AskedBy by) {
        AcmeAsk {
            issuers = List.copyOf(issuers);
        }
    }

    /** Who says that certificates are to be issued: the nearest to the host first. */
    enum AskedBy {
        /** The Ingress itself. */
        ANNOTATION,
        /** Its Namespace. */
        LABEL,
        /** Its class's parameters, for all hosts of the class. */
        CLASS,
        /** The gateway's, for all hosts. */
        CONFIGURATION;

        /** Whether it is said of hosts that whoever says so does not know. */
        boolean isGeneral() {
            return this == CLASS || this == CONFIGURATION;
        }
    }

    /** Whether cert-manager has a certificate issued for the host. */
    boolean automatic() {
        return claims.stream().anyMatch(claim -> claim.issuance() == Issuance.AUTOMATIC);
    }

    /**
     * Divides an Ingress by hosts.
     *
     * @param names the names of the certificate in service for a Secret
     * @param acme what it wants issued by the gateway
     */
    static Map<HostScope, Contribution> of(
            IngressIntent intent,
            Function<ObjectRef, Set<Hostname>> names,
            Optional<AcmeAsk> acme) {
        Map<HostScope, Parts> parts = new HashMap<>();
        for (HostScope scope : intent.scopes()) {
            Parts part = parts.computeIfAbsent(scope, _ -> new Parts());
            part.routed = true;
            part.fallback = intent.fallback();
        }
        for (PathRule rule : intent.rules()) {
            parts.computeIfAbsent(rule.scope(), _ -> new Parts()).rules.add(rule);
        }
        for (ChallengeRule rule : intent.challenges()) {
            parts.computeIfAbsent(rule.scope(), _ -> new Parts()).challenges.add(rule);
        }
        for (TlsSection section : intent.tls()) {
            addTls(intent, section, names, parts);
        }
        Map<HostScope, Contribution> contributions = new HashMap<>();
        parts.forEach((scope, part) ->
                contributions.put(
                        scope,
                        new Contribution(
                                intent.ref(),
                                intent.created(),
                                List.copyOf(part.rules),
                                List.copyOf(part.challenges),
                                part.fallback,
                                part.routed,
                                part.secured,
                                List.copyOf(part.claims),
                                part.routed || part.secured ? acme : Optional.empty(),
                                intent.parameters())));
        return contributions;
    }

    /** Whether names of the certificate itself are to be served: no host was written anywhere. */
    static boolean namesItself(IngressIntent intent, TlsSection section) {
        return section.hosts().isEmpty() && intent.scopes().contains(HostScope.Any.ANY);
    }

    private static void addTls(
            IngressIntent intent,
            TlsSection section,
            Function<ObjectRef, Set<Hostname>> names,
            Map<HostScope, Parts> parts) {
        for (HostScope scope : intent.scopes()) {
            switch (scope) {
                case HostScope.Any any -> {
                    if (section.hosts().isEmpty()) {
                        secure(any, section, true, parts);
                        parts.computeIfAbsent(any, _ -> new Parts()).secured = true;
                    }
                }
                case HostScope.Named(Hostname host) -> {
                    if (section.hosts().isEmpty()) {
                        secure(scope, section, false, parts);
                    } else if (section.hosts().stream().anyMatch(written -> written.covers(host))) {
                        // A wildcard's certificate is found by its own entry.
                        parts.computeIfAbsent(scope, _ -> new Parts()).secured = true;
                    }
                }
            }
        }
        for (Hostname host : section.hosts()) {
            secure(new HostScope.Named(host), section, false, parts);
        }
        if (section.secret().isPresent() && namesItself(intent, section)) {
            for (Hostname host : names.apply(section.secret().get())) {
                secure(new HostScope.Named(host), section, true, parts);
            }
        }
    }

    private static void secure(
            HostScope scope, TlsSection section, boolean byItself, Map<HostScope, Parts> parts) {
        Parts part = parts.computeIfAbsent(scope, _ -> new Parts());
        part.secured |= !byItself;
        section.secret()
                .map(secret -> new Claim(secret, section.issuance(), section.location(), byItself))
                .filter(claim ->
                        part.claims.stream().noneMatch(c -> c.secret().equals(claim.secret())))
                .ifPresent(part.claims::add);
    }

    /** A contribution in the making. */
    private static final class Parts {
        final List<PathRule> rules = new ArrayList<>();
        final List<ChallengeRule> challenges = new ArrayList<>();
        final List<Claim> claims = new ArrayList<>();
        Optional<Target> fallback = Optional.empty();
        boolean routed;
        boolean secured;
    }
}

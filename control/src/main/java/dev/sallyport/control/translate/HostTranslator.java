package dev.sallyport.control.translate;

import dev.sallyport.acme.keep.Prospect;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.translate.Contribution.AcmeAsk;
import dev.sallyport.control.translate.Contribution.AskedBy;
import dev.sallyport.control.translate.Contribution.Claim;
import dev.sallyport.control.translate.IngressIntent.ChallengeRule;
import dev.sallyport.control.translate.IngressIntent.Issuance;
import dev.sallyport.control.translate.IngressIntent.PathRule;
import dev.sallyport.control.translate.IngressIntent.Target;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.Challenge;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.route.WeightedBackend;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.secretsync.CertificateStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** From all that Ingresses say about one host to its routes and certificates. Pure and total. */
final class HostTranslator {
    private static final PathMatch EVERYTHING = new PathMatch.Prefix("/");
    private static final int NAMES_TOLD = 5;
    private static final RouteAction UNAVAILABLE = new RouteAction.Forward(List.of());

    private final TranslationSettings settings;
    private final Optional<AcmeRules> acme;
    private final ServiceTranslator services;
    private final Function<ServiceRef, Resource.@Nullable OfService> serviceLookup;
    private final CertificateSource certificateSource;

    /** Translates with what the lookups find now. */
    HostTranslator(
            TranslationSettings settings,
            Function<ServiceRef, Resource.@Nullable OfService> serviceLookup,
            CertificateSource certificateSource) {
        this.settings = settings;
        this.acme = settings.acme();
        this.services = new ServiceTranslator(settings);
        this.serviceLookup = serviceLookup;
        this.certificateSource = certificateSource;
    }

    /**
     * One host.
     *
     * @param virtualHost empty where only a certificate or challenges are known of it
     * @param challenges what answers the challenges for it
     * @param certificates in order of precedence, one for each kind of key
     * @param secured whether a TLS section means it
     * @param undecided the namespaces of those of its Secrets that are still being looked for
     * @param findings about the Ingresses
     * @param services the Services looked for
     * @param upstreams the upstreams that its routes name
     * @param secrets the Secrets looked for
     * @param acme whether it is to have a certificate by ACME
     * @param prospects whether Secrets that are named for it may be about to serve it, by namespace
     */
    record Result(
            Optional<VirtualHost> virtualHost,
            Map<Challenge, Route> challenges,
            List<ServedCertificate> certificates,
            boolean secured,
            Set<String> undecided,
            List<Finding> findings,
            Set<ServiceRef> services,
            Set<UpstreamKey> upstreams,
            Set<ObjectRef> secrets,
            Optional<AcmeHost> acme,
            Map<String, Prospect> prospects) {

        /** Of a host that nobody speaks of. */
        static final Result NOTHING =
                new Result(
                        Optional.empty(),
                        Map.of(),
                        List.of(),
                        false,
                        Set.of(),
                        List.of(),
                        Set.of(),
                        Set.of(),
                        Set.of(),
                        Optional.empty(),
                        Map.of());
    }

    /** The host of {@code contributions}, which are in order of precedence. */
    Result translate(HostScope scope, Collection<Contribution> contributions) {
        if (contributions.isEmpty()) {
            return Result.NOTHING;
        }
        var work = new Work(scope);
        Set<String> owners = namespacesThatSecure(contributions);
        work.addChallenges(contributions, owners);
        contributions.forEach(work::addRoutes);
        contributions.forEach(work::addFallback);
        work.chooseAcme(contributions);
        contributions.forEach(contribution -> work.addCertificates(contribution, false));
        contributions.stream()
                .filter(it -> owners.isEmpty() || owners.contains(it.ingress().namespace()))
                .filter(it -> work.own.isEmpty() || work.mayHave(it.ingress()))
                .forEach(contribution -> work.addCertificates(contribution, true));
        boolean asked = contributions.stream().anyMatch(Contribution::secured);
        boolean known = asked || contributions.stream().anyMatch(Contribution::routed);
        boolean issued = work.addIssued();
        return work.result(
                known,
                asked || issued ? redirect(contributions) : Optional.empty(),
                asked || issued);
    }

    /**
     * As the class says of the first Ingress that secures the host, else of the first with a rule.
     */
    private Optional<HttpsRedirect> redirect(Collection<Contribution> contributions) {
        return contributions.stream()
                .filter(Contribution::secured)
                .findFirst()
                .or(() -> contributions.stream().filter(Contribution::routed).findFirst())
                .map(Contribution::parameters)
                .orElse(ClassParameters.NONE)
                .redirect(settings.redirects(), settings.httpsRedirect());
    }

    /**
     * The namespaces whose TLS sections are for this host, by its name or by a wildcard. Where
     * there is one, nobody else's certificate is put before the host only because it has the host's
     * name, not even while the Secret that the section names is missing.
     */
    private static Set<String> namespacesThatSecure(Collection<Contribution> contributions) {
        Set<String> namespaces = new HashSet<>();
        for (Contribution contribution : contributions) {
            if (contribution.secured()) {
                namespaces.add(contribution.ingress().namespace());
            }
        }
        return namespaces;
    }

    /** The gateway's default backend. */
    Result translateDefault(BackendReference backend) {
        var work = new Work(HostScope.Any.ANY);
        work.fallback =
                Optional.of(
                        work.route(
                                EVERYTHING,
                                new Target(Optional.of(backend), Optional.empty()),
                                ObjectRef.gateway("default-backend"),
                                Instant.EPOCH));
        return work.result(true, Optional.empty(), false);
    }

    /** One host in the making. */
    private final class Work {
        private final HostScope scope;
        private final Map<Challenge, Won> answered = new LinkedHashMap<>();
        private final Map<PathMatch, Won> won = new LinkedHashMap<>();
        private final Map<KeyType, ServedCertificate> certificates = new EnumMap<>(KeyType.class);
        private final List<Finding> findings = new ArrayList<>();
        private final Set<ServiceRef> servicesSeen = new HashSet<>();
        private final Set<UpstreamKey> upstreams = new HashSet<>();
        private final Set<ObjectRef> secrets = new HashSet<>();
        private final Set<String> undecided = new HashSet<>();
        private final List<ServedCertificate> others = new ArrayList<>();
        private Optional<Asked> asked = Optional.empty();
        private Optional<Refused> refused = Optional.empty();
        private Optional<Own> own = Optional.empty();
        private boolean othersGood;
        private final Map<String, Prospect> prospects = new HashMap<>();
        private Optional<Route> fallback = Optional.empty();

        /** Who asks the gateway to have a certificate issued for the host, and of whom. */
        private record Asked(Hostname host, ObjectRef ingress, AcmeAsk ask) {
            boolean ofNamespace(Asked other) {
                return ingress.namespace().equals(other.ingress.namespace());
            }

            /** A mistake in an annotation is not to end what went well. */
            boolean names(List<String> known) {
                return ask.issuers().stream().anyMatch(known::contains);
            }

            /** Who names issuers itself ought to know that others are asked. */
            boolean isContradictedBy(Asked other) {
                return other.ask.by() == AskedBy.ANNOTATION
                        && !other.ask.issuers().equals(ask.issuers());
            }

            Finding contradiction(Asked other) {
                boolean same = ofNamespace(other); // of others' objects nothing is told
                return Finding.of(
                        Reason.CERTIFICATE_CONFLICT,
                        other.ingress,
                        host
                                + ": not ordered from "
                                + String.join(", ", other.ask.issuers())
                                + ", but as "
                                + (same ? ingress : "an older Ingress of another namespace")
                                + " asks",
                        same
                                ? "Write the same value of " + AcmeRules.KEY + " on both."
                                : "Remove the annotation, or agree with whoever else has the host.");
            }

            AcmeHost wanted(
                    List<ServedCertificate> others, boolean lost, Optional<Finding> refusal) {
                return new AcmeHost(
                        host, ask.issuers(), ingress, others, Prospect.NONE, lost, refusal);
            }
        }

        /** Who would have one issued, as all, and may not. */
        private record Refused(Asked asked, Finding why) {}

        /** What the gateway has issued for the host, or would. */
        private record Own(ObjectRef secret, CertificateStatus status) {
            /** What is deleted is served on, but no longer than it is valid: others may serve. */
            boolean serves() {
                return status.inService().isPresent() && (status.exists() || !isExpired(status));
            }
        }

        /** A path and who has it. */
        private record Won(Route route, Target target) {}

        /** Who says that it answers a challenge. */
        private record Claimant(Contribution contribution, ChallengeRule rule, boolean owner) {
            /** In order of precedence; among equals the older comes first. */
            static final Comparator<Claimant> ORDER =
                    Comparator.comparing((Claimant it) -> !it.owner)
                            .thenComparing(it -> !it.rule.solver())
                            .thenComparing(Claimant::contribution, Contribution.PRECEDENCE);
        }

        Work(HostScope scope) {
            this.scope = scope;
        }

        /**
         * Whose namespace has the host in a TLS section answers first, then what exists for the
         * challenge alone: else an older Ingress that only looks like it could keep a certificate
         * from being issued.
         */
        void addChallenges(Collection<Contribution> contributions, Set<String> owners) {
            Map<Challenge, Claimant> winners = new HashMap<>();
            contributions.stream()
                    .flatMap(contribution ->
                            contribution.challenges().stream()
                                    .map(rule ->
                                            new Claimant(
                                                    contribution,
                                                    rule,
                                                    owners.contains(
                                                            contribution.ingress().namespace()))))
                    .sorted(Claimant.ORDER)
                    .forEach(claimant -> addChallenge(claimant, winners));
        }

        private void addChallenge(Claimant claimant, Map<Challenge, Claimant> winners) {
            Contribution contribution = claimant.contribution();
            ChallengeRule rule = claimant.rule();
            Claimant first = winners.putIfAbsent(rule.challenge(), claimant);
            Won winner = answered.get(rule.challenge());
            if (first == null || winner == null) {
                var route =
                        new Route(
                                new PathMatch.Exact(rule.challenge().path()),
                                action(rule.target(), contribution.ingress(), true),
                                contribution.ingress(),
                                contribution.created());
                answered.put(rule.challenge(), new Won(route, rule.target()));
            } else if (!sameEffect(winner, contribution, rule.target())) {
                String why =
                        first.owner() && !claimant.owner()
                                ? first.contribution().ingress()
                                        + " has it already, and its namespace has the host in a TLS section"
                                : first.rule().solver() && !rule.solver()
                                        ? first.contribution().ingress()
                                                + " has it already, and exists for the challenge alone"
                                        : why(winner.route(), contribution);
                reportConflict(
                        contribution,
                        rule.target(),
                        scope + ", challenge " + rule.challenge().token(),
                        why,
                        winner.target().location());
            }
        }

        void addRoutes(Contribution contribution) {
            for (PathRule rule : contribution.rules()) {
                reportHidden(contribution, rule);
                Won winner = won.get(rule.path());
                if (winner == null) {
                    Route route =
                            route(
                                    rule.path(),
                                    rule.target(),
                                    contribution.ingress(),
                                    contribution.created());
                    won.put(rule.path(), new Won(route, rule.target()));
                } else if (!sameEffect(winner, contribution, rule.target())) {
                    reportConflict(
                            contribution,
                            rule.target(),
                            scope + ", path " + written(rule.path()),
                            why(winner.route(), contribution),
                            winner.target().location());
                }
            }
        }

        /** A challenge is answered first, however old the Ingress that has its path. */
        private void reportHidden(Contribution contribution, PathRule rule) {
            String token = Challenge.tokenOf(rule.path().path());
            Won hiding =
                    token == null || !(rule.path() instanceof PathMatch.Exact)
                            ? null
                            : answered.get(challenge(token));
            if (hiding != null) {
                findings.add(
                        new Finding(
                                Reason.ROUTE_CONFLICT,
                                contribution.ingress(),
                                rule.target().location(),
                                scope
                                        + ", path "
                                        + written(rule.path())
                                        + ": "
                                        + hiding.route().origin()
                                        + " answers a challenge there",
                                "Remove it, or wait until the challenge is over."));
            }
        }

        private Challenge challenge(String token) {
            return new Challenge(
                    scope instanceof HostScope.Named(Hostname name)
                            ? name.text()
                            : Challenge.ANY_HOST,
                    token);
        }

        void addFallback(Contribution contribution) {
            if (contribution.fallback().isEmpty()) {
                return;
            }
            Target target = contribution.fallback().get();
            if (fallback.isEmpty()) {
                fallback =
                        Optional.of(
                                route(
                                        EVERYTHING,
                                        target,
                                        contribution.ingress(),
                                        contribution.created()));
            } else {
                reportConflict(
                        contribution,
                        target,
                        scope + ", default backend",
                        why(fallback.get(), contribution),
                        Optional.empty());
            }
        }

        /** Repeating oneself in one object costs nobody anything. */
        private boolean sameEffect(Won winner, Contribution contribution, Target target) {
            return winner.route().origin().equals(contribution.ingress())
                    && winner.target().backend().equals(target.backend());
        }

        /** Of two rules, why the one that has something already keeps it. */
        private static String why(Route winner, Contribution loser) {
            if (winner.origin().equals(loser.ingress())) {
                return "the same Ingress has it already, further up";
            }
            return winner.origin()
                    + " has it already, and "
                    + (winner.created().isBefore(loser.created())
                            ? "is older"
                            : "comes first by namespace and name");
        }

        private void reportConflict(
                Contribution loser,
                Target target,
                String what,
                String why,
                Optional<Location> winnersPlace) {
            findings.add(
                    new Finding(
                            Reason.ROUTE_CONFLICT,
                            loser.ingress(),
                            target.location(),
                            what
                                    + ": "
                                    + why
                                    + winnersPlace.map(place -> " (" + place + ")").orElse(""),
                            "Remove it from one of them, or give it another host or path."));
        }

        Route route(PathMatch path, Target target, ObjectRef origin, Instant created) {
            return new Route(path, action(target, origin, false), origin, created);
        }

        private RouteAction action(Target target, ObjectRef origin, boolean challenge) {
            if (target.backend().isEmpty()) {
                return UNAVAILABLE;
            }
            BackendReference backend = target.backend().get();
            ServiceRef service = ServiceRef.of(backend);
            servicesSeen.add(service);
            return switch (services.resolve(backend, serviceLookup.apply(service))) {
                case ServiceTranslator.Resolution.Found(UpstreamKey upstream) -> {
                    upstreams.add(upstream);
                    yield new RouteAction.Forward(List.of(new WeightedBackend(upstream, 1)));
                }
                case ServiceTranslator.Resolution.Problem(
                                Reason reason,
                                String message,
                                String advice) -> {
                    findings.add(
                            challenge && reason == Reason.SERVICE_MISSING
                                    ? solverMissing(origin, target, message)
                                    : new Finding(
                                            reason, origin, target.location(), message, advice));
                    yield UNAVAILABLE;
                }
            };
        }

        /** Normal for a moment, before a challenge and after it. */
        private static Finding solverMissing(ObjectRef origin, Target target, String message) {
            return new Finding(
                    Reason.SOLVER_NOT_READY,
                    origin,
                    target.location(),
                    message + "; the challenge is answered 503",
                    "Wait for cert-manager; it looks at the Challenge again by itself.");
        }

        void addCertificates(Contribution contribution, boolean byItself) {
            for (Claim claim : contribution.claims()) {
                if (claim.byItself() != byItself) {
                    continue;
                }
                secrets.add(claim.secret());
                CertificateStatus status = certificateSource.status(claim.secret());
                addProspect(claim.secret(), status.exists());
                if (status.inService().isPresent()) {
                    if (scope instanceof HostScope.Named(Hostname host)) {
                        addCertificate(
                                contribution.ingress(), claim, host, status.inService().get());
                    }
                } else if (status.isSought()) {
                    undecided.add(claim.secret().namespace());
                } else if (!status.exists()) {
                    if (asked.isEmpty()
                            || (ownServes() && claim.issuance() == Issuance.AUTOMATIC)) {
                        findings.add(missing(contribution.ingress(), claim));
                    } else if (!ownServes()) {
                        findings.add(pending(contribution.ingress(), claim));
                    }
                }
            }
        }

        private void addProspect(ObjectRef secret, boolean exists) {
            if (acme.isEmpty()) {
                return;
            }
            var prospect = Prospect.of(certificateSource.isAwaited(secret), exists);
            if (prospect != Prospect.NONE) {
                prospects.merge(secret.namespace(), prospect, Prospect::or);
            }
        }

        /**
         * The oldest Ingress that may ask for a certificate decides how it is ordered, unless
         * another of its namespace says more of it than that one. What cert-manager is to have
         * issued is not ordered, but what was issued already is kept until that is there; and it is
         * served on for as long as it is stored, though nobody asks any more.
         */
        void chooseAcme(Collection<Contribution> contributions) {
            if (acme.isEmpty() || !(scope instanceof HostScope.Named(Hostname host))) {
                return;
            }
            AcmeRules rules = acme.get();
            if (contributions.stream().anyMatch(it -> mayHave(it.ingress()))) {
                ObjectRef secret = rules.secret(CertificateId.of(host));
                secrets.add(secret);
                CertificateStatus status = certificateSource.status(secret);
                if (status.isSought()) {
                    undecided.add(secret.namespace());
                }
                own = Optional.of(new Own(secret, status));
            }
            // cert-manager has it issued, if only for another Ingress
            boolean theirs =
                    contributions.stream().anyMatch(it -> it.automatic() && mayHave(it.ingress()));
            boolean left = theirs && !ownServes();
            List<Asked> candidates = new ArrayList<>();
            for (Contribution contribution : contributions) {
                AcmeAsk ask = contribution.acme().orElse(null);
                if (ask == null || (left && ask.by() != AskedBy.ANNOTATION)) {
                    continue;
                }
                var candidate = new Asked(host, contribution.ingress(), ask);
                Optional<Finding> refusal = refusal(rules, host, contribution.ingress());
                if (refusal.isEmpty()) {
                    candidates.add(candidate);
                } else if (ask.by().isGeneral()) {
                    refused = refused.or(() -> Optional.of(new Refused(candidate, refusal.get())));
                } else {
                    findings.add(refusal.get());
                }
            }
            asked =
                    candidates.stream()
                            .filter(it -> it.ofNamespace(candidates.getFirst()))
                            .min(
                                    Comparator.comparing((Asked it) -> !it.names(rules.issuers()))
                                            .thenComparing(it -> it.ask().by()));
            asked.ifPresent(chosen ->
                    candidates.stream()
                            .filter(chosen::isContradictedBy)
                            .map(chosen::contradiction)
                            .forEach(findings::add));
        }

        private boolean ownServes() {
            return own.filter(Own::serves).isPresent();
        }

        /** Whether certificates of this namespace may be for the host at all. */
        boolean mayHave(ObjectRef ingress) {
            return acme.isEmpty()
                    || !(scope instanceof HostScope.Named(Hostname host))
                    || acme.get().allows(ingress.namespace(), host);
        }

        private static Optional<Finding> refusal(
                AcmeRules rules, Hostname host, ObjectRef ingress) {
            if (host instanceof Hostname.Wildcard && !rules.wildcards()) {
                return Optional.of(
                        Finding.of(
                                Reason.WILDCARD_NOT_PROVABLE,
                                ingress,
                                "host: "
                                        + host
                                        + " (expected: a name without '*', or DNS-01 in the gateway's"
                                        + " configuration)",
                                "Configure acme.dns-zone, or bring a Secret with a certificate for it."));
            }
            var identifier = new Identifier.Dns(host);
            return rules.allowed().allows(ingress.namespace(), identifier)
                    ? Optional.empty()
                    : Optional.of(rules.allowed().refusal(ingress, identifier));
        }

        /**
         * What others bring is served as long as it is good, else what the gateway has issued.
         *
         * @return whether there is such a one: then the host is as one with a TLS section
         */
        boolean addIssued() {
            Optional<ServedCertificate> issued =
                    own.filter(Own::serves).flatMap(it -> it.status().inService());
            if (issued.isPresent() && !othersGood) {
                certificates.clear();
                certificates.put(issued.get().bundle().keyType(), issued.get());
            }
            return issued.isPresent();
        }

        private static Finding pending(ObjectRef ingress, Claim claim) {
            return new Finding(
                    Reason.CERTIFICATE_PENDING,
                    ingress,
                    claim.location(),
                    claim.secret()
                            + " does not exist; the gateway has a certificate issued itself, and"
                            + " meanwhile a wildcard's that fits is served, else the default one",
                    "Wait for it; where it takes longer than a minute, see `sallyport acme orders`.");
        }

        private Finding missing(ObjectRef ingress, Claim claim) {
            ObjectRef secret = claim.secret();
            boolean pending = claim.issuance() == Issuance.AUTOMATIC;
            return new Finding(
                    pending ? Reason.CERTIFICATE_PENDING : Reason.SECRET_MISSING,
                    ingress,
                    claim.location(),
                    secret
                            + " does not exist"
                            + (pending ? " yet: cert-manager is to have it issued" : "")
                            + (ownServes()
                                    ? "; meanwhile what the gateway has issued is served"
                                    : "; meanwhile a wildcard's certificate that fits is served, else"
                                            + " the default one"),
                    switch (claim.issuance()) {
                        case NONE -> "Create the Secret, or wait for its issuer to.";
                        case AUTOMATIC ->
                                "Wait for it; where it takes longer than a minute, see `kubectl -n "
                                        + secret.namespace()
                                        + " describe certificate "
                                        + secret.name()
                                        + "`.";
                        case SKIPPED ->
                                "List the section's hosts, and name each Secret in one section only:"
                                        + " else cert-manager issues nothing.";
                    });
        }

        private void addCertificate(
                ObjectRef ingress, Claim claim, Hostname host, ServedCertificate served) {
            CertificateBundle bundle = served.bundle();
            CertificateStatus status = certificateSource.status(claim.secret());
            // What stays in service though its Secret is gone is nobody's to renew.
            if (!served.temporary()
                    && mayHave(ingress)
                    && status.exists()
                    && covers(bundle, host)) {
                others.add(served);
                othersGood |= !isExpired(status);
            }
            ServedCertificate winner = certificates.get(bundle.keyType());
            if (winner == null || (winner.temporary() && !served.temporary())) {
                certificates.put(bundle.keyType(), served);
                winner = null;
            } else if (served.temporary() && !winner.temporary()) {
                return; // it stands in for what is there
            }
            if (claim.byItself()) {
                return;
            }
            if (winner != null && !winner.bundle().fingerprint().equals(bundle.fingerprint())) {
                findings.add(
                        new Finding(
                                Reason.CERTIFICATE_CONFLICT,
                                ingress,
                                claim.location(),
                                host
                                        + ": "
                                        + winner.source()
                                        + " is served, not "
                                        + claim.secret()
                                        + ", which is "
                                        + bundle.keyType()
                                        + " as well and was asked for later",
                                "Name one Secret for each host and kind of key."));
            } else if (!covers(bundle, host)) {
                findings.add(
                        new Finding(
                                Reason.CERTIFICATE_HOST_MISMATCH,
                                ingress,
                                claim.location(),
                                host
                                        + ": the certificate in "
                                        + claim.secret()
                                        + " is for "
                                        + names(bundle),
                                "Have the certificate issued for this host too."));
            }
        }

        /** A temporary certificate, which nobody trusts, is not served beside a real one. */
        private List<ServedCertificate> served() {
            boolean real = certificates.values().stream().anyMatch(it -> !it.temporary());
            return certificates.values().stream().filter(it -> !real || !it.temporary()).toList();
        }

        /** Whether what is served of ours is not stored any more. */
        private boolean isLost() {
            return own.filter(it -> it.serves() && !it.status().exists()).isPresent();
        }

        private Map<Challenge, Route> challenges() {
            Map<Challenge, Route> routes = new LinkedHashMap<>();
            answered.forEach((challenge, won) -> routes.put(challenge, won.route()));
            return Collections.unmodifiableMap(routes);
        }

        Result result(boolean known, Optional<HttpsRedirect> httpsRedirect, boolean secured) {
            Optional<VirtualHost> host =
                    known
                            ? Optional.of(
                                    VirtualHost.of(
                                            won.values().stream().map(Won::route).toList(),
                                            fallback,
                                            httpsRedirect))
                            : Optional.empty();
            return new Result(
                    host,
                    challenges(),
                    served(),
                    secured,
                    Set.copyOf(undecided),
                    List.copyOf(findings),
                    Set.copyOf(servicesSeen),
                    Set.copyOf(upstreams),
                    Set.copyOf(secrets),
                    asked.map(it -> it.wanted(others, isLost(), Optional.empty()))
                            .or(() ->
                                    refused.map(it ->
                                            it.asked()
                                                    .wanted(others, false, Optional.of(it.why())))),
                    Map.copyOf(prospects));
        }
    }

    private static boolean isExpired(CertificateStatus status) {
        return status.findings().stream()
                .anyMatch(finding -> finding.reason() == Reason.CERTIFICATE_EXPIRED);
    }

    private static boolean covers(CertificateBundle bundle, Hostname host) {
        return bundle.names().stream().anyMatch(name -> name.covers(host));
    }

    private static String names(CertificateBundle bundle) {
        List<String> all = bundle.names().stream().map(Hostname::text).sorted().toList();
        int told = Math.min(all.size(), NAMES_TOLD);
        return all.subList(0, told)
                + (told < all.size() ? " and " + (all.size() - told) + " more" : "");
    }

    private static String written(PathMatch path) {
        return switch (path) {
            case PathMatch.Exact(String text) -> text + " (Exact)";
            case PathMatch.Prefix(String text) -> text + " (Prefix)";
        };
    }
}

package dev.sallyport.control.translate;

import dev.sallyport.acme.keep.Prospect;
import dev.sallyport.control.resource.AcmeAnswer;
import dev.sallyport.control.resource.IngressStanding;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.route.Challenge;
import dev.sallyport.model.route.ChallengeTable;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.secretsync.CertificateStatus;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Translates objects, and after a change only what the change touches. What it returns is equal to
 * the translation of all objects at once by a new instance; what did not change is the same object
 * as before.
 *
 * <p>Four steps, each remembered by what it reads:
 *
 * <pre>
 * Ingress, classes      → intent         per Ingress
 * intents, Services,    → virtual host   per host; again when an Ingress that names it, a Service
 *   certificates          challenges       it sends to or a Secret it is served with changes
 *                         certificates
 * Service, slices       → upstream       per Service port that a route names
 * all of the above      → three tables that share what did not change
 * </pre>
 *
 * Not thread-safe; free of input and output, clock and threads.
 */
public final class IncrementalTranslator {
    private static final String CLASSES_STEP = "ingress classes";
    private static final String DEFAULT_CERTIFICATE_STEP = "default certificate";
    private static final String DEFAULT_BACKEND_STEP = "default backend";

    private final TranslationSettings settings;
    private final CertificateSource certificates;
    private final LastGoodParameters lastGood;
    private final HostTranslator hostTranslator;
    private final UpstreamTranslator upstreamTranslator;

    // What there is.
    private final Map<ObjectRef, Resource.OfIngress> ingresses = new HashMap<>();
    private final Map<ObjectRef, Resource.OfIngressClass> classes = new TreeMap<>(ObjectRef.ORDER);
    private final Map<ObjectRef, Resource.OfConfigMap> configMaps = new HashMap<>();
    private final Map<ServiceRef, Resource.OfService> services = new HashMap<>();
    private final Map<ObjectRef, Resource.OfEndpointSlice> slices = new HashMap<>();
    private final Map<ServiceRef, TreeMap<ObjectRef, Resource.OfEndpointSlice>> slicesByService =
            new HashMap<>();

    private final Map<String, String> acmeLabels = new HashMap<>(); // by namespace
    private OwnChallenges ownChallenges = OwnChallenges.NONE;

    // What the steps came to.
    private ClassSelection selection;
    private Map<ObjectRef, ClassParameters> parameters = Map.of(); // by ConfigMap
    private final Map<ObjectRef, IngressIntent> intents = new HashMap<>();
    private final Map<ObjectRef, Map<HostScope, Contribution>> contributions = new HashMap<>();
    private final Map<HostScope, TreeMap<Contribution, Contribution>> byScope = new HashMap<>();
    private final Map<HostScope, HostTranslator.Result> hosts = new HashMap<>();
    private HostTranslator.Result gatewayDefault = HostTranslator.Result.NOTHING;
    private final Map<UpstreamKey, UpstreamTranslator.Result> upstreamResults = new HashMap<>();

    // Who reads what.
    private final Users<ServiceRef, HostScope> serviceUsers = new Users<>();
    private final Users<ObjectRef, HostScope> secretUsers = new Users<>();
    private final Users<ObjectRef, ObjectRef> namingSecrets = new Users<>(); // Secret to Ingresses
    private final Users<UpstreamKey, HostScope> upstreamUsers = new Users<>();
    private final Users<ServiceRef, UpstreamKey> portsInUse = new Users<>();
    private final Set<HostScope> uncertified = new HashSet<>(); // in strict mode only
    private final Map<String, Map<String, Prospect>> wildcardProspects =
            new HashMap<>(); // by parent, of those that have any by namespace
    private Prospect defaultProspect = Prospect.NONE;

    // What has to be looked at again.
    private boolean classesDirty = true;
    private boolean defaultsDirty = true;
    private boolean prospectsDirty;
    private Set<ObjectRef> dirtyIngresses = new HashSet<>();
    private Set<HostScope> dirtyScopes = new HashSet<>();
    private Set<UpstreamKey> dirtyUpstreams = new HashSet<>();
    private Set<ObjectRef> dirtySecrets = new HashSet<>();
    private Set<ObjectRef> releasable = new HashSet<>();
    private Map<Object, @Nullable List<Finding>> dirtyFindings = new HashMap<>();
    private Map<Hostname, @Nullable AcmeHost> acmeChanges = new HashMap<>();
    private Map<Challenge, Route> shownChallenges = Map.of(); // of ours, by the last translation
    private Map<ObjectRef, @Nullable IngressStanding> standings =
            new HashMap<>(); // those that changed

    private Optional<CertificateSet> defaultSet = Optional.empty();
    private @Nullable CertificateSet strictDefault; // what strictDefaults put into the table
    private Translation current;

    /** A translator that has seen no object. */
    public IncrementalTranslator(TranslationSettings settings, CertificateSource certificates) {
        this(settings, certificates, new LastGoodParameters());
    }

    /**
     * A translator that has seen no object.
     *
     * @param lastGood what translators before it knew of the parameters of classes
     */
    public IncrementalTranslator(
            TranslationSettings settings,
            CertificateSource certificates,
            LastGoodParameters lastGood) {
        this.settings = settings;
        this.certificates = certificates;
        this.lastGood = lastGood;
        this.hostTranslator = new HostTranslator(settings, services::get, certificates);
        this.upstreamTranslator = new UpstreamTranslator(settings);
        this.selection = new ClassSelection(List.of(), settings);
        this.current =
                new Translation(
                        settings.listeners(),
                        RoutingTable.EMPTY,
                        CertificateTable.EMPTY,
                        ShardedMap.empty(),
                        ShardedMap.empty(),
                        ShardedMap.empty(),
                        FindingIndex.EMPTY,
                        List.of(),
                        List.of());
    }

    /** The translation of {@code resources}, in whatever order, from nothing. */
    public static Translation translate(
            Collection<? extends Resource> resources,
            CertificateSource certificates,
            TranslationSettings settings) {
        var translator = new IncrementalTranslator(settings, certificates);
        resources.forEach(resource -> translator.accept(ResourceChange.put(resource)));
        return translator.translate();
    }

    /** Notes a change; nothing is translated yet. Secrets come by {@link #secretChanged}. */
    public void accept(ResourceChange change) {
        switch (change.now().orElse(null)) {
            case null -> remove(change.ref());
            case Resource.OfIngress ingress -> {
                ingresses.put(ingress.ref(), ingress);
                dirtyIngresses.add(ingress.ref());
            }
            case Resource.OfIngressClass ingressClass -> {
                classes.put(ingressClass.ref(), ingressClass);
                classesDirty = true;
            }
            case Resource.OfConfigMap configMap -> {
                Resource.OfConfigMap before = configMaps.put(configMap.ref(), configMap);
                if (!sameData(before, configMap)) {
                    configMapChanged(configMap.ref());
                }
            }
            case Resource.OfService service -> {
                ServiceRef ref = serviceOf(service.ref());
                services.put(ref, service);
                serviceChanged(ref);
            }
            case Resource.OfEndpointSlice slice -> {
                unlinkSlice(slices.put(slice.ref(), slice));
                linkSlice(slice);
            }
            case Resource.OfNamespace namespace ->
                    labelled(namespace.ref().name(), acmeLabel(namespace));
            case Resource.OfAcmeChallenges challenges -> ownChallenges = own(challenges);
            case Resource.OfSecret _ -> {} // the certificate source sees it first
        }
    }

    /** The status of a Secret's certificate changed. */
    public void secretChanged(ObjectRef secret) {
        dirtySecrets.add(secret);
    }

    /** Adds what a source has to say, in place of what it said before for the same step. */
    public void report(Object step, List<Finding> findings) {
        dirtyFindings.put(step, findings.isEmpty() ? null : List.copyOf(findings));
    }

    /** Translates what changed. The parts that did not are the same objects as before. */
    public Translation translate() {
        judgeClasses();
        readIngresses();
        readSecrets();
        HostTable<VirtualHost> hostTable = current.routes().hosts();
        HostTable<CertificateSet> certificateTable = current.certificates().hosts();
        Optional<CertificateSet> defaultSet = defaultCertificate();

        Map<Hostname, @Nullable VirtualHost> hostChanges = new LinkedHashMap<>();
        Map<Hostname, @Nullable CertificateSet> certificateChanges = new LinkedHashMap<>();
        Map<Challenge, @Nullable Route> challengeChanges = new LinkedHashMap<>();
        for (HostScope scope : dirtyScopes) {
            HostTranslator.Result before = resultOf(scope);
            translateHost(scope, before);
            noteChallenges(before.challenges(), resultOf(scope).challenges(), challengeChanges);
            if (scope instanceof HostScope.Named(Hostname name)) {
                HostTranslator.Result result = hosts.get(scope);
                VirtualHost host = result == null ? null : result.virtualHost().orElse(null);
                if (!same(hostTable.get(name), host)) {
                    hostChanges.put(name, host);
                }
                CertificateSet inTable = certificateTable.get(name);
                CertificateSet set = result == null ? null : chosen(result, ownSet(inTable));
                if (!same(inTable, set)) {
                    certificateChanges.put(name, set);
                }
                noteUncertified(scope, result, set);
                noteProspect(name, result);
            }
        }
        noteAsking();
        noteOwnChallenges(challengeChanges);
        translateGatewayDefault();
        ShardedMap<UpstreamKey, Upstream> upstreams = translateUpstreams();
        RoutingTable routes =
                routes(
                        current.routes().challenges().with(challengeChanges),
                        hostTable.with(hostChanges));
        HostTable<CertificateSet> served =
                strictDefaults(certificateTable.with(certificateChanges), defaultSet);
        CertificateTable table = certificates(served, defaultSet);
        releaseSecrets();
        current = withFindings(routes, table, upstreams);
        clearDirt();
        return current;
    }

    private void remove(ObjectRef ref) {
        switch (ref.kind()) {
            case "Ingress" -> {
                if (ingresses.remove(ref) != null) {
                    dirtyIngresses.add(ref);
                }
            }
            case "IngressClass" -> classesDirty |= classes.remove(ref) != null;
            case "ConfigMap" -> {
                if (configMaps.remove(ref) != null) {
                    configMapChanged(ref);
                }
            }
            case "Service" -> {
                if (services.remove(serviceOf(ref)) != null) {
                    serviceChanged(serviceOf(ref));
                }
            }
            case "EndpointSlice" -> unlinkSlice(slices.remove(ref));
            case "Namespace" -> labelled(ref.name(), null);
            case "Gateway" -> {
                if (ref.equals(Resource.OfAcmeChallenges.ACME_CHALLENGES)) {
                    ownChallenges = OwnChallenges.NONE;
                }
            }
            default -> {} // a Secret, or nothing we know
        }
    }

    private static boolean sameData(
            Resource.@Nullable OfConfigMap before, Resource.OfConfigMap now) {
        return before != null
                && before.origin().equals(now.origin())
                && Objects.equals(before.configMap().getData(), now.configMap().getData());
    }

    /** Few ConfigMaps are parameters. */
    private void configMapChanged(ObjectRef configMap) {
        classesDirty |= selection.configMaps().containsValue(configMap);
    }

    private static @Nullable String acmeLabel(Resource.OfNamespace namespace) {
        ObjectMeta metadata = namespace.namespace().getMetadata();
        Map<String, String> labels = metadata == null ? null : metadata.getLabels();
        return labels == null ? null : labels.get(AcmeRules.KEY);
    }

    /** Of a Namespace nothing matters but this; it changes rarely. */
    private void labelled(String namespace, @Nullable String value) {
        String before =
                value == null ? acmeLabels.remove(namespace) : acmeLabels.put(namespace, value);
        if (settings.acme().isPresent() && !Objects.equals(before, value)) {
            intents.keySet().stream()
                    .filter(ref -> ref.namespace().equals(namespace))
                    .forEach(dirtyIngresses::add);
        }
    }

    /** What the gateway shows to CAs itself. */
    private record OwnChallenges(Map<Challenge, Route> http, Map<String, CertificateSet> tls) {
        static final OwnChallenges NONE = new OwnChallenges(Map.of(), Map.of());
    }

    private OwnChallenges own(Resource.OfAcmeChallenges challenges) {
        Map<Challenge, Route> http = new HashMap<>();
        Map<String, CertificateSet> tls = new HashMap<>();
        for (AcmeAnswer answer : challenges.answers()) {
            switch (answer) {
                case AcmeAnswer.Http(Challenge challenge, String text) ->
                        http.put(
                                challenge,
                                new Route(
                                        new PathMatch.Exact(challenge.path()),
                                        new RouteAction.KeyAuthorization(text),
                                        challenges.ref(),
                                        Instant.EPOCH));
                case AcmeAnswer.TlsAlpn(String serverName, CertificateBundle bundle) -> {
                    var served =
                            new ServedCertificate(bundle, challenges.ref(), Instant.EPOCH, true);
                    CertificateSet before = ownChallenges.tls().get(serverName);
                    tls.put(
                            serverName,
                            before != null && before.certificates().equals(List.of(served))
                                    ? before
                                    : CertificateSet.of(List.of(served)));
                }
            }
        }
        return new OwnChallenges(Map.copyOf(http), Map.copyOf(tls));
    }

    /** They come before what Ingresses answer, which comes back when they are over. */
    private void noteOwnChallenges(Map<Challenge, @Nullable Route> changes) {
        Map<Challenge, Route> now = ownChallenges.http();
        changes.keySet().removeAll(now.keySet());
        for (Challenge challenge : shownChallenges.keySet()) {
            if (!now.containsKey(challenge)) {
                HostScope scope =
                        challenge.host().equals(Challenge.ANY_HOST)
                                ? HostScope.Any.ANY
                                : new HostScope.Named(Hostname.parse(challenge.host()));
                changes.put(challenge, resultOf(scope).challenges().get(challenge));
            }
        }
        now.forEach((challenge, route) -> {
            if (!route.equals(shownChallenges.get(challenge))) {
                changes.put(challenge, route);
            }
        });
        shownChallenges = now;
    }

    private static ServiceRef serviceOf(ObjectRef ref) {
        return new ServiceRef(ref.namespace(), ref.name());
    }

    private void serviceChanged(ServiceRef service) {
        dirtyScopes.addAll(serviceUsers.of(service));
        dirtyUpstreams.addAll(portsInUse.of(service));
        defaultsDirty |= gatewayDefault.services().contains(service);
    }

    static @Nullable ServiceRef serviceOf(Resource.OfEndpointSlice slice) {
        Map<String, String> labels = slice.slice().getMetadata().getLabels();
        String name = labels == null ? null : labels.get("kubernetes.io/service-name");
        return name == null ? null : new ServiceRef(slice.ref().namespace(), name);
    }

    private void linkSlice(Resource.OfEndpointSlice slice) {
        ServiceRef service = serviceOf(slice);
        if (service != null) {
            slicesByService
                    .computeIfAbsent(service, _ -> new TreeMap<>(ObjectRef.ORDER))
                    .put(slice.ref(), slice);
            dirtyUpstreams.addAll(portsInUse.of(service));
        }
    }

    private void unlinkSlice(Resource.@Nullable OfEndpointSlice slice) {
        ServiceRef service = slice == null ? null : serviceOf(slice);
        if (slice == null || service == null) {
            return;
        }
        TreeMap<ObjectRef, Resource.OfEndpointSlice> siblings = slicesByService.get(service);
        if (siblings != null) {
            siblings.remove(slice.ref());
            if (siblings.isEmpty()) {
                slicesByService.remove(service);
            }
        }
        dirtyUpstreams.addAll(portsInUse.of(service));
    }

    /** Classes change rarely: all Ingresses are judged again. */
    private void judgeClasses() {
        if (classesDirty) {
            selection = new ClassSelection(classes.values(), settings);
            List<Finding> findings = new ArrayList<>(selection.findings());
            parameters = readParameters(findings);
            report(CLASSES_STEP, findings);
            dirtyIngresses.addAll(ingresses.keySet());
        }
    }

    private Map<ObjectRef, ClassParameters> readParameters(List<Finding> findings) {
        Map<ObjectRef, ClassParameters> read = new HashMap<>();
        selection
                .configMaps()
                .forEach((ingressClass, ref) -> {
                    Optional<ClassParameters> before = lastGood.of(ref);
                    Resource.OfConfigMap configMap = configMaps.get(ref);
                    if (configMap == null) {
                        findings.add(missing(ingressClass, ref, before.isPresent()));
                        before.ifPresent(it -> read.put(ref, it));
                    } else if (!read.containsKey(ref)) {
                        ClassParameters.Reading now =
                                ClassParameters.read(
                                        configMap, before.orElse(ClassParameters.NONE));
                        findings.addAll(now.findings());
                        now.parameters()
                                .acme()
                                .filter(configMap.text(ClassParameters.ACME)::equals)
                                .flatMap(word -> acmeProblem(ref, ClassParameters.ACME, word))
                                .map(it ->
                                        configMap.origin().at("data.acme").map(it::at).orElse(it))
                                .ifPresent(findings::add);
                        read.put(ref, now.parameters());
                        lastGood.keep(ref, now.parameters());
                    }
                });
        lastGood.retain(Set.copyOf(selection.configMaps().values()));
        return Map.copyOf(read);
    }

    private Finding missing(ObjectRef ingressClass, ObjectRef configMap, boolean known) {
        return new Finding(
                Reason.CLASS_PARAMETERS_MISSING,
                ingressClass,
                Objects.requireNonNull(classes.get(ingressClass)).origin().at("spec.parameters"),
                "spec.parameters: "
                        + configMap
                        + (known
                                ? " does not exist any more; what it said stays in service"
                                : " does not exist, or may not be read; meanwhile the gateway's"
                                        + " configuration holds"),
                known
                        ? "Create it again, or remove spec.parameters."
                        : "Create it, or grant get, list and watch of it by name, or remove"
                                + " spec.parameters.");
    }

    private void readIngresses() {
        Set<ObjectRef> secrets = new HashSet<>();
        for (ObjectRef ref : dirtyIngresses) {
            Resource.OfIngress ingress = ingresses.get(ref);
            IngressIntent intent = ingress == null ? null : readIngress(ingress);
            standings.put(
                    ref, ingress == null ? null : IngressStanding.of(ingress, intent != null));
            IngressIntent before = intent == null ? intents.remove(ref) : intents.put(ref, intent);
            Set<ObjectRef> namedBefore = secretsNaming(before);
            namingSecrets.replace(ref, namedBefore, secretsNaming(intent));
            releasable.addAll(namedBefore);
            if (intent != null) {
                intent.tls().forEach(section -> section.secret().ifPresent(secrets::add));
            }
        }
        certificates.prepare(secrets);
        dirtyIngresses.forEach(this::contribute);
    }

    private @Nullable IngressIntent readIngress(Resource.OfIngress ingress) {
        return switch (selection.judge(ingress)) {
            case ClassSelection.Verdict.Ours(Optional<ObjectRef> configMap) -> {
                IngressIntent intent =
                        IngressTranslator.translate(
                                ingress,
                                configMap.map(parameters::get).orElse(ClassParameters.NONE));
                List<Finding> findings = new ArrayList<>(intent.findings());
                acmeProblem(intent).ifPresent(findings::add);
                report(ingress.ref(), findings);
                yield intent;
            }
            case ClassSelection.Verdict.Others _ -> {
                report(ingress.ref(), List.of());
                yield null;
            }
            case ClassSelection.Verdict.Unknown(Finding why) -> {
                report(ingress.ref(), List.of(why));
                yield null;
            }
        };
    }

    /**
     * What the Ingress says of ACME, else its Namespace, else its class, else the configuration.
     */
    private String acmeWord(IngressIntent intent, AcmeRules rules) {
        return intent.acme()
                .or(() -> Optional.ofNullable(acmeLabels.get(intent.ref().namespace())))
                .or(intent.parameters()::acme)
                .orElse(rules.everyHost() ? "true" : "false");
    }

    private Optional<Contribution.AcmeAsk> acmeAsk(IngressIntent intent) {
        if (settings.acme().isEmpty()) {
            return Optional.empty();
        }
        AcmeRules rules = settings.acme().get();
        String word = acmeWord(intent, rules);
        List<String> issuers =
                switch (word) {
                    case "true" -> rules.issuers();
                    case "false" -> List.<String>of();
                    // Be it one that is not configured (any more): what it issued is kept.
                    default -> List.of(word);
                };
        return issuers.isEmpty()
                ? Optional.empty()
                : Optional.of(new Contribution.AcmeAsk(issuers, askedBy(intent)));
    }

    private Contribution.AskedBy askedBy(IngressIntent intent) {
        if (intent.acme().isPresent()) {
            return Contribution.AskedBy.ANNOTATION;
        }
        if (acmeLabels.containsKey(intent.ref().namespace())) {
            return Contribution.AskedBy.LABEL;
        }
        return intent.parameters().acme().isPresent()
                ? Contribution.AskedBy.CLASS
                : Contribution.AskedBy.CONFIGURATION;
    }

    /** Of the annotation, or of the label; who has the class to answer for is told by its own. */
    private Optional<Finding> acmeProblem(IngressIntent intent) {
        Optional<String> said =
                settings.acme().isEmpty()
                        ? intent.acme()
                        : intent.acme()
                                .or(() ->
                                        Optional.ofNullable(
                                                acmeLabels.get(intent.ref().namespace())));
        return said.flatMap(word -> acmeProblem(intent.ref(), AcmeRules.KEY, word));
    }

    private Optional<Finding> acmeProblem(ObjectRef object, String key, String word) {
        if (word.equals("false")) {
            return Optional.empty();
        }
        if (settings.acme().isEmpty()) {
            return Optional.of(
                    Finding.of(
                            Reason.ACME_NOT_CONFIGURED,
                            object,
                            key
                                    + ": "
                                    + word
                                    + ", but this gateway has no issuer; nothing is ordered",
                            "Configure acme.directory, or acme.issuers, or bring a Secret."));
        }
        List<String> issuers = settings.acme().get().issuers();
        return word.equals("true") || issuers.contains(word)
                ? Optional.empty()
                : Optional.of(
                        Finding.of(
                                Reason.ISSUER_UNKNOWN,
                                object,
                                key
                                        + ": "
                                        + word
                                        + " (expected: true, false, or one of "
                                        + String.join(", ", issuers)
                                        + ")",
                                "Write true for the configured order of issuers."));
    }

    private static Set<ObjectRef> secretsNaming(@Nullable IngressIntent intent) {
        Set<ObjectRef> secrets = new HashSet<>();
        if (intent != null) {
            for (IngressIntent.TlsSection section : intent.tls()) {
                if (Contribution.namesItself(intent, section)) {
                    section.secret().ifPresent(secrets::add);
                }
            }
        }
        return secrets;
    }

    /** Divides an Ingress among its hosts anew, and marks those for which something changed. */
    private void contribute(ObjectRef ref) {
        IngressIntent intent = intents.get(ref);
        if (intent == null && ingresses.get(ref) == null) {
            report(ref, List.of());
        }
        Map<HostScope, Contribution> known = contributions.get(ref);
        Map<HostScope, Contribution> now =
                intent == null
                        ? Map.of()
                        : Contribution.of(
                                intent, secret -> namesOf(secret, known), acmeAsk(intent));
        Map<HostScope, Contribution> before =
                now.isEmpty() ? contributions.remove(ref) : contributions.put(ref, now);
        if (before != null) {
            before.forEach((scope, contribution) -> {
                if (!contribution.equals(now.get(scope))) {
                    TreeMap<Contribution, Contribution> all = byScope.get(scope);
                    if (all != null) {
                        all.remove(contribution);
                        if (all.isEmpty()) {
                            byScope.remove(scope);
                        }
                    }
                    dirtyScopes.add(scope);
                }
            });
        }
        now.forEach((scope, contribution) -> {
            if (before == null || !contribution.equals(before.get(scope))) {
                byScope.computeIfAbsent(scope, _ -> new TreeMap<>(Contribution.PRECEDENCE))
                        .put(contribution, contribution);
                dirtyScopes.add(scope);
            }
        });
    }

    /** Of a Secret that is still being looked for: the names that were served till now. */
    private Set<Hostname> namesOf(ObjectRef secret, @Nullable Map<HostScope, Contribution> before) {
        CertificateStatus status = certificates.status(secret);
        if (status.isSought() && before != null) {
            return namesWithoutBeingWritten(before);
        }
        return status.inService().map(served -> served.bundle().names()).orElse(Set.of());
    }

    private static Set<Hostname> namesWithoutBeingWritten(Map<HostScope, Contribution> before) {
        Set<Hostname> names = new HashSet<>();
        before.forEach((scope, contribution) -> {
            if (scope instanceof HostScope.Named(Hostname name)
                    && contribution.claims().stream().anyMatch(Contribution.Claim::byItself)) {
                names.add(name);
            }
        });
        return names;
    }

    private void readSecrets() {
        for (ObjectRef secret : dirtySecrets) {
            dirtyScopes.addAll(secretUsers.of(secret));
            namingSecrets.of(secret).forEach(this::contribute);
            defaultsDirty |= settings.defaultCertificate().filter(secret::equals).isPresent();
            reportSecret(secret);
        }
    }

    private boolean isReferenced(ObjectRef secret) {
        return secretUsers.any(secret)
                || namingSecrets.any(secret)
                || settings.defaultCertificate().filter(secret::equals).isPresent();
    }

    /** Whether it is for the gateway itself to make it. */
    private boolean isIssued(ObjectRef secret) {
        return settings.acme().filter(rules -> rules.isOurs(secret)).isPresent();
    }

    private List<Finding> findingsOf(ObjectRef secret) {
        // Nobody has to restore what we issued: another one is, or others serve the host.
        boolean ours = isIssued(secret);
        return certificates.status(secret).findings().stream()
                .filter(it -> !ours || it.reason() != Reason.SECRET_DELETED)
                .toList();
    }

    private void reportSecret(ObjectRef secret) {
        if (isReferenced(secret)) {
            report(secret, findingsOf(secret));
        }
    }

    private HostTranslator.Result resultOf(HostScope scope) {
        return hosts.getOrDefault(scope, HostTranslator.Result.NOTHING);
    }

    private static void noteChallenges(
            Map<Challenge, Route> before,
            Map<Challenge, Route> now,
            Map<Challenge, @Nullable Route> changes) {
        for (Challenge challenge : before.keySet()) {
            if (!now.containsKey(challenge)) {
                changes.put(challenge, null);
            }
        }
        now.forEach((challenge, route) -> {
            if (!route.equals(before.get(challenge))) {
                changes.put(challenge, route);
            }
        });
    }

    private void translateHost(HostScope scope, HostTranslator.Result before) {
        TreeMap<Contribution, Contribution> all = byScope.get(scope);
        HostTranslator.Result result =
                keepIdentity(
                        before,
                        hostTranslator.translate(scope, all == null ? List.of() : all.values()));
        if (all == null) {
            hosts.remove(scope);
        } else {
            hosts.put(scope, result);
        }
        report(scope, result.findings());
        serviceUsers.replace(scope, before.services(), result.services());
        secretUsers.replace(scope, before.secrets(), result.secrets());
        for (ObjectRef secret : before.secrets()) {
            if (!result.secrets().contains(secret)) {
                releasable.add(secret);
            }
        }
        for (ObjectRef secret : result.secrets()) {
            if (!before.secrets().contains(secret)) {
                reportSecret(secret);
            }
        }
        useUpstreams(scope, before.upstreams(), result.upstreams());
    }

    private static HostTranslator.Result keepIdentity(
            HostTranslator.Result before, HostTranslator.Result result) {
        return before.virtualHost().equals(result.virtualHost())
                ? new HostTranslator.Result(
                        before.virtualHost(),
                        result.challenges(),
                        result.certificates(),
                        result.secured(),
                        result.undecided(),
                        result.findings(),
                        result.services(),
                        result.upstreams(),
                        result.secrets(),
                        result.acme(),
                        result.prospects())
                : result;
    }

    private void useUpstreams(HostScope scope, Set<UpstreamKey> before, Set<UpstreamKey> now) {
        upstreamUsers.replace(scope, before, now);
        dirtyUpstreams.addAll(before);
        dirtyUpstreams.addAll(now);
    }

    private void translateGatewayDefault() {
        if (!defaultsDirty || settings.defaultBackend().isEmpty()) {
            return;
        }
        HostTranslator.Result before = gatewayDefault;
        gatewayDefault =
                keepIdentity(
                        before, hostTranslator.translateDefault(settings.defaultBackend().get()));
        report(DEFAULT_BACKEND_STEP, gatewayDefault.findings());
        dirtyUpstreams.addAll(before.upstreams());
        dirtyUpstreams.addAll(gatewayDefault.upstreams());
    }

    private ShardedMap<UpstreamKey, Upstream> translateUpstreams() {
        Map<UpstreamKey, @Nullable Upstream> changes = new LinkedHashMap<>();
        for (UpstreamKey key : dirtyUpstreams) {
            ServiceRef ref = ServiceRef.of(key);
            Resource.OfService service = services.get(ref);
            boolean used = upstreamUsers.any(key) || gatewayDefault.upstreams().contains(key);
            if (!used || service == null) {
                portsInUse.replace(key, Set.of(ref), Set.of());
                if (upstreamResults.remove(key) != null) {
                    changes.put(key, null);
                    report(key, List.of());
                }
                continue;
            }
            portsInUse.replace(key, Set.of(), Set.of(ref));
            TreeMap<ObjectRef, Resource.OfEndpointSlice> found = slicesByService.get(ref);
            UpstreamTranslator.Result result =
                    upstreamTranslator.translate(
                            key, service, found == null ? List.of() : found.values());
            UpstreamTranslator.Result before = upstreamResults.put(key, result);
            if (before == null || !before.upstream().equals(result.upstream())) {
                changes.put(key, result.upstream());
            }
            report(key, result.findings());
        }
        return current.upstreams().with(changes);
    }

    private RoutingTable routes(ChallengeTable challenges, HostTable<VirtualHost> hostTable) {
        HostTranslator.Result any = hosts.get(HostScope.Any.ANY);
        VirtualHost anyHost =
                any == null
                        ? RoutingTable.EMPTY.anyHost()
                        : any.virtualHost().orElse(RoutingTable.EMPTY.anyHost());
        Optional<Route> fallback = gatewayDefault.virtualHost().flatMap(VirtualHost::fallback);
        RoutingTable before = current.routes();
        return same(challenges, before.challenges())
                        && same(hostTable, before.hosts())
                        && same(anyHost, before.anyHost())
                        && fallback.equals(before.fallback())
                ? before
                : new RoutingTable(challenges, hostTable, anyHost, fallback);
    }

    private CertificateTable certificates(
            HostTable<CertificateSet> served, Optional<CertificateSet> defaultSet) {
        Optional<CertificateSet> fallback = settings.strictSni() ? Optional.empty() : defaultSet;
        CertificateTable before = current.certificates();
        return same(served, before.hosts())
                        && fallback.equals(before.fallback())
                        && ownChallenges.tls().equals(before.challenges())
                ? before
                : new CertificateTable(served, fallback, ownChallenges.tls());
    }

    /** The configured one while it can be used, else the gateway's own. */
    private Optional<CertificateSet> defaultCertificate() {
        if (!defaultsDirty) {
            return defaultSet;
        }
        CertificateSet chosen = null;
        List<Finding> findings = List.of();
        if (settings.defaultCertificate().isPresent()) {
            ObjectRef secret = settings.defaultCertificate().get();
            CertificateStatus status = certificates.status(secret);
            report(secret, findingsOf(secret));
            noteDefaultProspect(
                    isIssued(secret) || settings.strictSni() // then there is no default
                            ? Prospect.NONE
                            : Prospect.of(certificates.isAwaited(secret), status.exists()));
            if (status.inService().isPresent()) {
                chosen = certificateSet(List.of(status.inService().get()), defaultSet.orElse(null));
            } else if (!status.exists() && !isIssued(secret)) {
                findings =
                        List.of(
                                Finding.of(
                                        Reason.SECRET_MISSING,
                                        ObjectRef.gateway("default-certificate"),
                                        secret
                                                + " does not exist; a self-signed certificate is the"
                                                + " default",
                                        "Create the Secret, or configure another."));
            }
        }
        report(DEFAULT_CERTIFICATE_STEP, findings);
        defaultSet = Optional.ofNullable(chosen).or(settings::fallbackCertificate);
        return defaultSet;
    }

    /**
     * What was served stays until the Secret is found that is asked for instead, though nobody is
     * given what another namespace was served with.
     */
    private static @Nullable CertificateSet chosen(
            HostTranslator.Result result, @Nullable CertificateSet before) {
        boolean stays =
                before != null
                        && result.certificates().isEmpty()
                        && before.certificates().stream()
                                .map(served -> served.source().namespace())
                                .allMatch(result.undecided()::contains);
        return stays ? before : certificateSet(result.certificates(), before);
    }

    /** Of a wildcard: it may be about to serve all below it. */
    private void noteProspect(Hostname name, HostTranslator.@Nullable Result result) {
        if (name instanceof Hostname.Wildcard(String parent)) {
            Map<String, Prospect> now = result == null ? Map.of() : result.prospects();
            Map<String, Prospect> before =
                    now.isEmpty()
                            ? wildcardProspects.remove(parent)
                            : wildcardProspects.put(parent, now);
            prospectsDirty |= !now.equals(before == null ? Map.of() : before);
        }
    }

    private void noteDefaultProspect(Prospect now) {
        prospectsDirty |= now != defaultProspect;
        defaultProspect = now;
    }

    /** Who asks for certificates, and what may be about to serve them. */
    private void noteAsking() {
        if (settings.acme().isEmpty()) {
            return;
        }
        Set<Hostname> names = new HashSet<>();
        for (HostScope scope : dirtyScopes) {
            if (scope instanceof HostScope.Named(Hostname name)) {
                names.add(name);
            }
        }
        if (prospectsDirty) {
            current.acmeHosts().forEach((name, _) -> names.add(name));
        }
        for (Hostname name : names) {
            HostTranslator.Result result = hosts.get(new HostScope.Named(name));
            AcmeHost asking =
                    result == null
                            ? null
                            : result.acme()
                                    .map(it -> it.with(prospect(name, result.prospects())))
                                    .orElse(null);
            if (!Objects.equals(current.acmeHosts().get(name), asking)) {
                acmeChanges.put(name, asking);
            }
        }
    }

    /** Of Secrets of namespaces that may have certificates for the host, and the default one. */
    private Prospect prospect(Hostname name, Map<String, Prospect> own) {
        return Stream.concat(own.entrySet().stream(), above(name).entrySet().stream())
                .filter(it ->
                        settings.acme().filter(acme -> acme.allows(it.getKey(), name)).isPresent())
                .map(Map.Entry::getValue)
                .reduce(defaultProspect, Prospect::or);
    }

    private Map<String, Prospect> above(Hostname name) {
        int dot = name instanceof Hostname.Exact ? name.text().indexOf('.') : -1;
        return dot > 0
                ? wildcardProspects.getOrDefault(name.text().substring(dot + 1), Map.of())
                : Map.of();
    }

    /** The set of {@code certificates}; {@code before} where it is the same. */
    private static @Nullable CertificateSet certificateSet(
            List<ServedCertificate> certificates, @Nullable CertificateSet before) {
        if (certificates.isEmpty()) {
            return null;
        }
        CertificateSet set = CertificateSet.of(certificates);
        return before != null && before.certificates().equals(set.certificates()) ? before : set;
    }

    /** What {@link #strictDefaults} put into the table is nobody's own. */
    private @Nullable CertificateSet ownSet(@Nullable CertificateSet inTable) {
        return inTable == null || strictDefault == inTable ? null : inTable;
    }

    private void noteUncertified(
            HostScope scope, HostTranslator.@Nullable Result result, @Nullable CertificateSet set) {
        if (settings.strictSni()) {
            if (result != null && result.secured() && set == null) {
                uncertified.add(scope);
            } else {
                uncertified.remove(scope);
            }
        }
    }

    /**
     * In strict mode there is no default for names that nobody speaks of. A host with a TLS section
     * that has no certificate (yet) is spoken of: it is given the default certificate, unless a
     * wildcard's fits.
     */
    private HostTable<CertificateSet> strictDefaults(
            HostTable<CertificateSet> served, Optional<CertificateSet> defaults) {
        if (!settings.strictSni()) {
            return served;
        }
        CertificateSet set = defaults.orElse(null);
        Map<Hostname, @Nullable CertificateSet> changes = new LinkedHashMap<>();
        for (HostScope scope : uncertified) {
            if (scope instanceof HostScope.Named(Hostname name)) {
                CertificateSet wildcard =
                        name instanceof Hostname.Exact(String text)
                                ? ownSet(served.findWildcard(text))
                                : null;
                CertificateSet wanted = wildcard == null ? set : null;
                if (served.get(name) != wanted) {
                    changes.put(name, wanted);
                }
            }
        }
        strictDefault = set;
        return served.with(changes);
    }

    private void releaseSecrets() {
        for (ObjectRef secret : releasable) {
            if (!isReferenced(secret)) {
                certificates.release(secret);
                report(secret, List.of());
            }
        }
    }

    private Translation withFindings(
            RoutingTable routes,
            CertificateTable table,
            ShardedMap<UpstreamKey, Upstream> upstreams) {
        List<Finding> appeared = new ArrayList<>();
        List<Finding> resolved = new ArrayList<>();
        ShardedMap<Object, List<Finding>> before = current.findings().byStep();
        dirtyFindings.forEach((step, now) -> {
            List<Finding> old = before.get(step);
            List<Finding> was = old == null ? List.of() : old;
            List<Finding> is = now == null ? List.of() : now;
            is.stream().filter(finding -> !was.contains(finding)).forEach(appeared::add);
            was.stream().filter(finding -> !is.contains(finding)).forEach(resolved::add);
        });
        FindingIndex findings =
                appeared.isEmpty() && resolved.isEmpty()
                        ? current.findings()
                        : new FindingIndex(before.with(dirtyFindings));
        return new Translation(
                settings.listeners(),
                routes,
                table,
                upstreams,
                current.ingresses().with(standings),
                current.acmeHosts().with(acmeChanges),
                findings,
                appeared.stream().distinct().sorted(FindingIndex.ORDER).toList(),
                resolved.stream().distinct().sorted(FindingIndex.ORDER).toList());
    }

    /** New sets, since clearing (or walking) one costs what it once held: all, after the start. */
    private void clearDirt() {
        classesDirty = false;
        defaultsDirty = false;
        prospectsDirty = false;
        dirtyIngresses = new HashSet<>();
        dirtyScopes = new HashSet<>();
        dirtyUpstreams = new HashSet<>();
        dirtySecrets = new HashSet<>();
        releasable = new HashSet<>();
        dirtyFindings = new HashMap<>();
        standings = new HashMap<>();
        acmeChanges = new HashMap<>();
    }

    @SuppressWarnings("ReferenceEquality") // identity is what tells the data plane to skip a part
    private static boolean same(@Nullable Object one, @Nullable Object other) {
        return one == other;
    }

    /** Who reads what: from a thing to those that read it. */
    private static final class Users<T, U> {
        private final Map<T, Set<U>> users = new HashMap<>();

        /** A copy, for what is done with the answer may change it. */
        Collection<U> of(T thing) {
            Set<U> found = users.get(thing);
            return found == null ? List.of() : new ArrayList<>(found);
        }

        boolean any(T thing) {
            return users.containsKey(thing);
        }

        void replace(U user, Set<T> before, Set<T> now) {
            for (T thing : before) {
                if (!now.contains(thing)) {
                    Set<U> found = users.get(thing);
                    if (found != null) {
                        found.remove(user);
                        if (found.isEmpty()) {
                            users.remove(thing);
                        }
                    }
                }
            }
            for (T thing : now) {
                if (!before.contains(thing)) {
                    users.computeIfAbsent(thing, _ -> new HashSet<>()).add(user);
                }
            }
        }
    }
}

package dev.sallyport.control.translate;

import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.translate.IngressIntent.ChallengeRule;
import dev.sallyport.control.translate.IngressIntent.Issuance;
import dev.sallyport.control.translate.IngressIntent.PathRule;
import dev.sallyport.control.translate.IngressIntent.Target;
import dev.sallyport.control.translate.IngressIntent.TlsSection;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.Challenge;
import dev.sallyport.model.route.PathMatch;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.networking.v1.HTTPIngressPath;
import io.fabric8.kubernetes.api.model.networking.v1.IngressBackend;
import io.fabric8.kubernetes.api.model.networking.v1.IngressRule;
import io.fabric8.kubernetes.api.model.networking.v1.IngressServiceBackend;
import io.fabric8.kubernetes.api.model.networking.v1.IngressSpec;
import io.fabric8.kubernetes.api.model.networking.v1.IngressTLS;
import io.fabric8.kubernetes.api.model.networking.v1.ServiceBackendPort;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads one Ingress. Pure and total: whatever is wrong with a part becomes a finding, and the other
 * parts are read all the same.
 */
final class IngressTranslator {
    private static final PathMatch EVERYTHING = new PathMatch.Prefix("/");

    private final ObjectRef ref;
    private final Origin origin;
    private final @Nullable ObjectMeta metadata;
    private final ClassParameters parameters;
    private final List<Finding> findings = new ArrayList<>();
    private final List<PathRule> rules = new ArrayList<>();
    private final List<ChallengeRule> challenges = new ArrayList<>();
    private final Set<HostScope> scopes = new LinkedHashSet<>();
    private boolean ruled; // whether there is a rule that is not there for a challenge alone

    private IngressTranslator(Resource.OfIngress resource, ClassParameters parameters) {
        this.ref = resource.ref();
        this.origin = resource.origin();
        this.metadata = resource.ingress().getMetadata();
        this.parameters = parameters;
    }

    /**
     * What the Ingress asks for.
     *
     * @param parameters what its class says
     */
    static IngressIntent translate(Resource.OfIngress resource, ClassParameters parameters) {
        return new IngressTranslator(resource, parameters)
                .read(
                        resource.ingress().getSpec(),
                        createdAt(resource.ingress().getMetadata().getCreationTimestamp()));
    }

    /** {@link Instant#MAX} where an object does not say: younger than all that do. */
    static Instant createdAt(@Nullable String timestamp) {
        if (timestamp == null || timestamp.isBlank()) {
            return Instant.MAX;
        }
        try {
            return Instant.parse(timestamp);
        } catch (DateTimeParseException notATime) {
            return Instant.MAX;
        }
    }

    private IngressIntent read(@Nullable IngressSpec spec, Instant created) {
        if (spec == null) {
            invalid("spec", "missing (expected: rules or a defaultBackend)", "Add a spec.");
            return new IngressIntent(
                    ref,
                    created,
                    List.of(),
                    List.of(),
                    Set.of(),
                    Optional.empty(),
                    List.of(),
                    Optional.empty(),
                    parameters,
                    findings());
        }
        Optional<Target> fallback =
                spec.getDefaultBackend() == null
                        ? Optional.empty()
                        : Optional.of(readTarget(spec.getDefaultBackend(), "spec.defaultBackend"));
        List<IngressRule> written = orEmpty(spec.getRules());
        for (int i = 0; i < written.size(); i++) {
            if (written.get(i) != null) {
                readRule(written.get(i), "spec.rules[" + i + "]", fallback);
            }
        }
        if (written.isEmpty() || (fallback.isPresent() && !ruled)) {
            scopes.add(HostScope.Any.ANY);
        }
        List<TlsSection> sections = readTls(orEmpty(spec.getTls()));
        return new IngressIntent(
                ref,
                created,
                List.copyOf(rules),
                List.copyOf(challenges),
                Collections.unmodifiableSet(scopes),
                fallback,
                sections,
                acme(),
                parameters,
                findings());
    }

    private Optional<String> acme() {
        return metadata == null || metadata.getAnnotations() == null
                ? Optional.empty()
                : Optional.ofNullable(metadata.getAnnotations().get(AcmeRules.KEY));
    }

    private List<Finding> findings() {
        return List.copyOf(findings);
    }

    private void readRule(IngressRule rule, String field, Optional<Target> fallback) {
        Optional<HostScope> read = readScope(rule.getHost(), field + ".host");
        if (read.isEmpty()) {
            ruled = true;
            return;
        }
        HostScope scope = read.get();
        List<HTTPIngressPath> paths =
                rule.getHttp() == null ? List.of() : orEmpty(rule.getHttp().getPaths());
        boolean onlyChallenges = onlyChallenges(scope, paths);
        ruled |= !onlyChallenges;
        if (!onlyChallenges || fallback.isPresent()) {
            scopes.add(scope);
        }
        if (paths.isEmpty()) {
            // "If unspecified, the rule defaults to a http catch-all."
            fallback.ifPresent(target -> rules.add(new PathRule(scope, EVERYTHING, target)));
        }
        for (int i = 0; i < paths.size(); i++) {
            if (paths.get(i) != null) {
                readPath(scope, paths.get(i), field + ".http.paths[" + i + "]");
            }
        }
    }

    /** Whether the rule says nothing of its host but what a solver has to answer. */
    private boolean onlyChallenges(HostScope scope, List<HTTPIngressPath> paths) {
        return !paths.isEmpty()
                && paths.stream()
                        .filter(Objects::nonNull)
                        .allMatch(path ->
                                CertManagerObjects.challenge(metadata, scope, path).isPresent());
    }

    private Optional<HostScope> readScope(@Nullable String host, String field) {
        if (host == null || host.isBlank()) {
            return Optional.of(HostScope.Any.ANY);
        }
        return readHost(host, field).map(HostScope.Named::new);
    }

    private Optional<Hostname> readHost(String host, String field) {
        try {
            return Optional.of(Hostname.parse(host));
        } catch (IllegalArgumentException notAName) {
            report(
                    Reason.HOST_INVALID,
                    field,
                    field
                            + ": "
                            + String.valueOf(notAName.getMessage()).replaceFirst("^host: ", ""),
                    "Write a DNS name such as shop.example.com or *.example.com,"
                            + " or leave host out to match every host.");
            return Optional.empty();
        }
    }

    private void readPath(HostScope scope, HTTPIngressPath path, String field) {
        Target target = readTarget(path.getBackend(), field + ".backend");
        Optional<Challenge> challenge = CertManagerObjects.challenge(metadata, scope, path);
        if (challenge.isPresent()) {
            challenges.add(
                    new ChallengeRule(
                            scope, challenge.get(), target, CertManagerObjects.isSolver(metadata)));
            return;
        }
        String text = path.getPath() == null ? "" : path.getPath();
        String type = path.getPathType() == null ? "" : path.getPathType();
        String problem = pathProblem(text, type);
        if (!problem.isEmpty()) {
            reportPath(field, problem);
            return;
        }
        try {
            PathMatch match =
                    type.equals("Exact")
                            ? new PathMatch.Exact(text)
                            : new PathMatch.Prefix(text.isEmpty() ? "/" : text);
            rules.add(new PathRule(scope, match, target));
        } catch (IllegalArgumentException noRequestHasIt) {
            reportPath(field, "." + noRequestHasIt.getMessage());
        }
    }

    private void reportPath(String field, String problem) {
        report(
                Reason.PATH_INVALID,
                field,
                field + problem,
                "Correct the path; requests are routed as if it were not there.");
    }

    /** Empty where the path is as the API server would have it. */
    private static String pathProblem(String path, String type) {
        switch (type) {
            case "Exact", "Prefix", "ImplementationSpecific" -> {}
            default -> {
                return ".pathType: "
                        + (type.isEmpty() ? "missing" : type)
                        + " (expected: Exact, Prefix or ImplementationSpecific)";
            }
        }
        if (path.isEmpty()) {
            return type.equals("Exact")
                    ? ".path: missing (expected: an absolute path, starting with '/')"
                    : "";
        }
        if (path.charAt(0) != '/') {
            return ".path: " + path + " (expected: an absolute path, starting with '/')";
        }
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (c <= ' ' || c == 0x7f || c == '?' || c == '#') {
                return ".path: "
                        + "a character that no request path has, at index "
                        + i
                        + " (expected: a path without query, fragment and white space)";
            }
        }
        if (!type.equals("ImplementationSpecific") && neverMatches(path)) {
            return ".path: " + path + " (expected: no '//', '/./', '/../' and no encoded slash)";
        }
        return "";
    }

    private static boolean neverMatches(String path) {
        return path.contains("//")
                || path.contains("/./")
                || path.contains("/../")
                || path.endsWith("/.")
                || path.endsWith("/..")
                || path.toLowerCase(Locale.ROOT).contains("%2f");
    }

    private Target readTarget(@Nullable IngressBackend backend, String field) {
        return new Target(readBackend(backend, field), origin.at(field));
    }

    private Optional<BackendReference> readBackend(@Nullable IngressBackend backend, String field) {
        if (backend == null || (backend.getService() == null && backend.getResource() == null)) {
            invalid(
                    field + ".service",
                    "missing (expected: the Service that requests go to)",
                    "Name a Service; until then requests are answered 503.");
            return Optional.empty();
        }
        IngressServiceBackend service = backend.getService();
        if (service == null) {
            report(
                    Reason.BACKEND_RESOURCE_UNSUPPORTED,
                    field,
                    field
                            + ".resource: "
                            + backend.getResource().getKind()
                            + " "
                            + backend.getResource().getName()
                            + " (expected: a service)",
                    "Name a Service instead; until then requests are answered 503.");
            return Optional.empty();
        }
        if (service.getName() == null || service.getName().isBlank()) {
            invalid(
                    field + ".service.name",
                    "missing (expected: the name of a Service)",
                    "Name a Service; until then requests are answered 503.");
            return Optional.empty();
        }
        return readPort(service.getPort(), field + ".service.port")
                .map(port -> new BackendReference(ref.namespace(), service.getName(), port));
    }

    private Optional<PortReference> readPort(@Nullable ServiceBackendPort port, String field) {
        if (port != null && port.getNumber() != null) {
            int number = port.getNumber();
            if (number >= 1 && number <= 65535) {
                return Optional.of(new PortReference.ByNumber(number));
            }
            invalid(
                    field + ".number",
                    number + " (expected: 1–65535)",
                    "Write a port of the Service; until then requests are answered 503.");
            return Optional.empty();
        }
        if (port != null && port.getName() != null && !port.getName().isBlank()) {
            return Optional.of(new PortReference.ByName(port.getName()));
        }
        invalid(
                field,
                "missing (expected: a name or a number)",
                "Write a port of the Service; until then requests are answered 503.");
        return Optional.empty();
    }

    private List<TlsSection> readTls(List<IngressTLS> written) {
        List<TlsSection> sections = new ArrayList<>();
        boolean issued = CertManagerObjects.issuesFor(metadata);
        boolean ambiguous = issued && namesOneSecretTwice(written);
        for (int i = 0; i < written.size(); i++) {
            IngressTLS section = written.get(i);
            if (section == null) {
                continue;
            }
            String field = "spec.tls[" + i + "]";
            List<String> names = orEmpty(section.getHosts());
            Set<Hostname> hosts = new LinkedHashSet<>();
            for (int j = 0; j < names.size(); j++) {
                if (names.get(j) != null) {
                    readHost(names.get(j), field + ".hosts[" + j + "]").ifPresent(hosts::add);
                }
            }
            if (hosts.isEmpty() && !names.isEmpty()) {
                continue; // all wrong is not the same as none, which would mean all of the rules
            }
            Optional<ObjectRef> secret =
                    section.getSecretName() == null || section.getSecretName().isBlank()
                            ? Optional.empty()
                            : Optional.of(
                                    new ObjectRef(
                                            "Secret", ref.namespace(), section.getSecretName()));
            Issuance issuance =
                    !issued
                            ? Issuance.NONE
                            : ambiguous || names.isEmpty() ? Issuance.SKIPPED : Issuance.AUTOMATIC;
            sections.add(
                    new TlsSection(
                            Collections.unmodifiableSet(hosts),
                            secret,
                            issuance,
                            origin.at(field)));
        }
        return List.copyOf(sections);
    }

    /** cert-manager issues nothing at all for such an Ingress; no name counts as one, too. */
    private static boolean namesOneSecretTwice(List<IngressTLS> written) {
        Set<String> seen = new HashSet<>();
        return written.stream()
                .filter(Objects::nonNull)
                .map(section -> section.getSecretName() == null ? "" : section.getSecretName())
                .anyMatch(name -> !seen.add(name));
    }

    private void invalid(String field, String what, String advice) {
        report(Reason.OBJECT_INVALID, field, field + ": " + what, advice);
    }

    private void report(Reason reason, String field, String message, String advice) {
        findings.add(new Finding(reason, ref, origin.at(field), message, advice));
    }

    private static <T> List<T> orEmpty(@Nullable List<T> list) {
        return list == null ? List.of() : list;
    }
}

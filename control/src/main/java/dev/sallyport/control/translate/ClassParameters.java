package dev.sallyport.control.translate;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.HttpsRedirect;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClassParametersReference;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClassSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the Ingresses of a class have in common, where it differs from the gateway's configuration:
 * the contents of the ConfigMap that {@code spec.parameters} of an IngressClass names. Its keys are
 * those of the configuration.
 *
 * <p>"parameters is a link to a custom resource containing additional configuration for the
 * controller. This is optional if the controller does not require extra parameters."
 *
 * @param redirects whether plain requests for hosts with a TLS section are sent to HTTPS
 * @param redirectStatus by which status: 301, 302, 303, 307 or 308
 * @param redirectPort the port that clients reach HTTPS on, 1 to 65535
 * @param acme what {@link AcmeRules#KEY} says where neither an Ingress nor its Namespace has it
 */
public record ClassParameters(
        Optional<Boolean> redirects,
        Optional<Integer> redirectStatus,
        Optional<Integer> redirectPort,
        Optional<String> acme) {

    /** Of a class that says nothing. */
    static final ClassParameters NONE =
            new ClassParameters(
                    Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    private static final String REDIRECT = "redirect.enabled";
    private static final String REDIRECT_STATUS = "redirect.status";
    private static final String REDIRECT_PORT = "redirect.port";

    /** What the annotation says by itself. */
    static final String ACME = "acme";

    private static final Set<String> KEYS =
            new TreeSet<>(Set.of(REDIRECT, REDIRECT_STATUS, REDIRECT_PORT, ACME));
    private static final Pattern ISSUER = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?");
    private static final Pattern PORT = Pattern.compile("[0-9]{1,5}");
    private static final int SHOWN = 60;
    private static final int UNKNOWN_TOLD = 3;

    /**
     * The ConfigMap with the parameters of a class that is ours, or may be; what another
     * controller's class names is in that one's words. Empty where it names none, or does so in a
     * way that no API server takes.
     */
    public static Optional<ObjectRef> configMap(
            Resource.OfIngressClass resource, TranslationSettings settings) {
        boolean asked =
                settings.ingressClasses().isEmpty()
                        || settings.ingressClasses().contains(resource.ref().name());
        return asked && ClassSelection.isOwn(resource) ? configMap(resource) : Optional.empty();
    }

    private static Optional<ObjectRef> configMap(Resource.OfIngressClass resource) {
        IngressClassSpec spec = resource.ingressClass().getSpec();
        IngressClassParametersReference named = spec == null ? null : spec.getParameters();
        return named != null
                        && "ConfigMap".equals(named.getKind())
                        && (named.getApiGroup() == null || named.getApiGroup().isEmpty())
                        && "Namespace".equals(named.getScope())
                        && isName(named.getNamespace())
                        && isName(named.getName())
                ? Optional.of(new ObjectRef("ConfigMap", named.getNamespace(), named.getName()))
                : Optional.empty();
    }

    /** An API server takes others here, which no ConfigMap can have. */
    private static boolean isName(@Nullable String text) {
        return text != null && NAME.matcher(text).matches();
    }

    /** How plain requests are sent to HTTPS; empty where they are not. */
    Optional<HttpsRedirect> redirect(boolean gatewayRedirects, HttpsRedirect gateways) {
        return redirects.orElse(gatewayRedirects)
                ? Optional.of(
                        new HttpsRedirect(
                                redirectStatus.orElse(gateways.status()),
                                redirectPort.orElse(gateways.port())))
                : Optional.empty();
    }

    /**
     * What a ConfigMap says, and what is wrong with it.
     *
     * @param parameters of which those that cannot be read are as they were before
     */
    record Reading(ClassParameters parameters, List<Finding> findings) {}

    /**
     * Reads a ConfigMap.
     *
     * @param before its contents when they were good; stand in for what is not
     */
    static Reading read(Resource.OfConfigMap resource, ClassParameters before) {
        return new Reader(resource).read(before);
    }

    /** Reads one ConfigMap. */
    private static final class Reader {
        private final Resource.OfConfigMap resource;
        private final Map<String, String> data;
        private final List<Finding> findings = new ArrayList<>();

        Reader(Resource.OfConfigMap resource) {
            this.resource = resource;
            Map<String, String> written = resource.configMap().getData();
            this.data = written == null ? Map.of() : written;
        }

        Reading read(ClassParameters before) {
            var parameters =
                    new ClassParameters(
                            value(
                                    REDIRECT,
                                    before.redirects,
                                    ClassParameters::flag,
                                    "\"true\" or \"false\""),
                            value(
                                    REDIRECT_STATUS,
                                    before.redirectStatus,
                                    ClassParameters::status,
                                    "301, 302, 303, 307 or 308"),
                            value(
                                    REDIRECT_PORT,
                                    before.redirectPort,
                                    ClassParameters::port,
                                    "1–65535"),
                            value(
                                    ACME,
                                    before.acme,
                                    ClassParameters::issuer,
                                    "\"true\", \"false\" or the name of an issuer"));
            List<String> unknown =
                    data.keySet().stream().filter(key -> !KEYS.contains(key)).sorted().toList();
            unknown.stream().limit(UNKNOWN_TOLD).forEach(key -> unknown(key, unknown.size()));
            return new Reading(parameters, List.copyOf(findings));
        }

        private <T> Optional<T> value(
                String key,
                Optional<T> before,
                Function<String, Optional<T>> parser,
                String expected) {
            String text = data.get(key);
            if (text == null) {
                return Optional.empty();
            }
            Optional<T> parsed = parser.apply(text.strip());
            if (parsed.isPresent()) {
                return parsed;
            }
            report(
                    key,
                    key + ": " + printable(text) + " (expected: " + expected + ")",
                    before.isPresent()
                            ? "Correct it; meanwhile it is as it was before."
                            : "Correct it; meanwhile it is as the gateway's configuration says.");
            return before;
        }

        private void unknown(String key, int all) {
            report(
                    key,
                    printable(key)
                            + ": unknown (expected: "
                            + String.join(", ", KEYS)
                            + (all > UNKNOWN_TOLD ? "; one of " + all + " unknown)" : ")"),
                    "Remove it, or correct the name.");
        }

        private void report(String key, String message, String advice) {
            findings.add(
                    new Finding(
                            Reason.CLASS_PARAMETERS_INVALID,
                            resource.ref(),
                            resource.origin().at("data." + key),
                            message,
                            advice));
        }
    }

    private static Optional<Boolean> flag(String text) {
        return switch (text) {
            case "true" -> Optional.of(true);
            case "false" -> Optional.of(false);
            default -> Optional.empty();
        };
    }

    private static Optional<Integer> status(String text) {
        return switch (text) {
            case "301", "302", "303", "307", "308" -> Optional.of(Integer.valueOf(text));
            default -> Optional.empty();
        };
    }

    private static Optional<Integer> port(String text) {
        return PORT.matcher(text).matches()
                ? Optional.of(Integer.valueOf(text)).filter(port -> port >= 1 && port <= 65535)
                : Optional.empty();
    }

    private static Optional<String> issuer(String text) {
        return Optional.of(text).filter(name -> ISSUER.matcher(name).matches());
    }

    private static String printable(String text) {
        String shown = text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text;
        return shown.replaceAll("\\p{Cntrl}", "?");
    }
}

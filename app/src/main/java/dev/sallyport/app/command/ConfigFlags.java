package dev.sallyport.app.command;

import dev.sallyport.app.config.BindAddress;
import dev.sallyport.app.config.ConfigLoader;
import dev.sallyport.app.config.ConfigLoader.FlagValue;
import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.app.config.InvalidConfiguration;
import dev.sallyport.app.config.Problem;
import dev.sallyport.app.config.Setting;
import dev.sallyport.app.config.Source;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags that configure a gateway. */
final class ConfigFlags {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration, as YAML. Default: $SALLYPORT_CONFIG, else none.")
    private @Nullable Path file;

    @Option(
            names = "--resources",
            paramLabel = "DIR",
            description = "The folder of Kubernetes manifests to serve.")
    private @Nullable String resources;

    @Option(
            names = "--kubeconfig",
            paramLabel = "FILE",
            description =
                    "Serve the objects of the API server that FILE's current context names. Default: without"
                            + " --resources, those of the cluster whose pod this runs in.")
    private @Nullable String kubeconfig;

    @Option(
            names = "--watch-namespace",
            paramLabel = "NS",
            description = "Watch this namespace only; may be repeated. Default: all.")
    private List<String> watchNamespaces = new ArrayList<>();

    @Option(
            names = "--ingress-class",
            paramLabel = "NAME",
            description =
                    "An IngressClass to serve; may be repeated. Default: those of this controller, and the class"
                            + " sallyport.")
    private List<String> ingressClasses = new ArrayList<>();

    @Option(
            names = "--publish-address",
            paramLabel = "ADDR",
            description =
                    "An IP address or host name of the gateway for the status of Ingresses; may be repeated.")
    private List<String> publishAddresses = new ArrayList<>();

    @Option(
            names = "--publish-service",
            paramLabel = "NS/NAME",
            description = "The Service whose addresses the status of Ingresses gets, instead.")
    private @Nullable String publishService;

    @Option(
            names = "--http",
            paramLabel = "ADDR:PORT",
            description =
                    "Where plain HTTP is served; may be repeated. Default: 0.0.0.0:8080. An IPv6 address is written"
                            + " [::]:8080.")
    private List<String> http = new ArrayList<>();

    @Option(
            names = "--https",
            paramLabel = "ADDR:PORT",
            description = "Where HTTPS is served; may be repeated. Default: 0.0.0.0:8443.")
    private List<String> https = new ArrayList<>();

    @Option(
            names = "--admin",
            paramLabel = "ADDR:PORT",
            description = "Health, metrics and what is served. Default: 127.0.0.1:9090.")
    private @Nullable String admin;

    @Option(
            names = "--acme-directory",
            paramLabel = "URL",
            description =
                    "Have certificates issued for all hosts by the CA with this directory: an https:// URL, or"
                            + " letsencrypt, letsencrypt-staging, zerossl, google.")
    private @Nullable String acmeDirectory;

    @Option(
            names = "--acme-agree-terms",
            description = "You have read that CA's terms of service, and agree to them.")
    private boolean acmeAgreeTerms;

    @Option(
            names = "--acme-contact",
            paramLabel = "MAIL",
            description = "Where that CA may reach you; may be repeated.")
    private List<String> acmeContacts = new ArrayList<>();

    @Option(
            names = "--acme-ca",
            paramLabel = "FILE",
            description =
                    "The authority of that CA's own HTTPS certificate, as PEM, where the system does not know it.")
    private @Nullable String acmeCa;

    @Option(
            names = "--state",
            paramLabel = "DIR",
            description =
                    "The folder that keeps accounts and certificates of a gateway on a folder. Default:"
                            + " ~/.local/state/sallyport/acme.")
    private @Nullable String state;

    /** Reads the configuration that they complete. */
    EffectiveConfig load(Map<String, String> environment) throws Failed {
        EffectiveConfig config = load(Optional.ofNullable(file), environment, given());
        refuseTwoSources(config.settings());
        return config;
    }

    private List<FlagValue> given() {
        List<FlagValue> flags = new ArrayList<>();
        add(flags, "resources", "--resources", resources);
        add(flags, "kubernetes.kubeconfig", "--kubeconfig", kubeconfig);
        add(flags, "kubernetes.watch-namespaces", "--watch-namespace", watchNamespaces);
        add(flags, "kubernetes.publish-addresses", "--publish-address", publishAddresses);
        add(flags, "kubernetes.publish-service", "--publish-service", publishService);
        add(flags, "ingress.classes", "--ingress-class", ingressClasses);
        add(flags, "listeners.http", "--http", http);
        add(flags, "listeners.https", "--https", https);
        add(flags, "listeners.admin", "--admin", admin);
        add(flags, "acme.directory", "--acme-directory", acmeDirectory);
        add(flags, "acme.agree-terms", "--acme-agree-terms", acmeAgreeTerms ? "true" : null);
        add(flags, "acme.contacts", "--acme-contact", acmeContacts);
        add(flags, "acme.ca-file", "--acme-ca", acmeCa);
        add(flags, "acme.state", "--state", state);
        return flags;
    }

    private static void add(
            List<FlagValue> flags, String key, String name, @Nullable String value) {
        if (value != null) {
            flags.add(new FlagValue(key, name, List.of(value)));
        }
    }

    private static void add(List<FlagValue> flags, String key, String name, List<String> values) {
        if (!values.isEmpty()) {
            flags.add(new FlagValue(key, name, values));
        }
    }

    /**
     * A folder and a cluster at once: one of them would be ignored without a word. What a
     * configuration file says for the cluster's sake may stay there while a folder is tried.
     */
    private static void refuseTwoSources(List<Setting> settings) throws Failed {
        Setting folder =
                settings.stream()
                        .filter(setting -> setting.key().equals("resources"))
                        .filter(setting -> !setting.value().isEmpty())
                        .findFirst()
                        .orElse(null);
        if (folder == null) {
            return;
        }
        List<Problem> problems =
                settings.stream()
                        .filter(setting -> setting.key().startsWith("kubernetes."))
                        .filter(setting ->
                                setting.source() instanceof Source.Flag
                                        || (setting.key().equals("kubernetes.kubeconfig")
                                                && !setting.value().isEmpty()))
                        .map(setting ->
                                new Problem(
                                        setting.source(),
                                        setting.key(),
                                        setting.value()
                                                + " (expected: nothing of a cluster where a folder is served, which "
                                                + folder.source()
                                                + " asks for)"))
                        .toList();
        if (!problems.isEmpty()) {
            throw failed(problems);
        }
    }

    static EffectiveConfig load(
            Optional<Path> file, Map<String, String> environment, List<FlagValue> flags)
            throws Failed {
        try {
            return ConfigLoader.load(file, environment, flags);
        } catch (InvalidConfiguration invalid) {
            throw failed(invalid.problems());
        }
    }

    /** Where a gateway with this configuration has its admin port. */
    static BindAddress adminAddress(Optional<Path> file, Map<String, String> environment)
            throws Failed {
        try {
            return ConfigLoader.adminAddress(file, environment);
        } catch (InvalidConfiguration invalid) {
            throw failed(invalid.problems());
        }
    }

    /** Wrong use where nothing but flags is wrong. */
    private static Failed failed(List<Problem> problems) {
        boolean flags =
                problems.stream().allMatch(problem -> problem.source() instanceof Source.Flag);
        return new Failed(
                flags ? ExitCode.USAGE : ExitCode.CONFIGURATION,
                (flags ? "the command line" : "the configuration")
                        + " cannot be used:\n"
                        + problems.stream()
                                .map(Problem::toString)
                                .collect(Collectors.joining("\n  ", "  ", "")));
    }
}

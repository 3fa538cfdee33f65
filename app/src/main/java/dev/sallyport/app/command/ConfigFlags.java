package dev.sallyport.app.command;

import dev.sallyport.app.config.BindAddress;
import dev.sallyport.app.config.ConfigLoader;
import dev.sallyport.app.config.ConfigLoader.FlagValue;
import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.app.config.InvalidConfiguration;
import dev.sallyport.app.config.Problem;
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

    /** Reads the configuration that they complete. */
    EffectiveConfig load(Map<String, String> environment) throws Failed {
        List<FlagValue> flags = new ArrayList<>();
        if (resources != null) {
            flags.add(new FlagValue("resources", "--resources", List.of(resources)));
        }
        if (!http.isEmpty()) {
            flags.add(new FlagValue("listeners.http", "--http", http));
        }
        if (!https.isEmpty()) {
            flags.add(new FlagValue("listeners.https", "--https", https));
        }
        if (admin != null) {
            flags.add(new FlagValue("listeners.admin", "--admin", List.of(admin)));
        }
        return load(Optional.ofNullable(file), environment, flags);
    }

    static EffectiveConfig load(
            Optional<Path> file, Map<String, String> environment, List<FlagValue> flags)
            throws Failed {
        try {
            return ConfigLoader.load(file, environment, flags);
        } catch (InvalidConfiguration invalid) {
            throw failed(invalid);
        }
    }

    /** Where a gateway with this configuration has its admin port. */
    static BindAddress adminAddress(Optional<Path> file, Map<String, String> environment)
            throws Failed {
        try {
            return ConfigLoader.adminAddress(file, environment);
        } catch (InvalidConfiguration invalid) {
            throw failed(invalid);
        }
    }

    /** Wrong use where nothing but flags is wrong. */
    private static Failed failed(InvalidConfiguration invalid) {
        boolean flags =
                invalid.problems().stream()
                        .allMatch(problem -> problem.source() instanceof Source.Flag);
        return new Failed(
                flags ? ExitCode.USAGE : ExitCode.CONFIGURATION,
                (flags ? "the command line" : "the configuration")
                        + " cannot be used:\n"
                        + invalid.problems().stream()
                                .map(Problem::toString)
                                .collect(Collectors.joining("\n  ", "  ", "")));
    }
}

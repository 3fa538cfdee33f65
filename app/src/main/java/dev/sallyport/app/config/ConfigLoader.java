package dev.sallyport.app.config;

import dev.sallyport.control.acme.AcmeSettings;
import dev.sallyport.control.stored.StoreSettings;
import dev.sallyport.model.listener.Listener;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads the configuration: defaults, then the file, then the environment, then flags. */
public final class ConfigLoader {
    /** Names the file, as {@code --config} does. */
    public static final String FILE_VARIABLE = "SALLYPORT_CONFIG";

    private static final String FOLDER = "resources";

    /** For the launcher script. */
    private static final Set<String> LAUNCHER_VARIABLES =
            Set.of("SALLYPORT_JVM_OPTIONS", "SALLYPORT_AOT_CACHE", "SALLYPORT_TRAINING_NICENESS");

    /**
     * What Kubernetes puts into every container for Services named sallyport or sallyport-…: not
     * meant for us.
     */
    private static final Pattern SERVICE_LINK =
            Pattern.compile(
                    "SALLYPORT(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");

    /** The file from top to bottom, then the environment, then flags. */
    private static final Comparator<Source> BY_PLACE =
            Comparator.comparingInt(source ->
                    switch (source) {
                        case Source.Default _ -> 0;
                        case Source.File(var location) -> location.line();
                        case Source.Environment _ -> Integer.MAX_VALUE - 1;
                        case Source.Flag _ -> Integer.MAX_VALUE;
                    });

    private ConfigLoader() {}

    /**
     * A flag with its values.
     *
     * @param key the key it sets
     * @param name as it was written, for instance {@code --http}
     * @param values at least one
     */
    public record FlagValue(String key, String name, List<String> values) {
        public FlagValue {
            values = List.copyOf(values);
        }
    }

    /**
     * Reads everything.
     *
     * @param file what {@code --config} names; else the variable {@value #FILE_VARIABLE} does
     * @param environment the process's
     * @param flags those that were given
     * @throws InvalidConfiguration with all problems
     */
    public static EffectiveConfig load(
            Optional<Path> file, Map<String, String> environment, List<FlagValue> flags)
            throws InvalidConfiguration {
        List<Problem> problems = new ArrayList<>();
        Map<String, Raw> overrides = overrides(environment, flags, problems);
        Raw written = written(file, environment, problems);
        var binder = new Binder(overrides, problems);
        GatewayConfig config = binder.bind(written, defaults(overrides, written));
        List<Setting> settings = binder.settings();
        List<Listener> listeners = ListenerPlan.of(config, settings, problems);
        Set<InetAddress> podAddresses = PodAddresses.of(environment, problems);
        Optional<StoreSettings> store = StorePlan.of(config, settings, problems);
        Optional<AcmeSettings> acme = AcmePlan.of(config, environment, settings, problems);
        refuse(problems);
        return new EffectiveConfig(config, listeners, settings, podAddresses, store, acme);
    }

    /**
     * Where the admin port is, by the same rules; files that the configuration names are not read.
     *
     * @throws InvalidConfiguration with all problems
     */
    public static BindAddress adminAddress(Optional<Path> file, Map<String, String> environment)
            throws InvalidConfiguration {
        List<Problem> problems = new ArrayList<>();
        var binder = new Binder(overrides(environment, List.of(), problems), problems);
        GatewayConfig config =
                binder.bind(written(file, environment, problems), GatewayConfig.DEFAULT);
        refuse(problems);
        return config.listeners().admin();
    }

    /** Some defaults depend on whether a folder is served. */
    private static GatewayConfig defaults(Map<String, Raw> overrides, Raw written) {
        boolean folder =
                overrides.containsKey(FOLDER)
                        || (written instanceof Raw.Fields(List<Raw.Field> fields, _)
                                && fields.stream()
                                        .anyMatch(field ->
                                                field.name().equals(FOLDER)
                                                        && !(field.value()
                                                                instanceof Raw.Nothing)));
        return folder ? GatewayConfig.DEFAULT : GatewayConfig.IN_CLUSTER;
    }

    private static Raw written(
            Optional<Path> file, Map<String, String> environment, List<Problem> problems) {
        return file.or(() -> Optional.ofNullable(environment.get(FILE_VARIABLE)).map(Path::of))
                .map(path -> ConfigFile.read(path, problems))
                .orElseGet(() -> new Raw.Nothing(new Source.Default()));
    }

    private static Map<String, Raw> overrides(
            Map<String, String> environment, List<FlagValue> flags, List<Problem> problems) {
        Map<String, Raw> overrides = fromEnvironment(environment, problems);
        for (FlagValue flag : flags) {
            Source source = new Source.Flag(flag.name());
            overrides.put(flag.key(), new Raw.Text(String.join(",", flag.values()), source));
        }
        return overrides;
    }

    private static void refuse(List<Problem> problems) throws InvalidConfiguration {
        if (!problems.isEmpty()) {
            problems.sort(Comparator.comparing(Problem::source, BY_PLACE));
            throw new InvalidConfiguration(problems);
        }
    }

    private static Map<String, Raw> fromEnvironment(
            Map<String, String> environment, List<Problem> problems) {
        Map<String, String> keys =
                Schema.entries().stream()
                        .collect(Collectors.toMap(Schema.Entry::variable, Schema.Entry::key));
        Map<String, Raw> values = new HashMap<>();
        new TreeMap<>(environment)
                .forEach((variable, text) -> {
                    if (!variable.startsWith("SALLYPORT_")
                            || variable.equals(FILE_VARIABLE)
                            || LAUNCHER_VARIABLES.contains(variable)) {
                        return;
                    }
                    Source source = new Source.Environment(variable);
                    String key = keys.get(variable);
                    if (key != null) {
                        values.put(key, new Raw.Text(text, source));
                    } else if (!SERVICE_LINK.matcher(variable).matches()) {
                        problems.add(
                                new Problem(
                                        source,
                                        "",
                                        "unknown variable"
                                                + Words.nearest(variable, keys.keySet())
                                                        .map(near ->
                                                                " (did you mean " + near + "?)")
                                                        .orElse("")));
                    }
                });
        return values;
    }
}

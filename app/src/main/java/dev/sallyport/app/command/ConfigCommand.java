package dev.sallyport.app.command;

import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.app.config.Setting;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code config}: the effective configuration, each value with its source. */
@Command(
        name = "config",
        description = {
            "Prints the effective configuration, each value with its source.",
            "Takes the same flags as `run`, and ends with 78 where the configuration is wrong."
        })
final class ConfigCommand implements Callable<Integer> {
    private final CommandLineProgram.Surroundings surroundings;

    @Mixin private ConfigFlags flags = new ConfigFlags();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            description = "How to print it. Default: text.")
    private Output output = Output.TEXT;

    ConfigCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws Failed {
        EffectiveConfig config = flags.load(surroundings.environment());
        switch (output) {
            case TEXT -> {
                var table = new Table("KEY", "VALUE", "SOURCE");
                for (Setting setting : config.settings()) {
                    table.row(
                            setting.key(),
                            setting.value().isEmpty() ? "-" : setting.value(),
                            setting.source().toString());
                }
                table.print(surroundings.out());
            }
            case JSON -> surroundings.out().println(Json.write(json(config.settings())));
        }
        return ExitCode.OK.number();
    }

    private static Map<String, Object> json(List<Setting> settings) {
        Map<String, Object> byKey = new LinkedHashMap<>();
        for (Setting setting : settings) {
            byKey.put(
                    setting.key(),
                    Map.of("value", setting.value(), "source", setting.source().toString()));
        }
        return byKey;
    }
}

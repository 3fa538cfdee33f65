package dev.sallyport.app.command;

import dev.sallyport.app.admin.FindingView;
import dev.sallyport.app.config.ConfigLoader.FlagValue;
import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.app.wire.Proof;
import dev.sallyport.control.CheckResult;
import dev.sallyport.control.FolderCheck;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.PlainText;
import dev.sallyport.model.finding.Severity;
import dev.sallyport.model.upstream.OwnAddresses;
import dev.sallyport.tls.context.NativeTlsUnavailable;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code check}: what would be wrong if this folder were served. */
@Command(
        name = "check",
        description = {
            "Says what would be wrong if DIR were served: every finding with file, line, object and what to do.",
            "Ends with 1 where an object, or part of one, cannot be put in service."
        })
final class CheckCommand implements Callable<Integer> {
    private final CommandLineProgram.Surroundings surroundings;

    @Parameters(index = "0", paramLabel = "DIR", description = "A folder of Kubernetes manifests.")
    private Path dir = Path.of("");

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description =
                    "The configuration to check it with. Default: $SALLYPORT_CONFIG, else none.")
    private @Nullable Path file;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            description = "How to print it. Default: text.")
    private Output output = Output.TEXT;

    CheckCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    private record Page(Map<String, Integer> objects, boolean usable, List<FindingView> findings) {}

    @Override
    public Integer call() throws Failed {
        if (!Files.isDirectory(dir)) {
            throw new Failed(
                    ExitCode.NO_INPUT, dir + " is not a folder: name a folder of manifests");
        }
        EffectiveConfig config =
                ConfigFlags.load(
                        Optional.ofNullable(file),
                        surroundings.environment(),
                        List.of(new FlagValue("resources", "DIR", List.of(dir.toString()))));
        CheckResult result = check(config);
        switch (output) {
            case TEXT -> print(result, surroundings.out());
            case JSON ->
                    surroundings
                            .out()
                            .println(
                                    Json.write(
                                            new Page(
                                                    new TreeMap<>(result.objects()),
                                                    !result.anyUnusable(),
                                                    result.findings().stream()
                                                            .map(FindingView::of)
                                                            .toList())));
        }
        return (result.anyUnusable() ? ExitCode.UNUSABLE : ExitCode.OK).number();
    }

    private CheckResult check(EffectiveConfig config) throws Failed {
        try (var proof = new Proof()) {
            return FolderCheck.check(
                    dir,
                    config.controlSettings(Optional.empty(), OwnAddresses.NONE),
                    proof,
                    surroundings.time());
        } catch (NativeTlsUnavailable missing) {
            throw new Failed(
                    ExitCode.UNAVAILABLE, missing.getMessage() + "\n  " + missing.advice());
        }
    }

    private void print(CheckResult result, PrintWriter out) {
        for (Finding finding : result.findings()) {
            String line =
                    finding.location().map(Location::toString).orElse(dir.toString())
                            + ": "
                            + finding.severity().name().toLowerCase(Locale.ROOT)
                            + ": "
                            + finding.object()
                            + ": "
                            + finding.message()
                            + " ["
                            + finding.reason().camelCase()
                            + "]";
            out.println(PlainText.of(line)); // names of files and objects are anybody's as well
            if (!finding.advice().isEmpty()) {
                out.println("    " + finding.advice());
            }
        }
        if (!result.findings().isEmpty()) {
            out.println();
        }
        out.println(
                summary(result.objects())
                        + ": "
                        + count(result, Severity.ERROR, "error")
                        + ", "
                        + count(result, Severity.WARNING, "warning"));
    }

    private static String summary(Map<String, Integer> objects) {
        int total = objects.values().stream().mapToInt(Integer::intValue).sum();
        if (total == 0) {
            return "0 objects";
        }
        return number(total, "object")
                + new TreeMap<>(objects)
                        .entrySet().stream()
                                .map(it -> it.getKey() + " " + it.getValue())
                                .collect(Collectors.joining(", ", " (", ")"));
    }

    private static String count(CheckResult result, Severity severity, String word) {
        long count =
                result.findings().stream()
                        .filter(finding -> finding.severity() == severity)
                        .count();
        return number(count, word);
    }

    private static String number(long count, String word) {
        return count + " " + (count == 1 ? word : word + "s");
    }
}

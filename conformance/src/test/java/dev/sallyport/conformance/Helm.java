package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * The helm command, with the project's own chart.
 *
 * @param kubectl whose cluster and namespace it works on; without it, on none
 */
record Helm(Optional<Kubectl> kubectl) {

    private static final Path CHART = Distribution.home().resolve("deploy/helm/sallyport");
    private static final Duration LIMIT = Duration.ofMinutes(5);

    /** Without a cluster. */
    static Helm offline() {
        return new Helm(Optional.empty());
    }

    static Helm in(Namespace namespace) {
        return new Helm(Optional.of(namespace.kubectl()));
    }

    static Path chart() {
        return CHART;
    }

    /** Runs it, however it ends. */
    Ran run(String... arguments) {
        List<String> command = new ArrayList<>(List.of(TestBed.program("helm", "helm")));
        kubectl.ifPresent(to ->
                command.addAll(
                        List.of(
                                "--kubeconfig",
                                to.kubeconfig().toString(),
                                "--namespace",
                                to.namespace())));
        command.addAll(List.of(arguments));
        return Ran.run(LIMIT, command);
    }

    /** Runs it to a good end. */
    String ok(String... arguments) {
        Ran ran = run(arguments);
        if (ran.exit() != 0) {
            throw new AssertionError(String.join(" ", ran.command()) + ": " + ran.all());
        }
        return ran.out();
    }

    /** What the chart makes of values. */
    List<JsonNode> template(Path... values) {
        List<String> words = new ArrayList<>(List.of("template", "edge", CHART.toString()));
        for (Path file : values) {
            words.addAll(List.of("--values", file.toString()));
        }
        return Yaml.documents(ok(words.toArray(String[]::new)));
    }

    /** Values in a file. */
    static Path values(Path folder, String yaml) {
        try {
            return Files.writeString(Files.createTempFile(folder, "values", ".yaml"), yaml, UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

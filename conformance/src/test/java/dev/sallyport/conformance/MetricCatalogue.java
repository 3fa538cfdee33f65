package dev.sallyport.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The metrics that docs/metrics.md lists, which a test of the gateway holds at what it exports.
 *
 * @param metrics by the name in the document
 */
record MetricCatalogue(Map<String, Metric> metrics) {

    private static final Pattern ROW =
            Pattern.compile(
                    "\\| `([a-z0-9_]+)` \\| (counter|gauge|histogram) \\| ([a-z_, ]*) \\| .*");
    private static final Pattern PART = Pattern.compile("(.+)_(bucket|sum|count)");

    /**
     * What is known of a metric.
     *
     * @param name as the document has it
     * @param kind counter, gauge or histogram
     * @param labels which its samples have
     */
    record Metric(String name, String kind, Set<String> labels) {
        Metric {
            labels = Set.copyOf(labels);
        }

        /** Whether its samples only grow. */
        boolean grows() {
            return !kind.equals("gauge");
        }
    }

    MetricCatalogue {
        metrics = Map.copyOf(metrics);
    }

    /** The document of this repository. */
    static MetricCatalogue documented() {
        try {
            Map<String, Metric> metrics = new LinkedHashMap<>();
            for (String line : Files.readAllLines(Distribution.home().resolve("docs/metrics.md"))) {
                Matcher row = ROW.matcher(line);
                if (row.matches()) {
                    Set<String> labels =
                            Stream.of(row.group(3).split(", *", -1))
                                    .filter(label -> !label.isBlank())
                                    .collect(Collectors.toSet());
                    metrics.put(row.group(1), new Metric(row.group(1), row.group(2), labels));
                }
            }
            return new MetricCatalogue(metrics);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The metric that a sample of this name belongs to: {@code …_bucket} to its histogram. */
    Optional<Metric> ofSample(String sample) {
        Metric whole = metrics.get(sample);
        if (whole != null) {
            // A histogram has no sample of its own name.
            return whole.kind().equals("histogram") ? Optional.empty() : Optional.of(whole);
        }
        Matcher part = PART.matcher(sample);
        return part.matches()
                ? Optional.ofNullable(metrics.get(part.group(1)))
                        .filter(metric -> metric.kind().equals("histogram"))
                : Optional.empty();
    }
}

package dev.sallyport.app.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.proxy.metric.Metric;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Holds {@code docs/metrics.md} at what is exported; {@code -Ddocs.update} rewrites it. */
class MetricsDocumentTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "metrics.md");

    @Test
    void theDocumentNamesEveryMetric() throws Exception {
        String expected = render();
        if (System.getProperty("docs.update") != null) {
            Files.writeString(DOCUMENT, expected);
        }
        assertThat(Files.readString(DOCUMENT)).isEqualTo(expected);
    }

    private static String render() {
        var rows = new TreeMap<String, String>();
        for (Metric metric : Metric.values()) {
            boolean counter = metric.kind() == Metric.Kind.COUNTER;
            String name = metric.exportedName() + (counter ? "_total" : "");
            rows.put(
                    name,
                    row(
                            name,
                            metric.kind().name().toLowerCase(Locale.ROOT),
                            metric.labels(),
                            metric.help()));
        }
        for (GatewayMetric metric : GatewayMetric.values()) {
            String name = metric.exportedName();
            rows.put(
                    name,
                    row(
                            name,
                            metric.counter() ? "counter" : "gauge",
                            metric.labels(),
                            metric.help()));
        }
        return """
        # Metrics

        At `/metrics` of the admin port, in Prometheus' text format. A test holds this page at what is exported.
        The JVM's own metrics (`jvm_…`, `process_…`) come with them.

        | name | kind | labels | what it is |
        |---|---|---|---|
        """
                + String.join("", rows.values());
    }

    private static String row(String name, String kind, List<String> labels, String help) {
        return "| `"
                + name
                + "` | "
                + kind
                + " | "
                + String.join(", ", labels)
                + " | "
                + help
                + " |\n";
    }
}

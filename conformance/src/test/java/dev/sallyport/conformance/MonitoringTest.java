package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.conformance.Monitoring.Alert;
import dev.sallyport.conformance.Monitoring.Question;
import dev.sallyport.conformance.PromQl.LabelMatcher;
import dev.sallyport.conformance.PromQl.Selector;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** Alert rules and dashboard against docs/metrics.md; {@link MonitoringIT} has the real metrics. */
final class MonitoringTest {

    private static final MetricCatalogue CATALOGUE = MetricCatalogue.documented();

    private static final Set<String> RATES = Set.of("rate", "increase");
    private static final Set<String> VARIABLES = Set.of("$namespace", "$pod");
    private static final Markdown RUNBOOK =
            Markdown.read(Distribution.home().resolve("docs/operations.md"));

    static List<Question> questions() {
        return Monitoring.questions();
    }

    static List<Alert> alerts() {
        return Monitoring.alerts();
    }

    @ParameterizedTest
    @MethodSource("questions")
    void everyMetricIsDocumentedAndAskedForAsItsKindWants(Question question) {
        for (Selector selector : question.query().selectors()) {
            if (!isOurs(selector)) {
                continue;
            }
            Optional<MetricCatalogue.Metric> metric = CATALOGUE.ofSample(selector.metric());
            assertThat(metric).as(selector.metric() + ": not in docs/metrics.md").isPresent();
            boolean bucket = selector.metric().endsWith("_bucket");
            assertThat(selector.ranged() && selector.function().filter(RATES::contains).isPresent())
                    .as("%s is a %s", selector.metric(), metric.get().kind())
                    .isEqualTo(metric.get().grows());
            assertThat(selector.within().contains("histogram_quantile"))
                    .as("%s within histogram_quantile", selector.metric())
                    .isEqualTo(bucket);
            if (bucket) {
                assertThat(question.query().grouping()).contains("le");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("questions")
    void everyLabelIsOneThatTheMetricsHave(Question question) {
        Set<String> all = new HashSet<>(Monitoring.SCRAPED);
        for (Selector selector : question.query().selectors()) {
            Set<String> labels = new HashSet<>(Monitoring.SCRAPED);
            CATALOGUE.ofSample(selector.metric()).ifPresent(it -> labels.addAll(it.labels()));
            labels.addAll(foreignLabels(selector));
            assertThat(selector.matchers())
                    .extracting(LabelMatcher::label)
                    .as(selector.metric())
                    .isSubsetOf(labels);
            all.addAll(labels);
        }
        assertThat(question.query().grouping()).isSubsetOf(all);
        assertThat(question.shown())
                .as("shown, but not in the result")
                .isSubsetOf(question.query().aggregated() ? question.query().grouping() : all);
    }

    /** Of the JVM's metrics, and of kube-state-metrics. */
    private static Set<String> foreignLabels(Selector selector) {
        if (selector.metric().endsWith("_bucket")) {
            return Set.of("le");
        }
        if (selector.metric().equals(Monitoring.FOREIGN)) {
            return Set.of("namespace", "secret");
        }
        return selector.metric().startsWith("jvm_memory_") ? Set.of("area") : Set.of();
    }

    /** A Secret's or a Service's namespace is not the gateway's. */
    @ParameterizedTest
    @MethodSource("questions")
    void namespacesOfSecretsAndServicesAreNotTakenForTheGateways(Question question) {
        for (Selector selector : question.query().selectors()) {
            boolean own =
                    CATALOGUE
                            .ofSample(selector.metric())
                            .filter(metric -> metric.labels().contains("namespace"))
                            .isPresent();
            if (own) {
                assertThat(selector.matchers())
                        .noneMatch(matcher -> matcher.value().equals("$namespace"));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("questions")
    void whatAnyJvmHasIsAskedOfTheGatewaysOnly(Question question) {
        List<String> metrics = question.query().selectors().stream().map(Selector::metric).toList();
        if (metrics.stream()
                .anyMatch(name -> name.startsWith("jvm_") || name.startsWith("process_"))) {
            assertThat(metrics).contains("sallyport_ready");
            assertThat(question.query().text()).contains("and on (job, instance)");
        }
    }

    private static boolean isOurs(Selector selector) {
        return !selector.metric().equals(Monitoring.FOREIGN)
                && !selector.metric().startsWith("jvm_")
                && !selector.metric().startsWith("process_");
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void everyAlertSaysHowBadItIsAndWhatToDo(Alert alert) {
        assertThat(alert.name()).matches("Sallyport[A-Z][A-Za-z]+");
        assertThat(alert.labels().get("severity")).isIn("critical", "warning");
        assertThat(alert.annotations()).containsOnlyKeys("summary", "description", "runbook");
        assertThat(alert.annotations().get("summary")).isNotBlank().endsWith(".");
        assertThat(alert.annotations().get("description")).contains("What to do: ");
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void everyAlertHasAPlaceInTheRunbook(Alert alert) {
        String anchor = alert.name().toLowerCase(Locale.ROOT);

        assertThat(alert.annotations()).containsEntry("runbook", "docs/operations.md#" + anchor);
        assertThat(RUNBOOK.anchors()).contains(anchor);
    }

    @Test
    void everyAlertIsTriedAndNoneIsNamedTwice() {
        List<String> names = alerts().stream().map(Alert::name).toList();

        assertThat(names).doesNotHaveDuplicates();
        assertThat(Monitoring.triedAlerts()).containsExactlyInAnyOrderElementsOf(names);
    }

    @Test
    void theDashboardIsWhatGrafanaTakes() {
        JsonNode dashboard = Monitoring.dashboard();

        assertThat(dashboard.get("schemaVersion").asInt()).isGreaterThanOrEqualTo(39);
        assertThat(dashboard.get("uid").asString()).isEqualTo("sallyport");
        assertThat(dashboard.get("id").isNull()).isTrue();
        assertThat(strings(dashboard.get("templating").get("list"), "name"))
                .containsExactly("datasource", "namespace", "pod");
        assertThat(rows(dashboard))
                .containsExactly(
                        "Now",
                        "What is served",
                        "Traffic",
                        "TLS",
                        "Control",
                        "Certificates of its own (ACME)",
                        "Resources");
    }

    @Test
    void panelsHaveIdentitiesUnitsWordsAndARoomOfTheirOwn() {
        Set<Integer> ids = new HashSet<>();
        Set<String> cells = new HashSet<>();
        for (JsonNode panel : Monitoring.dashboard().get("panels")) {
            String title = panel.get("title").asString();
            assertThat(ids.add(panel.get("id").asInt())).as(title).isTrue();
            JsonNode position = panel.get("gridPos");
            int left = position.get("x").asInt();
            int right = left + position.get("w").asInt();
            assertThat(right).as(title).isBetween(left + 1, 24);
            for (int x = left; x < right; x++) {
                for (int y = 0; y < position.get("h").asInt(); y++) {
                    assertThat(cells.add(x + "," + (position.get("y").asInt() + y)))
                            .as("%s lies over another panel", title)
                            .isTrue();
                }
            }
            if (!panel.get("type").asString().equals("row")) {
                assertThat(panel.get("type").asString()).isIn("timeseries", "stat", "table");
                assertThat(panel.get("fieldConfig").get("defaults").get("unit").asString())
                        .as(title)
                        .isNotBlank();
                assertThat(panel.get("targets").size()).as(title).isPositive();
                assertThat(strings(panel.get("targets"), "refId"))
                        .as(title)
                        .doesNotHaveDuplicates();
                assertThat(panel.findValuesAsString("uid")).as(title).containsOnly("${datasource}");
            }
        }
    }

    @Test
    void everyPanelIsNarrowedByTheVariablesThatThereAre() {
        for (JsonNode panel : Monitoring.dashboard().get("panels")) {
            for (JsonNode target : panel.path("targets")) {
                String expr = target.get("expr").asString();
                assertThat(expr).as(panel.get("title").asString()).contains("pod=~\"$pod\"");
                assertThat(variables(expr)).isSubsetOf(VARIABLES);
            }
        }
    }

    private static Set<String> variables(String expr) {
        return Pattern.compile("\\$[a-zA-Z_]+")
                .matcher(expr.replace("$__rate_interval", ""))
                .results()
                .map(found -> found.group())
                .collect(Collectors.toSet());
    }

    /** Whoever documents a metric has a use for it in mind: the dashboard shows all of them. */
    @Test
    void theDashboardLeavesNoMetricOut() {
        Set<String> shown = new HashSet<>();
        for (Question question : questions()) {
            for (Selector selector : question.query().selectors()) {
                CATALOGUE.ofSample(selector.metric()).ifPresent(it -> shown.add(it.name()));
            }
        }
        Set<String> documented = new HashSet<>(CATALOGUE.metrics().keySet());
        documented.removeAll(shown);

        // When a certificate was loaded is told better by when it was served.
        assertThat(documented).containsExactly("sallyport_certificate_loaded_seconds");
    }

    private static List<String> rows(JsonNode dashboard) {
        List<String> rows = new ArrayList<>();
        for (JsonNode panel : dashboard.get("panels")) {
            if (panel.get("type").asString().equals("row")) {
                rows.add(panel.get("title").asString());
            }
        }
        return rows;
    }

    private static List<String> strings(JsonNode list, String field) {
        return Stream.iterate(0, i -> i < list.size(), i -> i + 1)
                .map(i -> list.get(i).get(field).asString())
                .toList();
    }
}

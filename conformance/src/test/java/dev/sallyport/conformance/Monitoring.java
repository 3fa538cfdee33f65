package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.conformance.PromQl.LabelMatcher;
import dev.sallyport.conformance.PromQl.Selector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What deploy/monitoring asks of the metrics: the alert rules and the dashboard. */
final class Monitoring {

    private static final Path FOLDER = Distribution.home().resolve("deploy/monitoring");
    private static final Pattern SHOWN_IN_ALERT = Pattern.compile("\\$labels\\.([a-z_]+)");
    private static final Pattern FIRING =
            Pattern.compile("ALERTS\\{alertname=\"(\\w+)\", alertstate=\"firing\"\\}");
    private static final Pattern SHOWN_IN_PANEL = Pattern.compile("\\{\\{([a-z_]+)\\}\\}");
    private static final Pattern VARIABLE =
            Pattern.compile("label_values\\(([^,]+(?:\\{.*\\})?), ([a-z_]+)\\)");

    /** Of kube-state-metrics. */
    static final String FOREIGN = "kube_secret_metadata_resource_version";

    /** What Prometheus says of a scraped Pod. */
    static final Set<String> SCRAPED = Set.of("job", "instance", "namespace", "pod");

    /** What only a cluster gives rise to; docs/metrics.md has them. */
    static final Set<String> CLUSTER_ONLY =
            Set.of(
                    "sallyport_secret_served_resource_version",
                    "sallyport_stale",
                    "sallyport_stored_state_timestamp_seconds",
                    "sallyport_stored_state_bytes",
                    "sallyport_stored_state_writes_total",
                    "sallyport_stored_state_failures_total",
                    "sallyport_leader",
                    "sallyport_status_writes_total",
                    "sallyport_status_write_failures_total",
                    "sallyport_events_total",
                    "sallyport_events_dropped_total");

    /** What is there where certificates are issued by the gateway itself. */
    private static final String OWN_CERTIFICATES = "sallyport_acme_";

    /** Labels all of whose values are on the page from the start, or after some traffic. */
    private static final Set<String> CLOSED =
            Set.of("outcome", "side", "flag", "status", "limit", "resumed", "area");

    private Monitoring() {}

    /** Which gateways have all metrics that a question asks for; each has a test that asks it. */
    enum Place {
        FOLDER,
        CLUSTER,
        ISSUING
    }

    /** An alert rule. */
    record Alert(
            String name,
            PromQl query,
            Map<String, String> labels,
            Map<String, String> annotations) {
        Alert {
            labels = Map.copyOf(labels);
            annotations = Map.copyOf(annotations);
        }
    }

    /**
     * A query and the labels that are shown of its result.
     *
     * @param where for messages
     */
    record Question(String where, PromQl query, Set<String> shown) {
        Question {
            shown = Set.copyOf(shown);
        }

        /** Where it has an answer. */
        Place place() {
            List<String> metrics = query.selectors().stream().map(Selector::metric).toList();
            if (metrics.stream().anyMatch(name -> name.startsWith(OWN_CERTIFICATES))) {
                return Place.ISSUING;
            }
            return metrics.stream().anyMatch(CLUSTER_ONLY::contains) ? Place.CLUSTER : Place.FOLDER;
        }

        /** All that it asks for is on a page, with the labels that are asked for and shown. */
        void assertAnsweredBy(Metrics page) {
            Set<String> labels = new HashSet<>(SCRAPED);
            for (Selector selector : query.selectors()) {
                if (!selector.metric().equals(FOREIGN)) {
                    List<Metrics.Sample> samples = page.of(selector.metric());
                    assertThat(samples)
                            .as("%s: %s is not on the page", where, selector.metric())
                            .isNotEmpty();
                    samples.forEach(sample -> labels.addAll(sample.labels().keySet()));
                    selector.matchers().forEach(matcher -> assertMatches(samples, matcher));
                }
            }
            assertThat(labels).as(where).containsAll(query.grouping()).containsAll(shown);
        }

        private void assertMatches(List<Metrics.Sample> samples, LabelMatcher matcher) {
            if (SCRAPED.contains(matcher.label())) {
                return;
            }
            List<@Nullable String> values = new ArrayList<>();
            samples.forEach(sample -> values.add(sample.labels().get(matcher.label())));
            assertThat(values).as("%s: %s", where, matcher.label()).doesNotContainNull();
            if (CLOSED.contains(matcher.label())) {
                assertThat(values)
                        .as("%s: %s", where, matcher.label())
                        .containsAll(matcher.values());
            }
        }
    }

    /** The alert rules, in order. */
    static List<Alert> alerts() {
        List<Alert> alerts = new ArrayList<>();
        for (JsonNode group : Yaml.document(read("alerts.yaml")).get("groups")) {
            for (JsonNode rule : group.get("rules")) {
                alerts.add(
                        new Alert(
                                rule.get("alert").asString(),
                                PromQl.parse(rule.get("expr").asString()),
                                strings(rule.get("labels")),
                                strings(rule.get("annotations"))));
            }
        }
        return alerts;
    }

    /** The names of the alerts that some unit test of the rules expects to fire. */
    static Set<String> triedAlerts() {
        Set<String> tried = new LinkedHashSet<>();
        for (JsonNode test : Yaml.document(read("alerts.test.yaml")).get("tests")) {
            for (JsonNode check : test.get("promql_expr_test")) {
                if (!check.get("exp_samples").isEmpty()) {
                    tried.addAll(found(FIRING, Stream.of(check.get("expr").asString())));
                }
            }
        }
        return tried;
    }

    /** The dashboard as Grafana gets it. */
    static JsonNode dashboard() {
        return JsonMapper.shared().readTree(read("dashboard.json"));
    }

    /** Everything that is asked of Prometheus. */
    static List<Question> questions() {
        List<Question> questions = new ArrayList<>();
        for (Alert alert : alerts()) {
            questions.add(
                    new Question(
                            "alert " + alert.name(),
                            alert.query(),
                            found(SHOWN_IN_ALERT, alert.annotations().values().stream())));
        }
        JsonNode dashboard = dashboard();
        for (JsonNode panel : dashboard.get("panels")) {
            questions.addAll(questions(panel));
        }
        for (JsonNode annotation : dashboard.get("annotations").get("list")) {
            if (annotation.has("expr")) {
                questions.add(
                        new Question(
                                "annotation " + annotation.get("name").asString(),
                                promQl(annotation.get("expr").asString()),
                                found(
                                        SHOWN_IN_PANEL,
                                        Stream.of(annotation.get("textFormat").asString()))));
            }
        }
        for (JsonNode variable : dashboard.get("templating").get("list")) {
            if (variable.get("type").asString().equals("query")) {
                Matcher asked = VARIABLE.matcher(variable.get("definition").asString());
                if (!asked.matches()) {
                    throw new AssertionError("not understood: " + variable.get("definition"));
                }
                questions.add(
                        new Question(
                                "variable " + variable.get("name").asString(),
                                promQl(asked.group(1)),
                                Set.of(asked.group(2))));
            }
        }
        return questions;
    }

    /** What is asked where a gateway has all metrics of it. */
    static List<Question> questions(Place place) {
        return questions().stream().filter(question -> question.place() == place).toList();
    }

    private static List<Question> questions(JsonNode panel) {
        List<Question> questions = new ArrayList<>();
        String title = "panel " + panel.get("title").asString();
        Set<String> columns = new LinkedHashSet<>();
        for (JsonNode transformation : panel.path("transformations")) {
            columns.addAll(transformation.path("options").path("renameByName").propertyNames());
        }
        columns.removeIf(name -> name.startsWith("Value"));
        for (JsonNode target : panel.path("targets")) {
            Set<String> shown =
                    found(SHOWN_IN_PANEL, Stream.of(target.get("legendFormat").asString()));
            // All targets of a table have the same labels, or their rows would not merge.
            shown.addAll(columns);
            questions.add(
                    new Question(
                            title + " " + target.get("refId").asString(),
                            promQl(target.get("expr").asString()),
                            shown));
        }
        return questions;
    }

    /** A query of Grafana's, whose variables stand where PromQL has none. */
    private static PromQl promQl(String expr) {
        return PromQl.parse(expr.replace("$__rate_interval", "5m").replace("$__interval", "1m"));
    }

    private static Set<String> found(Pattern pattern, Stream<String> texts) {
        Set<String> found = new LinkedHashSet<>();
        texts.forEach(
                text -> pattern.matcher(text).results().forEach(it -> found.add(it.group(1))));
        return found;
    }

    private static Map<String, String> strings(JsonNode map) {
        Map<String, String> strings = new LinkedHashMap<>();
        map.properties().forEach(it -> strings.put(it.getKey(), it.getValue().asString().strip()));
        return strings;
    }

    /** One of its files. */
    static Path file(String name) {
        return FOLDER.resolve(name);
    }

    private static String read(String file) {
        try {
            return Files.readString(file(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.conformance.Monitoring.Question;
import dev.sallyport.conformance.PromQl.LabelMatcher;
import dev.sallyport.conformance.PromQl.Selector;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Alert rules and dashboard against the metrics of a gateway that has seen some traffic. */
final class MonitoringIT {

    private static final String HOST = "shop.test";

    /** What only a cluster gives rise to; docs/metrics.md has them. */
    private static final Set<String> CLUSTER_ONLY =
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

    /** What is there where certificates are issued by the gateway itself: see AcmeCommandIT. */
    private static final String OWN_CERTIFICATES = "sallyport_acme_";

    /** Of kube-state-metrics. */
    private static final String FOREIGN = "kube_secret_metadata_resource_version";

    /** What Prometheus adds. */
    private static final Set<String> SCRAPED = Set.of("job", "instance", "namespace", "pod");

    /** Labels all of whose values are on the page from the start, or after our traffic. */
    private static final Set<String> CLOSED =
            Set.of("outcome", "side", "flag", "status", "limit", "resumed", "area");

    @TempDir private static Path work;
    private static Backend echo;
    private static Gateway gateway;
    private static Metrics metrics;

    @BeforeAll
    static void serve() {
        Pki pki = Pki.in(work);
        Leaf leaf = pki.ecdsa(HOST);
        Leaf late = pki.ecdsa("late.test");
        echo = Backend.echo("echo");
        Folder folder =
                Folder.in(work)
                        .put("late.yaml", Manifests.secret("late-tls", late))
                        .put(
                                "shop.yaml",
                                Manifests.service("echo", echo),
                                Manifests.secret("shop-tls", leaf),
                                gone(),
                                ingress("shop")
                                        .tls("shop-tls", HOST)
                                        .tls("late-tls", "late.test")
                                        .route(HOST, "/", "Prefix", "echo")
                                        .route(HOST, "/gone", "Prefix", "gone")
                                        .host("late.test", "echo")
                                        .yaml());
        gateway = Gateway.in(work, pki, folder).start();

        Curl curl = new Curl(gateway, pki);
        curl.https(HOST, "/");
        assertThat(curl.https(HOST, "/gone").status()).isEqualTo(502);
        assertThat(RawClient.tls(gateway.https(), HOST).get(HOST, "/").status()).isEqualTo(200);
        folder.put("late.yaml", Manifests.secret("late-tls", late.chain(), leaf.key()));
        gateway.awaitFinding("KeyMismatch", "late-tls");
        metrics =
                await().atMost(Duration.ofSeconds(20))
                        .until(
                                gateway::metrics,
                                page -> !page.of("sallyport_secret_unserved").isEmpty());
    }

    @AfterAll
    static void stop() {
        gateway.close();
        echo.close();
    }

    /** A Service whose endpoint nobody listens on. */
    private static String gone() {
        int port = Gateway.freePort();
        return Manifests.file(
                """
                apiVersion: v1
                kind: Service
                metadata:
                  name: gone
                  namespace: default
                spec:
                  ports:
                    - name: http
                      port: 80
                """,
                Manifests.endpoints("gone", "http", port, "127.0.0.1"));
    }

    static List<Question> questions() {
        return Monitoring.questions();
    }

    private static boolean isElsewhere(String metric) {
        return CLUSTER_ONLY.contains(metric) || metric.startsWith(OWN_CERTIFICATES);
    }

    @ParameterizedTest
    @MethodSource("questions")
    void whatIsAskedForIsThereWithItsLabels(Question question) {
        for (Selector selector : question.query().selectors()) {
            if (selector.metric().equals(FOREIGN) || isElsewhere(selector.metric())) {
                continue;
            }
            List<Metrics.Sample> samples = metrics.of(selector.metric());
            assertThat(samples).as(selector.metric() + ": not on the page").isNotEmpty();
            for (LabelMatcher matcher : selector.matchers()) {
                if (!SCRAPED.contains(matcher.label())) {
                    Set<String> values =
                            samples.stream()
                                    .map(sample -> sample.labels().get(matcher.label()))
                                    .collect(Collectors.toSet());
                    assertThat(values)
                            .as("%s of %s", matcher.label(), selector.metric())
                            .doesNotContainNull();
                    if (CLOSED.contains(matcher.label())) {
                        assertThat(values)
                                .as("%s of %s", matcher.label(), selector.metric())
                                .containsAll(matcher.values());
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("questions")
    void whatIsGroupedByAndShownIsThere(Question question) {
        Set<String> labels = new HashSet<>(SCRAPED);
        boolean elsewhere = false;
        for (Selector selector : question.query().selectors()) {
            elsewhere |= isElsewhere(selector.metric());
            metrics.of(selector.metric()).forEach(it -> labels.addAll(it.labels().keySet()));
        }
        if (!elsewhere) {
            assertThat(question.query().grouping()).isSubsetOf(labels);
            assertThat(question.shown()).isSubsetOf(labels);
        }
    }

    /** Names, kinds and help as Prometheus wants them. */
    @Test
    @Tag("cluster") // promtool comes with the test bed
    void promtoolTakesThePage() {
        assertThat(Promtool.ok(gateway.adminGet("/metrics").body(), "check", "metrics")).isEmpty();
    }

    @Test
    void whatIsSaidToNeedAClusterIsDocumentedAndNotHere() {
        MetricCatalogue documented = MetricCatalogue.documented();
        for (String name : CLUSTER_ONLY) {
            assertThat(documented.metrics()).containsKey(name);
            assertThat(metrics.of(name)).as(name + ": no cluster is needed").isEmpty();
        }
    }
}

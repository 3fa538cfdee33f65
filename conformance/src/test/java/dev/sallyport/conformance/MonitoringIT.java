package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.conformance.Monitoring.Place;
import dev.sallyport.conformance.Monitoring.Question;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Alert rules and dashboard against the metrics of a gateway on a folder that has seen some
 * traffic. {@link InstallVariantsIT} has what only a cluster gives rise to, and {@link
 * AcmeIssuersIT} what there is where the gateway has certificates issued.
 */
final class MonitoringIT {

    private static final String HOST = "shop.test";

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
        return Monitoring.questions(Place.FOLDER);
    }

    @ParameterizedTest
    @MethodSource("questions")
    void whatIsAskedForIsThereWithItsLabels(Question question) {
        question.assertAnsweredBy(metrics);
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
        for (String name : Monitoring.CLUSTER_ONLY) {
            assertThat(documented.metrics()).containsKey(name);
            assertThat(metrics.of(name)).as(name + ": no cluster is needed").isEmpty();
        }
    }
}

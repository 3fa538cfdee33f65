package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.math.BigInteger;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The admin port. */
final class AdminIT {

    private static final String HOST = "shop.test";

    @TempDir private static Path work;
    private static Pki pki;
    private static Leaf leaf;
    private static Backend echo;
    private static Gateway gateway;

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
        leaf = pki.ecdsa(HOST, "www.shop.test");
        echo = Backend.echo("echo");
        Folder folder =
                Folder.in(work)
                        .put(
                                "shop.yaml",
                                Manifests.service("echo", echo),
                                Manifests.secret("shop-tls", leaf),
                                Manifests.secret("broken-tls", "garbage", leaf.key()),
                                ingress("shop")
                                        .tls("shop-tls", HOST)
                                        .tls("broken-tls", "broken.test")
                                        .route(HOST, "/exact", "Exact", "echo")
                                        .host(HOST, "echo")
                                        .host("broken.test", "echo")
                                        .yaml());
        gateway =
                Gateway.in(work, pki, folder)
                        .config("redirect:\n  status: 301\n  port: 8443\n")
                        .start();
    }

    @AfterAll
    static void stop() {
        gateway.close();
        echo.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/livez", "/readyz"})
    void aHealthyGatewaySaysSo(String path) {
        assertThat(gateway.adminGet(path).statusCode()).isEqualTo(200);
    }

    @Test
    void aGatewayIsReadyWhenTheFolderIsServedAndNoSooner(@TempDir Path parent, @TempDir Path run)
            throws IOException {
        Folder large = Folder.in(parent);
        for (int file = 0; file < 40; file++) {
            large.put("many-" + file + ".yaml", many(file, 400));
        }
        large.put(
                "zz-last.yaml",
                Manifests.service("echo", echo),
                ingress("last").host("last.test", "echo").yaml());
        List<Integer> answers = new ArrayList<>();

        try (Gateway slow = Gateway.in(run, pki, large).launch()) {
            await().pollInterval(Duration.ofMillis(2))
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> {
                        int answer = slow.readyz();
                        answers.add(answer);
                        return answer == 200;
                    });

            // At the very moment of the first 200, without patience.
            assertThat(RawClient.plain(slow.http()).get("last.test", "/").status()).isEqualTo(200);
            try (RawClient.Connection tls = RawClient.tls(slow.https(), "last.test").open()) {
                assertThat(tls).isNotNull();
            }
        }
        assertThat(answers).contains(503);
        assertThat(answers.subList(answers.indexOf(503), answers.size() - 1)).containsOnly(503);
    }

    private static String[] many(int file, int objects) {
        return IntStream.range(0, objects)
                .mapToObj(i ->
                        ingress("many-" + file + "-" + i)
                                .host("h" + file + "-" + i + ".test", "echo")
                                .yaml())
                .toArray(String[]::new);
    }

    @Test
    void anUnknownPageIsNotFound() {
        assertThat(gateway.adminGet("/api/keys").statusCode()).isEqualTo(404);
    }

    @Test
    void theAdminPortOnlyAnswersQuestions() {
        assertThat(
                        RawClient.plain(gateway.admin())
                                .exchange(
                                        RawClient.head(
                                                "POST /readyz HTTP/1.1",
                                                "Host: localhost",
                                                "Content-Length: 0"))
                                .status())
                .isEqualTo(405);
    }

    @Test
    void metricsAreAsPromtoolWantsThem() {
        HttpResponse<String> metrics = gateway.adminGet("/metrics");

        assertThat(metrics.headers().firstValue("content-type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain"));
        assertThat(Metrics.parse(metrics.body()).samples()).isNotEmpty();
    }

    @Test
    void metricsTellWhenEachHostsCertificateExpires() {
        double notAfter = (double) leaf.certificate().getNotAfter().toInstant().getEpochSecond();

        assertThat(gateway.metrics().samples())
                .anySatisfy(sample -> {
                    assertThat(sample.name()).isEqualTo("sallyport_certificate_not_after_seconds");
                    assertThat(sample.labels()).containsValue(HOST);
                    assertThat(sample.value()).isEqualTo(notAfter);
                });
    }

    @Test
    void requestsAreCounted() {
        double before = gateway.metrics().sum("sallyport_requests_total");

        assertThat(RawClient.tls(gateway.https(), HOST).get(HOST, "/").status()).isEqualTo(200);

        assertThat(gateway.metrics().sum("sallyport_requests_total")).isGreaterThan(before);
    }

    @Test
    void certificatesAreListedAsTheyAreServed() {
        JsonNode row = row("certificates", "host", HOST);

        assertThat(new BigInteger(row.get("serial").asString(), 16)).isEqualTo(leaf.serial());
        assertThat(row.get("names").toString()).contains(HOST, "www.shop.test");
        assertThat(row.get("issuer").asString()).contains("Conformance Intermediate");
        assertThat(row.get("source").asString()).contains("default/shop-tls");
        assertThat(Instant.parse(row.get("notAfter").asString()))
                .isEqualTo(leaf.certificate().getNotAfter().toInstant());
        assertThat(Instant.parse(row.get("since").asString())).isNotNull();
    }

    @Test
    void routesAreListedWithTheirBackends() {
        JsonNode row = row("routes", "path", "/exact");

        assertThat(row.get("host").asString()).isEqualTo(HOST);
        assertThat(row.get("pathType").asString()).isEqualToIgnoringCase("exact");
        assertThat(row.get("origin").asString()).contains("default/shop");
        assertThat(row.get("backends").toString()).contains("echo", "127.0.0.1:" + echo.port());
        assertThat(row.toString()).contains("301");
    }

    @Test
    void findingsNameObjectFileLineAndAdvice() {
        JsonNode row = row("findings", "reason", "CertificateUnreadable");

        assertThat(row.get("file").asString()).endsWith("shop.yaml");
        assertThat(row.get("line").asInt()).isPositive();
        assertThat(row.get("object").toString()).contains("Secret", "broken-tls");
        assertThat(row.get("advice").asString()).isNotBlank();
        assertThat(row.get("severity").asString()).isEqualToIgnoringCase("error");
    }

    private static JsonNode row(String page, String field, String value) {
        return Json.items(gateway.api(page))
                .filter(row -> row.get(field).asString().equals(value))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + value + " in " + gateway.api(page)));
    }

    @Test
    void noPageShowsAKey() {
        for (String page :
                List.of("/", "/metrics", "/api/certificates", "/api/routes", "/api/findings")) {
            assertThat(pki.material().find(page, gateway.adminGet(page).body())).isEmpty();
        }
    }

    @Test
    void statusAndPortOfTheRedirectAreConfigured() {
        RawClient.Response answer = RawClient.plain(gateway.http()).get(HOST, "/x?y");

        assertThat(answer.status()).isEqualTo(301);
        assertThat(answer.first("location")).hasValue("https://shop.test:8443/x?y");
    }

    @Test
    void aPageThatABrowserIsLuredToIsRefused() {
        // DNS rebinding: the name is the attacker's, the address is ours.
        assertThat(RawClient.plain(gateway.admin()).get("evil.test", "/metrics").status())
                .isNotEqualTo(200);
    }
}

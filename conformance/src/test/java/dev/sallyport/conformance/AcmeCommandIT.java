package dev.sallyport.conformance;

import static dev.sallyport.conformance.IssuingFolder.awaitOther;
import static dev.sallyport.conformance.IssuingFolder.awaitTrusted;
import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.math.BigInteger;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is seen of certificates that a real Pebble issued, and what people can have done. */
@Tag("pebble")
class AcmeCommandIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String HOST = "a.shop.example";

    @TempDir private Path work;
    private IssuingFolder shop;
    private Pebble pebble;
    private Gateway gateway;

    @BeforeEach
    void begin() {
        shop = IssuingFolder.in(work).host(ingress("a"), HOST);
        pebble = shop.pebble("pebble", Pebble.behaving());
        gateway = shop.gateway(pebble.directory()).start();
    }

    @AfterEach
    void end() {
        gateway.close();
        pebble.close();
        shop.close();
    }

    private Ran acme(String... words) {
        List<String> arguments = new ArrayList<>(List.of("acme"));
        arguments.addAll(List.of(words));
        arguments.addAll(List.of("--admin", gateway.address() + ":" + gateway.admin()));
        return Distribution.run(arguments.toArray(String[]::new));
    }

    private String printed(String... words) {
        Ran ran = acme(words);
        assertThat(ran.exit()).as(ran.all()).isZero();
        return ran.out();
    }

    private JsonNode row() {
        JsonNode page = JsonMapper.builder().build().readTree(printed("-o", "json"));
        return Json.items(page.path("certificates")).findFirst().orElseThrow();
    }

    @Test
    void whatIsKeptIsSeenAndIsRenewedAndRevokedOnDemand() throws Exception {
        X509Certificate root = pebble.root();
        BigInteger first = awaitTrusted(gateway, HOST, root).getSerialNumber();

        await().atMost(SOON).until(() -> !row().path("at").isNull());
        JsonNode row = row();
        assertThat(row.path("host").asString()).isEqualTo(HOST);
        assertThat(row.path("next").asString()).isEqualTo("renew");
        assertThat(new BigInteger(row.path("serial").asString(), 16)).isEqualTo(first);
        assertThat(printed()).containsPattern(HOST + " +default +\\S+ \\([0-9]+d\\) +renew ");
        assertThat(printed("orders").lines()).as("nothing is under way").hasSize(1);
        assertThat(printed("accounts"))
                .containsPattern("default +[1-9][0-9]* +" + pebble.directory() + " +https://");
        assertThat(printed("certificates"))
                .containsPattern(HOST + " +default +0*" + first.toString(16) + " +ec-p256 ");
        assertThat(gateway.metrics().of("sallyport_acme_certificates"))
                .anySatisfy(sample -> {
                    assertThat(sample.labels()).containsEntry("state", "valid");
                    assertThat(sample.value()).isEqualTo(1);
                });

        printed("renew", HOST);
        BigInteger second = awaitOther(gateway, HOST, root, first).getSerialNumber();
        printed("revoke", HOST, "--key-compromise");
        awaitOther(gateway, HOST, root, second);

        Ran unknown = acme("renew", "nobody.shop.example");
        assertThat(unknown.exit()).as(unknown.all()).isEqualTo(66);
        assertThat(unknown.err()).contains("nobody.shop.example", "404");
        Ran page =
                Ran.run(
                        "curl",
                        "--silent",
                        "--noproxy",
                        "*",
                        "--data",
                        "",
                        "http://127.0.0.1:" + gateway.admin() + "/api/acme/renew?host=" + HOST);
        assertThat(page.out()).as("as a web page would").contains("X-Sallyport");
    }

    /** All that docs/metrics.md has of it; of moments only those that there are. */
    @Test
    void whatIsCountedIsWhatIsDocumented() throws Exception {
        awaitTrusted(gateway, HOST, pebble.root());
        await().atMost(SOON).until(() -> row().path("station").asString().isEmpty());
        Set<String> documented =
                MetricCatalogue.documented().metrics().keySet().stream()
                        .filter(name -> name.startsWith("sallyport_acme_"))
                        .filter(name -> !name.startsWith("sallyport_acme_failing_"))
                        .collect(Collectors.toSet());
        Metrics metrics = gateway.metrics();
        assertThat(documented)
                .hasSizeGreaterThan(8)
                .allSatisfy(name -> assertThat(metrics.of(name)).as(name).isNotEmpty());
    }

    @Test
    void whatFailsIsSeenUntilItSucceeds() throws Exception {
        X509Certificate root = pebble.root();
        awaitTrusted(gateway, HOST, root);
        pebble.kill();
        shop.folder().put("b.yaml", ingress("b").host("b.shop.example", "shop").yaml());

        String finding = gateway.awaitFinding("AcmeOrderFailed", "\"b\"");

        assertThat(finding).contains("b.shop.example", "b.yaml", "sallyport acme orders");
        assertThat(printed("orders")).containsPattern("b\\.shop\\.example +default +failed +1 ");
        assertThat(gateway.metrics().sum("sallyport_acme_failing_since_timestamp_seconds"))
                .isPositive();
        assertThat(gateway.metrics().sum("sallyport_acme_orders_failed_total")).isEqualTo(1);

        pebble.restart();
        printed("renew", "b.shop.example");
        await().atMost(SOON)
                .until(() -> gateway.findings().stream().noneMatch(it -> it.contains("Acme")));
        assertThat(printed("orders")).doesNotContain("b.shop.example");
    }
}

package dev.sallyport.conformance;

import static dev.sallyport.conformance.IssuingFolder.SOON;
import static dev.sallyport.conformance.IssuingFolder.awaitOther;
import static dev.sallyport.conformance.IssuingFolder.awaitTrusted;
import static dev.sallyport.conformance.IssuingFolder.trusted;
import static dev.sallyport.conformance.Manifests.ingress;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sallyport.conformance.Monitoring.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All that may be configured of issuers, as the packaged gateway does it with real ones. */
@Tag("pebble")
class AcmeIssuersIT {
    private static final System.Logger LOG = System.getLogger(AcmeIssuersIT.class.getName());
    private static final String HOST = "a.shop.example";

    /** The next issuer's certificate is there before the first, which is away, is asked again. */
    private static final Duration FALLBACK = Duration.ofSeconds(30);

    @TempDir private Path work;
    private IssuingFolder shop;

    @BeforeEach
    void begin() {
        shop = IssuingFolder.in(work);
    }

    @AfterEach
    void end() {
        shop.close();
    }

    @Test
    void whereTheFirstIsAwayTheNextIssuesAtOnce() {
        String nowhere = "https://localhost:" + Gateway.freePort() + "/dir";
        try (Pebble next = shop.pebble("next", Pebble.behaving());
                Gateway gateway =
                        shop.configured(shop.issuer(nowhere) + further("next", next.directory()))
                                .start()) {
            long applied = System.nanoTime();
            shop.host(HOST);
            awaitTrusted(gateway, HOST, next.root());
            Duration took = Duration.ofNanos(System.nanoTime() - applied);
            LOG.log(
                    System.Logger.Level.INFO,
                    "host applied to trusted HTTPS where the first issuer is away: {0}",
                    Times.seconds(took.toNanos()));
            assertThat(took).isLessThan(FALLBACK);
        }
    }

    /** A further issuer, as YAML. */
    private String further(String name, String directory) {
        return "issuers:\n- name: " + name + "\n" + shop.issuer(directory).indent(2);
    }

    @Test
    void anIngressNamesItsIssuer() {
        try (Pebble first = shop.pebble("first", Pebble.behaving());
                Pebble second = shop.pebble("second", Pebble.behaving());
                Gateway gateway =
                        shop.configured(
                                        shop.issuer(first.directory())
                                                + further("second", second.directory()))
                                .start()) {
            shop.host(ingress("b").annotation("sallyport.dev/acme", "second"), "b.shop.example");
            shop.host(ingress("c").annotation("sallyport.dev/acme", "nobody"), "c.shop.example");
            shop.host(HOST);
            awaitTrusted(gateway, HOST, first.root());
            awaitTrusted(gateway, "b.shop.example", second.root());
            gateway.awaitFinding("IssuerUnknown", "nobody");
            assertThat(first.orders()).isEqualTo(1);
            assertThat(second.orders()).isEqualTo(1);
        }
    }

    @Test
    void anExternalAccountIsBoundWhereTheCaAsksForOne() throws IOException {
        shop.host(HOST);
        try (Pebble pebble = shop.pebble("pebble", Pebble.behaving().requiringExternalAccounts())) {
            String issuer = shop.issuer(pebble.directory());
            try (Gateway gateway = shop.configured(issuer).start()) {
                gateway.awaitFinding("AcmeAccountRefused", "externalAccountRequired");
                assertThat(pebble.orders()).isZero();
            }
            Path mac =
                    Files.writeString(
                            work.resolve("mac"), Pebble.Behaviour.EXTERNAL_MAC + "\n", US_ASCII);
            // What people had to mend does not wait for the day after.
            try (Gateway gateway =
                    shop.configured(
                                    issuer
                                            + "external-key-id: "
                                            + Pebble.Behaviour.EXTERNAL_KEY_ID
                                            + "\nexternal-mac-file: "
                                            + mac
                                            + "\n")
                            .start()) {
                awaitTrusted(gateway, HOST, pebble.root());
            }
        }
    }

    @Test
    void theGatewaysOwnAddressHasACertificateToo() throws Exception {
        shop.host(HOST);
        try (Pebble pebble = shop.pebble("pebble", Pebble.behaving());
                Gateway gateway =
                        shop.configured(
                                        shop.issuer(pebble.directory())
                                                + "addresses: ['127.0.0.1']\n"
                                                + "addresses-issuer: short\n"
                                                + further("short", pebble.directory())
                                                + "  profile: shortlived\n")
                                .start()) {
            Path root = rootOf(pebble);
            awaitByAddress(gateway, root);
            awaitTrusted(gateway, HOST, pebble.root());
            X509Certificate leaf = Handshakes.leaf(gateway.https(), "");
            assertThat(leaf.getSubjectAlternativeNames()).hasSize(1);
            assertThat(
                            Duration.between(
                                    leaf.getNotBefore().toInstant(),
                                    leaf.getNotAfter().toInstant()))
                    .as("of the issuer that was named")
                    .isBetween(Duration.ofDays(5), Duration.ofDays(6));

            Ran renewed =
                    Distribution.run(
                            "acme",
                            "renew",
                            "127.0.0.1",
                            "--admin",
                            gateway.address() + ":" + gateway.admin());
            assertThat(renewed.exit()).as(renewed.all()).isZero();
            await().atMost(SOON).until(() -> !Handshakes.leaf(gateway.https(), "").equals(leaf));
            awaitByAddress(gateway, root);
        }
    }

    /** One certificate is kept well; another is to be replaced, and its CA is away. */
    @Test
    void theMetricsAreThoseThatAlertsAndDashboardAskFor() throws IOException {
        shop.host(HOST);
        try (Pebble pebble = shop.pebble("pebble", Pebble.behaving())) {
            String issuer = shop.issuer(pebble.directory());
            try (Gateway gateway = shop.configured(issuer + "addresses: ['127.0.0.1']\n").start()) {
                awaitTrusted(gateway, HOST, pebble.root());
                awaitByAddress(gateway, rootOf(pebble));
            }
            pebble.kill();
            try (Gateway gateway =
                    shop.configured(issuer + "addresses: ['127.0.0.1', '127.0.0.2']\n").start()) {
                await().atMost(SOON)
                        .untilAsserted(() -> {
                            Metrics page = gateway.metrics();
                            assertThat(Monitoring.questions(Place.ISSUING))
                                    .isNotEmpty()
                                    .allSatisfy(question -> question.assertAnsweredBy(page));
                        });
            }
        }
    }

    private Path rootOf(Pebble pebble) throws IOException {
        return Files.writeString(work.resolve("root.pem"), Pki.pem(pebble.root()), US_ASCII);
    }

    private static void awaitByAddress(Gateway gateway, Path root) {
        String url = "https://127.0.0.1:" + gateway.https() + "/";
        await("a certificate for the address that curl trusts")
                .atMost(SOON)
                .until(() -> {
                    // 22: whatever is answered, which is 404, it is trusted.
                    Ran ran = Curl.ask(root, List.of(url));
                    return ran.exit() == 22;
                });
    }

    @Test
    void theProfileAndTheKeyAreWhatWasAskedFor() {
        shop.host(HOST);
        try (Pebble pebble = shop.pebble("pebble", Pebble.behaving());
                Gateway gateway =
                        shop.configured(
                                        shop.issuer(pebble.directory())
                                                + "profile: shortlived\nkey: rsa-3072\n")
                                .start()) {
            X509Certificate leaf = awaitTrusted(gateway, HOST, pebble.root());
            assertThat(leaf.getPublicKey())
                    .isInstanceOfSatisfying(
                            RSAPublicKey.class,
                            key -> assertThat(key.getModulus().bitLength()).isEqualTo(3072));
            assertThat(
                            Duration.between(
                                    leaf.getNotBefore().toInstant(),
                                    leaf.getNotAfter().toInstant()))
                    .isBetween(Duration.ofDays(5), Duration.ofDays(6));
        }
    }

    @Test
    void theChainThatIsPreferredIsServed() {
        shop.host(HOST);
        try (Pebble pebble = shop.pebble("pebble", Pebble.behaving().withAlternateRoots(2))) {
            X509Certificate preferred = pebble.root(2);
            String name =
                    preferred
                            .getSubjectX500Principal()
                            .getName()
                            .replaceAll(".*CN=([^,]+).*", "$1");
            try (Gateway gateway =
                    shop.configured(
                                    shop.issuer(pebble.directory())
                                            + "preferred-chain: "
                                            + name
                                            + "\n")
                            .start()) {
                awaitTrusted(gateway, HOST, preferred);
                assertThatThrownBy(() -> trusted(gateway, HOST, pebble.root()))
                        .isInstanceOf(IOException.class);
            }
        }
    }

    @Test
    void aWildcardIsProvenInDns() {
        try (Bind bind = Bind.start(work.resolve("bind"), "shop.example");
                Pebble pebble = shop.pebble("pebble", Pebble.behaving().asking(bind.port()));
                Gateway gateway =
                        shop.configured(
                                        shop.issuer(pebble.directory())
                                                + String.format(
                                                        Locale.ROOT,
                                                        """
                                                        dns-zone: shop.example
                                                        dns-servers: ["127.0.0.1:%d"]
                                                        dns-key-name: %s
                                                        dns-key-file: %s
                                                        """,
                                                        bind.port(),
                                                        Bind.KEY_NAME,
                                                        bind.keyFile()))
                                .start()) {
            shop.host("*.apps.shop.example");
            X509Certificate leaf = awaitTrusted(gateway, "any.apps.shop.example", pebble.root());
            assertThat(leaf.getSubjectX500Principal().getName() + names(leaf))
                    .contains("*.apps.shop.example");
            assertThat(bind.updates()).as("written and removed").isEqualTo(2);
        }
    }

    private static String names(X509Certificate leaf) {
        try {
            return String.valueOf(leaf.getSubjectAlternativeNames());
        } catch (CertificateParsingException e) {
            throw new AssertionError(e);
        }
    }

    /** The CA withdraws what it issued: "in the past" means now (RFC 9773 section 4.2). */
    @Test
    void whatTheCaWithdrawsIsReplacedAndSaysWhatItReplaces() {
        try (Pebble pebble = shop.pebble("pebble", Pebble.behaving());
                Gateway gateway = shop.gateway(pebble.directory()).start()) {
            shop.host(HOST);
            X509Certificate first = awaitTrusted(gateway, HOST, pebble.root());
            long withdrawn = System.nanoTime();
            pebble.suggestRenewal(
                    first,
                    first.getNotBefore().toInstant(),
                    first.getNotBefore().toInstant().plusSeconds(1));
            awaitOther(gateway, HOST, pebble.root(), first.getSerialNumber());
            LOG.log(
                    System.Logger.Level.INFO,
                    "withdrawn to replaced: {0}",
                    Times.seconds(System.nanoTime() - withdrawn));
            assertThat(pebble.orders()).isEqualTo(2);
            assertThat(pebble.replacements()).isEqualTo(1);
        }
    }

    @Test
    void aNameThatTheCaNeverIssuesForIsToldAndHarmsNoOther() {
        shop.host("blocked.shop.example").host(HOST);
        try (Pebble pebble =
                        shop.pebble("pebble", Pebble.behaving().blocking("blocked.shop.example"));
                Gateway gateway = shop.gateway(pebble.directory()).start()) {
            gateway.awaitFinding("AcmeNameRefused", "blocked.shop.example", "rejectedIdentifier");
            awaitTrusted(gateway, HOST, pebble.root());
        }
    }
}

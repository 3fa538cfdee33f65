package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The packaged gateway on a folder, with certificates that it has issued by a real Pebble. */
@Tag("pebble")
class AcmeFolderIT {

    private static final System.Logger LOG = System.getLogger(AcmeFolderIT.class.getName());
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int MANY = 200;

    /** From the file to a trusted handshake; the aim on a quiet machine is two seconds. */
    private static final Duration TRUSTED = Duration.ofSeconds(30);

    @TempDir private Path work;
    private IssuingFolder shop;
    private Pebble pebble;

    @BeforeEach
    void begin() {
        shop = IssuingFolder.in(work);
        pebble = shop.pebble("pebble", Pebble.behaving());
    }

    @AfterEach
    void end() {
        pebble.close();
        shop.close();
    }

    private Gateway.Starter gateway() {
        return shop.gateway(pebble.directory());
    }

    private void host(String name, String host) {
        shop.host(ingress(name), host);
    }

    private static BigInteger awaitTrusted(Gateway gateway, String host, X509Certificate root) {
        return IssuingFolder.awaitTrusted(gateway, host, root).getSerialNumber();
    }

    private static BigInteger trusted(Gateway gateway, String host, X509Certificate root)
            throws IOException {
        return IssuingFolder.trusted(gateway, host, root).getSerialNumber();
    }

    /** Flags are all that is needed, and nothing of the folder says anything of TLS. */
    @Test
    void aSwitchIsAllThatAHostNeeds() throws IOException {
        X509Certificate root = pebble.root();
        try (Gateway gateway = gateway().start()) {
            long applied = System.nanoTime();
            host("a", "a.shop.example");
            BigInteger serial = awaitTrusted(gateway, "a.shop.example", root);
            Duration took = Duration.ofNanos(System.nanoTime() - applied);
            LOG.log(
                    System.Logger.Level.INFO,
                    "host applied to trusted HTTPS: {0}; {1} requests to the CA",
                    Times.seconds(took.toNanos()),
                    pebble.requests());
            assertThat(took).isLessThan(TRUSTED);
            assertThat(
                            RawClient.tls(gateway.httpsAddress(), "a.shop.example")
                                    .get("a.shop.example", "/")
                                    .status())
                    .isEqualTo(200);
            // Once it can be, plain HTTP is sent to HTTPS.
            gateway.awaitStatus("a.shop.example", "/", 308);
            JsonNode row =
                    Json.items(gateway.api("certificates"))
                            .filter(it -> it.path("host").asString().equals("a.shop.example"))
                            .findFirst()
                            .orElseThrow();
            assertThat(new BigInteger(row.path("serial").asString(), 16)).isEqualTo(serial);
            await().untilAsserted(() ->
                    assertThat(gateway.err().lines())
                            .as("one form of log lines, whoever writes them")
                            .allMatch(line -> line.startsWith("{\"time\":"))
                            .anyMatch(line -> line.contains("Issued for a.shop.example")));
            // Renewal does not happen again and again.
            assertThat(pebble.orders()).isEqualTo(1);
        }
        assertPrivate(shop.state());
    }

    @Test
    void twoHundredHostsAtOnceAreAllTrusted() throws IOException {
        X509Certificate root = pebble.root();
        List<String> hosts = new ArrayList<>();
        List<String> documents = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            String host = "h" + i + ".many.example";
            hosts.add(host);
            documents.add(ingress("h" + i).host(host, "shop").yaml());
        }
        try (Gateway gateway = gateway().start()) {
            long before = pebble.requests();
            long applied = System.nanoTime();
            shop.folder().put("many.yaml", documents.toArray(String[]::new));
            for (String host : hosts) {
                awaitTrusted(gateway, host, root);
            }
            LOG.log(
                    System.Logger.Level.INFO,
                    "{0} hosts at once, all trusted after {1}; {2} requests to the CA for each"
                            + " certificate",
                    MANY,
                    Times.seconds(System.nanoTime() - applied),
                    String.format(
                            Locale.ROOT, "%.1f", (pebble.requests() - before) / (double) MANY));
            assertThat(pebble.orders()).isEqualTo(MANY);
        }
    }

    /**
     * At whatever moment it ends: afterwards all goes on, at one lost order for each kill at most.
     */
    @Test
    void killedAtAnyMomentItGoesOn() throws Exception {
        X509Certificate root = pebble.root();
        Set<BigInteger> served = new HashSet<>();
        int kills = 6;
        for (int i = 0; i < kills; i++) {
            String host = "k" + i + ".kill.example";
            Gateway gateway = gateway().start();
            for (int j = 0; j < i; j++) {
                // What was issued before is there from the first answer on.
                served.add(trusted(gateway, "k" + j + ".kill.example", root));
            }
            long orders = pebble.orders();
            host("k" + i, host);
            switch (i % 3) {
                case 0 ->
                        await().pollInterval(Duration.ofMillis(1))
                                .atMost(SOON)
                                .until(() -> hasOrder(shop.state()));
                case 1 ->
                        await().pollInterval(Duration.ofMillis(1))
                                .atMost(SOON)
                                .until(() -> pebble.orders() > orders);
                default -> awaitTrusted(gateway, host, root);
            }
            gateway.kill();
            try (Gateway again = gateway().start()) {
                awaitTrusted(again, host, root);
                assertThat(pebble.orders() - orders).as("orders for one host").isBetween(1L, 2L);
            }
        }
        assertThat(served).as("each host kept its certificate").hasSize(kills - 1);
    }

    private static boolean hasOrder(Path state) throws IOException {
        if (!Files.isDirectory(state)) {
            return false;
        }
        try (Stream<Path> all = Files.walk(state)) {
            return all.anyMatch(file ->
                    file.getFileName().toString().contains(".example")
                            && file.toString().contains("order"));
        }
    }

    /** A new key and certificate, while clients of all sorts go on as if nothing was. */
    @Test
    void aRenewalUnderLoadFailsNobody() throws Exception {
        X509Certificate root = pebble.root();
        String host = "renewed.shop.example";
        host("renewed", host);
        try (Gateway gateway = gateway().start()) {
            BigInteger serial = awaitTrusted(gateway, host, root);
            int renewals = 4; // a fifth order a day for the same names is the last we make
            try (Load load = Load.https(gateway.httpsAddress(), host, () -> Pki.trusting(root))) {
                for (int i = 0; i < renewals; i++) {
                    acme(gateway, "renew", host);
                    serial =
                            IssuingFolder.awaitOther(gateway, host, root, serial).getSerialNumber();
                }
                LOG.log(
                        System.Logger.Level.INFO,
                        "{0} renewals under load: {1}",
                        renewals,
                        load.assertNothingFailed(10));
            }
        }
    }

    private static String acme(Gateway gateway, String... words) {
        List<String> arguments = new ArrayList<>(List.of("acme"));
        arguments.addAll(List.of(words));
        arguments.addAll(List.of("--admin", gateway.address() + ":" + gateway.admin()));
        Ran ran = Distribution.run(arguments.toArray(String[]::new));
        assertThat(ran.exit()).as(ran.all()).isZero();
        return ran.out();
    }

    @Test
    void nothingIsOrderedWhereASecretServesWell() throws Exception {
        String host = "own.shop.example";
        Leaf own = shop.pki().ecdsa(host);
        shop.folder().put("own-tls.yaml", Manifests.secret("own-tls", own));
        shop.folder()
                .put("own.yaml", ingress("own").tls("own-tls", host).host(host, "shop").yaml());
        host("other", "other.shop.example");
        try (Gateway gateway = gateway().start()) {
            awaitTrusted(gateway, "other.shop.example", pebble.root());
            assertThat(Handshakes.serial(gateway.httpsAddress(), host)).isEqualTo(own.serial());
            assertThat(pebble.orders()).isEqualTo(1);

            // Gone is not well: then it is had issued, and the last good one stays until it is.
            shop.folder().put("own-tls.yaml", Manifests.secret("unrelated", own));
            awaitTrusted(gateway, host, pebble.root());
        }
    }

    @Test
    void byTheTlsPortAlone() throws Exception {
        host("alpn", "alpn.shop.example");
        try (Gateway gateway = gateway().config("acme: {challenges: [tls-alpn-01]}\n").start()) {
            awaitTrusted(gateway, "alpn.shop.example", pebble.root());
        }
    }

    /** While the CA is away hosts are served as they were, and afterwards the rest is issued. */
    @Test
    void aCaThatIsAwayHarmsNobody() throws Exception {
        X509Certificate root = pebble.root();
        host("a", "a.shop.example");
        try (Gateway gateway = gateway().start()) {
            BigInteger serial = awaitTrusted(gateway, "a.shop.example", root);
            pebble.kill();
            host("b", "b.shop.example");
            gateway.awaitFinding("Acme", "\"b\"");
            assertThat(trusted(gateway, "a.shop.example", root)).isEqualTo(serial);
            assertThat(RawClient.plain(gateway.httpAddress()).get("b.shop.example", "/").status())
                    .isEqualTo(200);
            pebble.restart();
            X509Certificate another = pebble.root();
            acme(gateway, "renew", "b.shop.example");
            awaitTrusted(gateway, "b.shop.example", another);
        }
    }

    @Test
    void twoGatewaysDoNotShareAState() throws Exception {
        try (Gateway gateway = gateway().start()) {
            Path elsewhere = Files.createDirectories(work.resolve("second"));
            Ran second =
                    Ran.run(
                            Duration.ofMinutes(1),
                            Distribution.command(
                                    List.of(),
                                    List.of(
                                            "run",
                                            "--resources",
                                            shop.folder().path().toString(),
                                            "--http",
                                            "127.0.0.1:" + Gateway.freePort(),
                                            "--https",
                                            "127.0.0.1:" + Gateway.freePort(),
                                            "--admin",
                                            "127.0.0.1:" + Gateway.freePort(),
                                            "--acme-directory",
                                            pebble.directory(),
                                            "--acme-agree-terms",
                                            "--acme-contact",
                                            "admin@shop.example",
                                            "--acme-ca",
                                            shop.pki().caFile().toString(),
                                            "--state",
                                            shop.state().toString())));
            assertThat(second.exit()).as(second.all()).isNotZero();
            assertThat(second.err()).contains(shop.state().toString());
            assertThat(elsewhere).isEmptyDirectory();
            assertThat(gateway.readyz()).isEqualTo(200);
        }
    }

    @Test
    void termsHaveToBeAgreedTo() {
        Ran ran =
                Distribution.run(
                        "run",
                        "--resources",
                        shop.folder().path().toString(),
                        "--acme-directory",
                        pebble.directory());
        assertThat(ran.exit()).as(ran.all()).isEqualTo(78);
        assertThat(ran.err()).contains("--acme-agree-terms");
    }

    /** Nobody else may read keys. */
    private static void assertPrivate(Path state) throws IOException {
        try (Stream<Path> all = Files.walk(state)) {
            assertThat(all.toList())
                    .isNotEmpty()
                    .allSatisfy(file ->
                            assertThat(Files.getPosixFilePermissions(file).toString())
                                    .as(file.toString())
                                    .doesNotContain("GROUP", "OTHERS"));
        }
    }
}

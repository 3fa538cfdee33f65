package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.RSAKeyGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Each command, as it is documented. */
final class CommandLineIT {

    private static final int UNUSABLE = 1;
    private static final int USAGE = 64;
    private static final int NO_INPUT = 66;
    private static final int UNAVAILABLE = 69;
    private static final int CONFIGURATION = 78;

    @TempDir private static Path work;
    private static Pki pki;
    private static Leaf leaf;
    private static Backend echo;
    private static Folder folder;
    private static Gateway gateway;

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
        leaf = pki.ecdsa("shop.test");
        echo = Backend.echo("echo");
        folder = Folder.in(work).put("shop.yaml", goodSite());
        gateway = Gateway.in(work, pki, folder).start();
    }

    private static String[] goodSite() {
        return new String[] {
            Manifests.service("echo", echo),
            Manifests.secret("shop-tls", leaf),
            ingress("shop").tls("shop-tls", "shop.test").host("shop.test", "echo").yaml()
        };
    }

    @AfterAll
    static void stop() {
        gateway.close();
        echo.close();
    }

    private static Folder broken(Path parent) {
        return Folder.in(parent)
                .put("shop.yaml", goodSite())
                .put(
                        "broken.yaml",
                        "# comment\n",
                        Manifests.secret("broken-tls", "garbage", leaf.key()),
                        ingress("broken")
                                .tls("broken-tls", "broken.test")
                                .host("broken.test", "no-such-service")
                                .yaml())
                .put("torn.yaml", "apiVersion: v1\nkind: [\n");
    }

    private static void assertNoKeys(Ran ran) {
        assertThat(pki.material().find("output", ran.out() + ran.err())).isEmpty();
    }

    // check

    @Test
    void checkOfAGoodFolderEndsWithZero() {
        Ran check = Distribution.run("check", folder.path().toString());

        assertThat(check.exit()).as(check.all()).isZero();
        assertThat(check.out()).contains("0 errors, 0 warnings");
    }

    @Test
    void checkNamesFileLineObjectAndAdviceOfEveryFinding(@TempDir Path parent) {
        Ran check = Distribution.run("check", broken(parent).path().toString());

        assertThat(check.exit()).as(check.all()).isEqualTo(UNUSABLE);
        assertThat(check.out())
                .containsPattern(
                        "broken\\.yaml:[1-9][0-9]*: error: .*broken-tls.*CertificateUnreadable")
                .containsPattern(
                        "broken\\.yaml:[1-9][0-9]*: error: .*no-such-service.*ServiceMissing")
                .containsPattern("torn\\.yaml:[1-9][0-9]*: error: .*FileUnreadable")
                .containsPattern("(?m)^ {4}\\S");
        assertNoKeys(check);
    }

    @Test
    void checkPrintsJsonForPrograms(@TempDir Path parent) {
        Ran check = Distribution.run("check", "-o", "json", broken(parent).path().toString());

        assertThat(check.exit()).as(check.all()).isEqualTo(UNUSABLE);
        JsonNode page = JsonMapper.shared().readTree(check.out());
        assertThat(Json.items(page))
                .anySatisfy(row -> {
                    assertThat(row.get("reason").asString()).isEqualTo("CertificateUnreadable");
                    assertThat(row.get("file").asString()).endsWith("broken.yaml");
                    assertThat(row.get("line").asInt()).isPositive();
                    assertThat(row.get("advice").asString()).isNotBlank();
                });
        assertNoKeys(check);
    }

    @Test
    void checkSaysWhatTheGatewaySays(@TempDir Path parent, @TempDir Path run) {
        Leaf refused = pki.issue(wanted -> wanted.withKey(oddRsaKey()), "refused.test");
        Folder manifests =
                broken(parent)
                        .put(
                                "refused.yaml",
                                Manifests.secret("refused-tls", refused),
                                ingress("refused")
                                        .tls("refused-tls", "refused.test")
                                        .host("refused.test", "echo")
                                        .yaml());
        JsonNode check =
                JsonMapper.shared()
                        .readTree(
                                Distribution.run("check", "-o", "json", manifests.path().toString())
                                        .out());

        try (Gateway serving = Gateway.in(run, pki, manifests).start()) {
            assertThat(Json.items(serving.api("findings")).map(CommandLineIT::gist))
                    .containsExactlyInAnyOrderElementsOf(
                            Json.items(check).map(CommandLineIT::gist).toList());
        }
        assertThat(Json.items(check).map(CommandLineIT::gist))
                .anySatisfy(finding -> assertThat(finding).contains("KeyUnsupported"));
    }

    /** The JDK works with any public exponent, the TLS library with those up to 33 bits. */
    private static KeyPair oddRsaKey() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(
                    new RSAKeyGenParameterSpec(
                            2048, BigInteger.ONE.shiftLeft(64).add(BigInteger.valueOf(13))));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError("no RSA", e);
        }
    }

    private static String gist(JsonNode finding) {
        return finding.get("reason")
                + " "
                + finding.get("object")
                + " "
                + Path.of(finding.get("file").asString()).getFileName()
                + ":"
                + finding.get("line");
    }

    @Test
    void checkOfNoFolderSaysSo(@TempDir Path parent) {
        Ran check = Distribution.run("check", parent.resolve("nowhere").toString());

        assertThat(check.exit()).isEqualTo(NO_INPUT);
        assertThat(check.err()).contains("nowhere");
    }

    // certs, routes

    @Test
    void certsListsWhatIsServed() {
        Ran certs = Distribution.run("certs", "--admin", "127.0.0.1:" + gateway.admin());

        assertThat(certs.exit()).as(certs.all()).isZero();
        assertThat(certs.out().lines().filter(line -> line.contains("shop.test")).toList())
                .anySatisfy(line ->
                        assertThat(line)
                                .containsIgnoringCase(leaf.serial().toString(16))
                                .contains("Conformance Intermediate")
                                .contains("default/shop-tls"));
        assertNoKeys(certs);
    }

    @Test
    void routesListsMatchActionBackendsAndOrigin() {
        Ran routes = Distribution.run("routes", "--admin", "127.0.0.1:" + gateway.admin());

        assertThat(routes.exit()).as(routes.all()).isZero();
        assertThat(routes.out().lines().filter(line -> line.contains("shop.test")).toList())
                .anySatisfy(line -> assertThat(line).contains("/", "default/echo", "default/shop"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"certs", "routes"})
    void askingAnotherProgramSaysSo(String command) {
        // An echo backend answers every path with JSON, and 200.
        for (String form : List.of("text", "json")) {
            Ran ran = Distribution.run(command, "--admin", "127.0.0.1:" + echo.port(), "-o", form);

            assertThat(ran.exit()).as(ran.all()).isEqualTo(UNAVAILABLE);
            assertThat(ran.out()).isEmpty();
            assertThat(ran.err()).contains("--admin").doesNotContain("Exception", "\tat ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"certs", "routes"})
    void askingNobodySaysSo(String command) {
        Ran ran = Distribution.run(command, "--admin", "127.0.0.1:" + Gateway.freePort());

        assertThat(ran.exit()).isEqualTo(UNAVAILABLE);
        assertThat(ran.err()).contains("sallyport: ").doesNotContain("Exception", "\tat ");
    }

    // config

    @Test
    void configNamesTheSourceOfEachValue(@TempDir Path parent) throws IOException {
        Path file = Files.writeString(parent.resolve("gateway.yaml"), "timeouts:\n  header: 7s\n");

        Ran config =
                Distribution.run("config", "--config", file.toString(), "--http", "127.0.0.1:81");

        assertThat(config.exit()).as(config.all()).isZero();
        assertThat(line(config, "timeouts.header")).contains("7s", "gateway.yaml:2");
        assertThat(line(config, "listeners.http")).contains("127.0.0.1:81", "--http");
        assertThat(line(config, "timeouts.handshake")).contains("10s", "default");
    }

    private static String line(Ran ran, String start) {
        return ran.out()
                .lines()
                .filter(line -> line.startsWith(start + " "))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + start + " in " + ran.out()));
    }

    @Test
    void allMistakesInAConfigurationAreReportedAtOnce(@TempDir Path parent) throws IOException {
        Path file =
                Files.writeString(
                        parent.resolve("gateway.yaml"),
                        """
                        timeouts:
                          header: soon
                          heder: 7s
                        limits:
                          connections: -1
                        nonsense: true
                        """);

        Ran config = Distribution.run("config", "--config", file.toString());

        assertThat(config.exit()).isEqualTo(CONFIGURATION);
        assertThat(config.err())
                .contains("gateway.yaml:2", "timeouts.header", "soon")
                .contains("gateway.yaml:3", "timeouts.heder")
                .contains("gateway.yaml:5", "limits.connections")
                .contains("gateway.yaml:6", "nonsense");
    }

    @Test
    void aWrongConfigurationStopsTheStart(@TempDir Path parent) throws IOException {
        Path file = Files.writeString(parent.resolve("gateway.yaml"), "nonsense: true\n");

        Ran run =
                Distribution.run(
                        "run",
                        "--resources",
                        folder.path().toString(),
                        "--config",
                        file.toString());

        assertThat(run.exit()).isEqualTo(CONFIGURATION);
        assertThat(run.err()).contains("gateway.yaml:1");
    }

    // run, usage

    @Test
    void aTakenAdminPortIsNamed() throws IOException {
        try (var taken = takenPort()) {
            Ran run =
                    Distribution.run(
                            "run",
                            "--resources",
                            folder.path().toString(),
                            "--http",
                            "127.0.0.1:" + Gateway.freePort(),
                            "--https",
                            "127.0.0.1:" + Gateway.freePort(),
                            "--admin",
                            "127.0.0.1:" + taken.getLocalPort());

            assertThat(run.exit()).as(run.all()).isEqualTo(UNAVAILABLE);
            assertThat(run.err())
                    .contains("127.0.0.1:" + taken.getLocalPort())
                    .doesNotContain("\tat ");
        }
    }

    @Test
    void aFolderOfAnotherPurposeDoesNotBecomeTheStateFolder(@TempDir Path parent)
            throws IOException {
        Path theirs = Files.createDirectory(parent.resolve("theirs"));
        Files.createFile(theirs.resolve("notes.txt"));
        Files.setPosixFilePermissions(theirs, PosixFilePermissions.fromString("rwxr-xr-x"));

        Ran run =
                Distribution.run(
                        "run",
                        "--resources",
                        folder.path().toString(),
                        "--http",
                        "127.0.0.1:" + Gateway.freePort(),
                        "--https",
                        "127.0.0.1:" + Gateway.freePort(),
                        "--admin",
                        "127.0.0.1:" + Gateway.freePort(),
                        "--acme-directory",
                        "https://ca.invalid/dir",
                        "--acme-agree-terms",
                        "--state",
                        theirs.toString());

        assertThat(run.exit()).as(run.all()).isEqualTo(UNAVAILABLE);
        assertThat(run.err())
                .contains(
                        "the state folder " + theirs + " cannot be used: it holds notes.txt",
                        "--state " + theirs + "/sallyport")
                .doesNotContain("\tat ");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(theirs)))
                .isEqualTo("rwxr-xr-x");
    }

    @Test
    void withoutAnyListenerTheGatewayEnds() throws IOException {
        try (var http = takenPort();
                var https = takenPort()) {
            Ran run =
                    Distribution.run(
                            "run",
                            "--resources",
                            folder.path().toString(),
                            "--http",
                            "127.0.0.1:" + http.getLocalPort(),
                            "--https",
                            "127.0.0.1:" + https.getLocalPort(),
                            "--admin",
                            "127.0.0.1:" + Gateway.freePort());

            assertThat(run.exit()).as(run.all()).isEqualTo(UNAVAILABLE);
            assertThat(run.err()).contains("127.0.0.1:" + http.getLocalPort());
        }
    }

    @Test
    void aListenerThatCannotBeBoundIsReportedAndTheOthersServe(@TempDir Path run)
            throws IOException {
        try (var taken = takenPort();
                Gateway serving =
                        Gateway.in(run, pki, folder)
                                .flags("--http", "127.0.0.1:" + taken.getLocalPort())
                                .start()) {
            serving.awaitFinding("ListenerNotBound", Integer.toString(taken.getLocalPort()));
            assertThat(new Curl(serving, pki).https("shop.test", "/").status()).isEqualTo(200);
        }
    }

    private static ServerSocket takenPort() throws IOException {
        var taken = new ServerSocket();
        taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), Gateway.freePort()));
        return taken;
    }

    @Test
    void addressesMayBeRepeated(@TempDir Path run) {
        int second = Gateway.freePort();

        try (Gateway serving =
                Gateway.in(run, pki, folder).flags("--http", "127.0.0.1:" + second).start()) {
            assertThat(RawClient.plain(serving.http()).get("shop.test", "/").status())
                    .isEqualTo(308);
            assertThat(RawClient.plain(second).get("shop.test", "/").status()).isEqualTo(308);
        }
    }

    @Test
    void wrongUseIsExplained() {
        for (List<String> wrong :
                List.of(
                        List.<String>of(),
                        List.of("serve"),
                        List.of("run", "--no-such-flag"),
                        List.of("certs", "--output", "xml"),
                        List.of("check"),
                        List.of("check", "a", "b"))) {
            Ran ran = Distribution.run(wrong.toArray(String[]::new));

            assertThat(ran.exit()).as(wrong + ": " + ran.all()).isEqualTo(USAGE);
            assertThat(ran.err()).contains("Usage: sallyport").doesNotContain("\tat ");
        }
    }

    @Test
    void aFlagsBadValueIsWrongUse() {
        for (String value : List.of("nonsense", "")) {
            Ran run =
                    Distribution.run(
                            "run", "--resources", folder.path().toString(), "--http", value);

            assertThat(run.exit()).as(run.all()).isEqualTo(USAGE);
            assertThat(run.err()).contains("--http").doesNotContain("\tat ");
        }
    }

    @Test
    void runWithNothingToServeSaysWhatToServe() {
        Ran run = Distribution.run("run", "--admin", "127.0.0.1:" + Gateway.freePort());

        assertThat(run.exit()).isEqualTo(USAGE);
        assertThat(run.err())
                .contains("--kubeconfig FILE", "--resources DIR")
                .doesNotContain("\tat ");
    }

    @Test
    void aFolderAndAClusterAtOnceAreWrongUse() {
        for (List<String> cluster :
                List.of(
                        List.of("--kubeconfig", "admin.conf"),
                        List.of("--watch-namespace", "shop"),
                        List.of("--publish-address", "192.0.2.1"),
                        List.of("--publish-service", "edge/sallyport"))) {
            List<String> arguments =
                    new ArrayList<>(List.of("run", "--resources", folder.path().toString()));
            arguments.addAll(cluster);
            Ran run = Distribution.run(arguments.toArray(String[]::new));

            assertThat(run.exit()).as(run.all()).isEqualTo(USAGE);
            assertThat(run.err())
                    .contains(cluster.getFirst(), "--resources")
                    .doesNotContain("\tat ");
        }
    }

    @Test
    void aFolderMayBeLimitedToClasses(@TempDir Path run) {
        try (Gateway serving =
                Gateway.in(run, pki, folder)
                        .flags("--ingress-class", "public", "--ingress-class", "private")
                        .start()) {
            assertThat(serving.api("routes").toString()).contains("shop.test");
        }
    }

    @Test
    void whatAClusterIsAskedForIsPartOfTheConfiguration() {
        Ran config =
                Distribution.run(
                        "config",
                        "--kubeconfig",
                        "admin.conf",
                        "--watch-namespace",
                        "shop",
                        "--watch-namespace",
                        "blog",
                        "--ingress-class",
                        "public",
                        "--publish-address",
                        "192.0.2.1",
                        "--publish-address",
                        "edge.example.com");

        assertThat(config.exit()).as(config.all()).isZero();
        assertThat(line(config, "kubernetes.kubeconfig")).contains("admin.conf", "--kubeconfig");
        assertThat(line(config, "kubernetes.watch-namespaces"))
                .contains("shop, blog", "--watch-namespace");
        assertThat(line(config, "kubernetes.publish-addresses"))
                .contains("192.0.2.1, edge.example.com", "--publish-address");
        assertThat(line(config, "ingress.classes")).contains("public", "--ingress-class");
        assertThat(line(config, "ingress.external-names"))
                .as("a default of clusters")
                .contains("false", "default");
    }

    @Test
    void twoWaysToSayWhatIsPublishedAreWrongUse() {
        Ran config =
                Distribution.run(
                        "config",
                        "--publish-address",
                        "192.0.2.1",
                        "--publish-service",
                        "edge/sallyport");

        assertThat(config.exit()).as(config.all()).isEqualTo(USAGE);
        assertThat(config.err()).contains("expected: one of them");
    }

    @Test
    void aKubeconfigThatIsNotThereSaysSo(@TempDir Path parent) {
        Ran run = Distribution.run("run", "--kubeconfig", parent.resolve("nowhere").toString());

        assertThat(run.exit()).isEqualTo(NO_INPUT);
        assertThat(run.err()).contains("nowhere cannot be read").doesNotContain("\tat ");
    }

    static Stream<Arguments> malformedKubeconfigs() {
        String users = "users: [{name: u, user: {token: hunter2}}]\n";
        String contexts = "contexts: [{name: x, context: {cluster: c, user: u}}]\n";
        return Stream.of(
                Arguments.of("token: hunter2: [\n", "not a kubeconfig"),
                Arguments.of("hunter2", "not a kubeconfig"),
                Arguments.of("", "not a kubeconfig"),
                Arguments.of(
                        "apiVersion: v1\nkind: Config\n" + users + contexts,
                        "current-context: missing"),
                Arguments.of(
                        users
                                + contexts
                                + "clusters: [{name: c, cluster: {server: 'https://h:1',"
                                + " certificate-authority: nowhere.crt}}]\ncurrent-context: x\n",
                        "certificates or keys cannot be read"));
    }

    @ParameterizedTest
    @MethodSource("malformedKubeconfigs")
    void whatIsNoKubeconfigSaysSoWithoutItsContents(
            String text, String because, @TempDir Path parent) throws IOException {
        Path file = Files.writeString(parent.resolve("admin.conf"), text);

        Ran run =
                Distribution.run(
                        "run",
                        "--kubeconfig",
                        file.toString(),
                        "--http",
                        "127.0.0.1:" + Gateway.freePort(),
                        "--https",
                        "127.0.0.1:" + Gateway.freePort(),
                        "--admin",
                        "127.0.0.1:" + Gateway.freePort());

        assertThat(run.exit()).as(run.all()).isEqualTo(CONFIGURATION);
        assertThat(run.err())
                .contains("admin.conf", because, "kubectl --kubeconfig", "--kubeconfig FILE")
                .doesNotContain("hunter2", "\tat ");
    }

    @Test
    void anApiServerThatIsNotThereIsWaitedForAndNamed(@TempDir Path parent) throws IOException {
        int nobody = Gateway.freePort();
        Path file =
                Files.writeString(
                        parent.resolve("admin.conf"),
                        String.format(
                                Locale.ROOT,
                                """
                                apiVersion: v1
                                kind: Config
                                clusters: [{name: c, cluster: {server: "https://127.0.0.1:%d"}}]
                                users: [{name: u, user: {token: t}}]
                                contexts: [{name: x, context: {cluster: c, user: u}}]
                                current-context: x
                                """,
                                nobody));
        try (Gateway starting = Gateway.ofKubeconfig(parent, pki, file).launch()) {
            await().atMost(Duration.ofSeconds(30))
                    .until(() ->
                            starting.readyz() == 503
                                    && starting.adminGet("/readyz")
                                            .body()
                                            .contains(
                                                    "waiting for the list of ingressclasses (Connect"));
            assertThat(starting.adminGet("/livez").statusCode()).isEqualTo(200);
            await().until(() -> starting.err().contains("\"message\":\"waiting\""));
        }
    }

    @Test
    void helpIsNoMistake() {
        Ran help = Distribution.run("run", "--help");

        assertThat(help.exit()).isZero();
        assertThat(help.out())
                .contains("--resources", "--http", "--https", "--admin", "--config")
                .contains("--kubeconfig", "--watch-namespace", "--ingress-class")
                .contains("--publish-address", "--publish-service");
    }

    @Test
    void theLogIsJsonWhereNobodyWatches() {
        assertThat(gateway.err().lines().filter(line -> !line.isBlank()).toList())
                .isNotEmpty()
                .allSatisfy(line -> {
                    JsonNode message = JsonMapper.shared().readTree(line);
                    assertThat(Instant.parse(message.get("time").asString())).isNotNull();
                    assertThat(message.get("level").asString()).isIn("INFO", "WARN");
                    assertThat(message.get("message").asString()).isNotBlank();
                });
    }

    @Test
    void theLogNamesReasonsAsTheApiDoes(@TempDir Path parent, @TempDir Path run) {
        try (Gateway serving = Gateway.in(run, pki, broken(parent)).start()) {
            // A thread of its own writes the log.
            await().ignoreExceptions()
                    .untilAsserted(() ->
                            assertThat(
                                            serving.err()
                                                    .lines()
                                                    .map(line ->
                                                            JsonMapper.shared().readTree(line)))
                                    .filteredOn(message ->
                                            message.path("message").asString().equals("Finding"))
                                    .extracting(message -> message.get("reason").asString())
                                    .containsExactlyInAnyOrderElementsOf(
                                            Json.items(serving.api("findings"))
                                                    .map(finding ->
                                                            finding.get("reason").asString())
                                                    .toList()));
        }
    }
}

package dev.sallyport.tls.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.listener.ClientAuthentication;
import dev.sallyport.model.listener.ClientAuthentication.TrustAnchors;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.model.listener.TlsProfile;
import dev.sallyport.tls.certificate.TestCertificates;
import dev.sallyport.tls.certificate.TestCertificates.Made;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Handshakes over sockets, with clients of three makes. */
class TlsFrontTest {
    private static final List<String> VERSIONS = List.of("TLSv1.2", "TLSv1.3");

    private static final CertificateSet EXACT = TestPki.set("exact");
    private static final CertificateTable TABLE =
            TestPki.table()
                    .host("shop.example.com", EXACT)
                    .host("*.example.com", TestPki.set("wildcard"))
                    .fallback(TestPki.set("default"))
                    .build();
    private static final CertificateTable STRICT =
            TestPki.table().host("shop.example.com", EXACT).build();

    private static final Made CLIENT_CA =
            TestCertificates.valid()
                    .subject("CN=Client CA")
                    .keys(TestCertificates.keyPair("EC-secp384r1"))
                    .authority()
                    .make();
    private static final TrustAnchors ANCHORS = TrustAnchors.of(List.of(CLIENT_CA.der()));

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final TestServer server =
            new TestServer(new TlsFront(100, () -> TestCertificates.NOW, new byte[32], timer));

    @BeforeEach
    void fillTheTable() {
        server.table.set(TABLE);
    }

    @AfterEach
    void close() {
        Awaitility.await()
                .untilAsserted(() -> assertThat(server.front.handshakesUnderWay()).isZero());
        server.close();
        timer.shutdown();
        assertThat(server.front.credentialsFreed()).isEqualTo(server.front.credentialsCreated());
    }

    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    private static TlsPolicy policy(ClientAuthentication authentication) {
        return new TlsPolicy(
                TlsProfile.INTERMEDIATE,
                TlsPolicy.DEFAULT_GROUPS,
                List.of("h2", "http/1.1"),
                authentication);
    }

    private static Made client(String name, Made authority) {
        return TestCertificates.valid()
                .subject("CN=" + name)
                .names()
                .keys(TestCertificates.keyPair("EC-secp256r1"))
                .validity(
                        TestCertificates.NOW.minus(Duration.ofDays(1)),
                        // The JDK's trust manager goes by the wall clock.
                        TestCertificates.NOW.plus(Duration.ofDays(36_500)))
                .issuedBy(authority)
                .make();
    }

    private void assertFailure(HandshakeFailure reason) {
        Awaitility.await()
                .untilAsserted(() -> assertThat(server.outcomes.failures).contains(reason));
    }

    // Challenges (RFC 8737)

    private void challenge(String serverName) {
        server.table.set(
                TestPki.table()
                        .host("shop.example.com", TestPki.set("exact"))
                        .fallback(TestPki.set("default"))
                        .challenge(serverName, TestPki.set("challenge"))
                        .build());
    }

    @Test
    void aCaSeesTheChallengeAndNothingElse() throws IOException {
        challenge("shop.example.com");
        int port = server.listen(TlsPolicy.DEFAULT);
        for (String version : VERSIONS) {
            var ca = new JdkClient(port).versions(version).protocols("acme-tls/1");
            assertThat(ca.subjectThenNothing("SHOP.example.com")).isEqualTo("challenge");
        }
        assertThat(server.outcomes.failures).isEmpty();
        // Everybody else goes on as ever.
        assertThat(new JdkClient(port).dial("shop.example.com").subject()).isEqualTo("exact");
    }

    @Test
    void whoOffersMoreIsNoCa() throws IOException {
        challenge("shop.example.com");
        int port = server.listen(TlsPolicy.DEFAULT);
        var client = new JdkClient(port).protocols("acme-tls/1", "http/1.1");
        assertThat(client.dial("shop.example.com").line()).contains("set=exact", "alpn=http/1.1");
    }

    @Test
    void withoutAChallengeNobodySpeaksTheProtocol() throws IOException {
        challenge("other.example.com");
        int plain =
                server.listen(
                        new TlsPolicy(
                                TlsProfile.INTERMEDIATE,
                                TlsPolicy.DEFAULT_GROUPS,
                                List.of(),
                                new ClientAuthentication.None()));
        for (int port : new int[] {server.listen(TlsPolicy.DEFAULT), plain}) {
            assertThat(new JdkClient(port).protocols("acme-tls/1").failure("shop.example.com"))
                    .contains("no_application_protocol");
        }
        assertFailure(HandshakeFailure.NO_APPLICATION_PROTOCOL);
    }

    @Test
    void aCaThatStopsInTheMiddleIsClosedAtTheDeadline() throws IOException {
        challenge("shop.example.com");
        int port =
                server.listen(
                        TlsPolicy.DEFAULT, new HandshakeLimits(Duration.ofSeconds(2), 16_384));
        // The first takes a JVM longer than some deadlines.
        byte[] hello = Hellos.record(JdkHello.message("shop.example.com", "acme-tls/1"));
        try (var socket = new java.net.Socket(java.net.InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(hello);
            assertThat(socket.getInputStream().readAllBytes())
                    .as("the server's part of the handshake, then the end")
                    .hasSizeGreaterThan(100)
                    .startsWith(22);
        }
        assertFailure(HandshakeFailure.TIMEOUT);
    }

    @Test
    void aCaNeedsNoCertificateOfItsOwnAndReversesAddresses() throws IOException {
        challenge("1.2.0.192.in-addr.arpa");
        int port = server.listen(policy(new ClientAuthentication.Required(ANCHORS)));
        var ca = new JdkClient(port).protocols("acme-tls/1");
        assertThat(ca.subjectThenNothing("1.2.0.192.in-addr.arpa")).isEqualTo("challenge");
    }

    // Names

    @Test
    void theExactNameIsPresented() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        for (String version : VERSIONS) {
            var answer = new JdkClient(port).versions(version).dial("shop.example.com");
            assertThat(answer.subject()).isEqualTo("exact");
            assertThat(answer.line())
                    .contains("sni=shop.example.com set=exact fallback=false")
                    .contains("version=" + version)
                    .contains("resumed=false");
        }
    }

    @Test
    void aWildcardStandsForOneLabel() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        assertThat(new JdkClient(port).dial("a.example.com").subject()).isEqualTo("wildcard");
        assertThat(new JdkClient(port).dial("a.b.example.com").subject()).isEqualTo("default");
        assertThat(new JdkClient(port).dial("example.com").subject()).isEqualTo("default");
    }

    @Test
    void caseIsFolded() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        for (String version : VERSIONS) {
            var answer = new JdkClient(port).versions(version).dial("SHOP.Example.COM");
            assertThat(answer.line()).contains("sni=shop.example.com set=exact");
        }
    }

    @Test
    void aTrailingDotIsDropped() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        for (String version : List.of("-tls1_2", "-tls1_3")) {
            assertThat(new OpenSslClient(port).outcome("shop.example.com.", version))
                    .contains("sni=shop.example.com set=exact fallback=false");
        }
    }

    @Test
    void unknownNamesGetTheDefaultAndAreSaidTo() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        for (String version : VERSIONS) {
            var answer = new JdkClient(port).versions(version).dial("other.test");
            assertThat(answer.subject()).isEqualTo("default");
            assertThat(answer.line()).contains("sni=other.test set=default fallback=true");
        }
    }

    @Test
    void noNameGetsTheDefault() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        for (String version : VERSIONS) {
            var answer = new JdkClient(port).versions(version).dial(null);
            assertThat(answer.line()).contains("sni=null set=default fallback=true");
        }
    }

    @Test
    void addressesAsNamesGetTheDefault() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        for (String version : List.of("-tls1_2", "-tls1_3")) {
            assertThat(new OpenSslClient(port).outcome("127.0.0.1", version))
                    .contains("sni=null set=default fallback=true");
        }
    }

    @Test
    void strictModeAnswersUnrecognizedName() {
        server.table.set(STRICT);
        int port = server.listen(TlsPolicy.DEFAULT);
        for (String version : VERSIONS) {
            JdkClient client = new JdkClient(port).versions(version);
            assertThat(client.failure("other.test")).contains("unrecognized_name");
            assertThat(client.failure(null)).contains("unrecognized_name");
        }
        assertFailure(HandshakeFailure.NAME_UNKNOWN);
    }

    @Test
    void overlongNamesAreUnrecognized() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        assertThat(new OpenSslClient(port).outcome("a".repeat(254))).contains("alert number 112");
    }

    // What is agreed on

    @Test
    void protocolsAreChosenByTheGatewaysPreference() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        assertThat(new JdkClient(port).protocols("http/1.1", "h2").dial("a.example.com").line())
                .contains("alpn=h2 ");
        assertThat(new JdkClient(port).protocols("http/1.1").dial("a.example.com").line())
                .contains("alpn=http/1.1 ");
        assertThat(new JdkClient(port).dial("a.example.com").line()).contains("alpn= ");
    }

    @Test
    void noProtocolInCommonIsAnAlert() {
        int port = server.listen(TlsPolicy.DEFAULT);
        assertThat(new JdkClient(port).protocols("smtp").failure("a.example.com"))
                .contains("no_application_protocol");
    }

    @Test
    void theModernProfileRefusesTls12() throws IOException {
        int port =
                server.listen(
                        new TlsPolicy(
                                TlsProfile.MODERN,
                                TlsPolicy.DEFAULT_GROUPS,
                                List.of("h2"),
                                new ClientAuthentication.None()));
        assertThat(new JdkClient(port).versions("TLSv1.2").failure("a.example.com"))
                .contains("protocol_version");
        assertFailure(HandshakeFailure.NO_COMMON_PARAMETERS);
        assertThat(new JdkClient(port).versions("TLSv1.3").dial("a.example.com").line())
                .contains("version=TLSv1.3");
    }

    @Test
    void oldVersionsAndSuitesAreRefused() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        OpenSslClient client = new OpenSslClient(port);
        for (String[] old :
                new String[][] {
                    {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"},
                    {"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA"},
                    {"-tls1_2", "-cipher", "AES128-GCM-SHA256:AES128-SHA"},
                }) {
            assertThat(client.outcome("a.example.com", old)).doesNotStartWith("sni=");
        }
        for (String aead :
                List.of(
                        "ECDHE-ECDSA-AES128-GCM-SHA256",
                        "ECDHE-ECDSA-AES256-GCM-SHA384",
                        "ECDHE-ECDSA-CHACHA20-POLY1305")) {
            assertThat(client.outcome("a.example.com", "-tls1_2", "-cipher", aead))
                    .contains("version=TLSv1.2");
        }
    }

    @Test
    void postQuantumGroupsAreAgreedOn() throws Exception {
        int port = server.listen(TlsPolicy.DEFAULT);
        try (BoringClient client = new BoringClient("X25519MLKEM768")) {
            assertThat(client.dial(port, "a.example.com")).contains("set=wildcard");
        }
    }

    @Test
    void aGroupThePolicyLacksIsRefused() throws Exception {
        int port =
                server.listen(
                        new TlsPolicy(
                                TlsProfile.MODERN,
                                List.of("X25519MLKEM768"),
                                List.of(),
                                new ClientAuthentication.None()));
        try (BoringClient client = new BoringClient("X25519")) {
            assertThat(client.dial(port, "a.example.com")).doesNotContain("set=");
        }
        assertFailure(HandshakeFailure.NO_COMMON_PARAMETERS);
    }

    @Test
    void policiesTheLibraryRefusesAreRefused() {
        assertThatThrownBy(() ->
                        server.listen(
                                new TlsPolicy(
                                        TlsProfile.MODERN,
                                        List.of("no-such-group"),
                                        List.of(),
                                        new ClientAuthentication.None())))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void trustAnchorsThatAreNoCertificatesAreRefused() {
        TrustAnchors garbage = TrustAnchors.of(List.of(new byte[] {1, 2, 3}));
        assertThatThrownBy(() -> server.listen(policy(new ClientAuthentication.Required(garbage))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("trust anchor 1");
    }

    // Kinds of key

    @Test
    void ecdsaIsPreferredAndRsaServedToWhoAsksForIt() throws IOException {
        server.table.set(
                TestPki.table()
                        .host("both.test", TestPki.set("both", "RSA-2048", "EC-secp256r1"))
                        .build());
        OpenSslClient client = new OpenSslClient(server.listen(TlsPolicy.DEFAULT));
        for (String version : List.of("-tls1_2", "-tls1_3")) {
            assertThat(client.dial("both.test", version)).contains("Peer signature type: ECDSA");
            assertThat(client.dial("both.test", version, "-sigalgs", "RSA-PSS+SHA256"))
                    .contains("Peer signature type: RSA-PSS");
        }
        assertThat(client.dial("both.test", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"))
                .contains("Peer signature type: RSA");
    }

    @Test
    void everyKindOfKeyIsServed() throws IOException {
        server.table.set(
                TestPki.table()
                        .host("p256.test", TestPki.set("p256", "EC-secp256r1"))
                        .host("p384.test", TestPki.set("p384", "EC-secp384r1"))
                        .host("p521.test", TestPki.set("p521", "EC-secp521r1"))
                        .host("rsa.test", TestPki.set("rsa", "RSA-2048"))
                        .host("ed25519.test", TestPki.set("ed25519", "Ed25519"))
                        .build());
        OpenSslClient client = new OpenSslClient(server.listen(TlsPolicy.DEFAULT));
        for (String name : List.of("p256", "p384", "p521", "rsa", "ed25519")) {
            for (String version : List.of("-tls1_2", "-tls1_3")) {
                assertThat(client.outcome(name + ".test", version)).contains("set=" + name);
            }
        }
    }

    @Test
    void aClientThatKnowsNoneOfTheKeysIsRefused() throws IOException {
        OpenSslClient client = new OpenSslClient(server.listen(TlsPolicy.DEFAULT));
        assertThat(client.outcome("a.example.com", "-tls1_3", "-sigalgs", "RSA-PSS+SHA256"))
                .contains("handshake failure");
        assertFailure(HandshakeFailure.NO_COMMON_PARAMETERS);
    }

    // Client certificates

    @Test
    void requiredClientCertificatesAreRequired() throws IOException {
        int port = server.listen(policy(new ClientAuthentication.Required(ANCHORS)));
        for (String version : VERSIONS) {
            assertThat(
                            new JdkClient(port, client("alice", CLIENT_CA))
                                    .versions(version)
                                    .dial("a.example.com")
                                    .line())
                    .contains("set=wildcard");
            server.outcomes.failures.clear();
            assertThat(new JdkClient(port).versions(version).failure("a.example.com")).isNotNull();
            assertFailure(HandshakeFailure.CLIENT_CERTIFICATE);
        }
    }

    @Test
    void strangersClientCertificatesAreRefusedEvenWhereOptional() throws IOException {
        Made otherCa =
                TestCertificates.valid()
                        .subject("CN=Client CA")
                        .keys(TestCertificates.keyPair("EC-secp521r1"))
                        .authority()
                        .make();
        Made mallory = client("mallory", otherCa);
        for (ClientAuthentication mode :
                List.of(
                        new ClientAuthentication.Required(ANCHORS),
                        new ClientAuthentication.Optional(ANCHORS))) {
            int port = server.listen(policy(mode));
            for (String version : VERSIONS) {
                server.outcomes.failures.clear();
                assertThat(new JdkClient(port, mallory).versions(version).failure("a.example.com"))
                        .isNotNull();
                assertFailure(HandshakeFailure.CLIENT_CERTIFICATE);
            }
        }
    }

    @Test
    void optionalClientCertificatesMayBeMissing() throws IOException {
        int port = server.listen(policy(new ClientAuthentication.Optional(ANCHORS)));
        for (String version : VERSIONS) {
            assertThat(new JdkClient(port).versions(version).dial("a.example.com").line())
                    .contains("set=wildcard");
            assertThat(
                            new JdkClient(port, client("alice", CLIENT_CA))
                                    .versions(version)
                                    .dial("a.example.com")
                                    .line())
                    .contains("set=wildcard");
        }
    }

    // The table

    @Test
    void aNewTableIsServedAtOnce() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        assertThat(new JdkClient(port).dial("shop.example.com").subject()).isEqualTo("exact");
        server.table.set(TestPki.table().host("shop.example.com", TestPki.set("rotated")).build());
        assertThat(new JdkClient(port).dial("shop.example.com").subject()).isEqualTo("rotated");
    }

    @Test
    void acceptorsOfEqualPoliciesShareAContext() throws IOException {
        int first = server.listen(TlsPolicy.DEFAULT);
        int second = server.listen(policy(new ClientAuthentication.None()));
        assertThat(new JdkClient(first).dial("shop.example.com").subject()).isEqualTo("exact");
        assertThat(new JdkClient(second).dial("shop.example.com").subject()).isEqualTo("exact");
        assertThat(server.front.credentialsHeld()).isEqualTo(1);
    }

    @Test
    void forgottenBundlesAreFreedAndLoadedAgainOnDemand() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        new JdkClient(port).dial("shop.example.com");
        server.front.forget(EXACT.certificates().getFirst().bundle());
        assertThat(server.front.credentialsFreed()).isEqualTo(server.front.credentialsCreated());
        assertThat(new JdkClient(port).dial("shop.example.com").subject()).isEqualTo("exact");
    }

    @Test
    void clientsThatCloseAreCounted() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        try (var socket = new java.net.Socket(java.net.InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(Hellos.record(JdkHello.message("shop.example.com")));
            assertThat(socket.getInputStream().read()).isEqualTo(22);
        }
        assertFailure(HandshakeFailure.CLOSED);
    }

    @Test
    void halfAHelloIsClosedAtTheDeadline() throws IOException {
        int port =
                server.listen(TlsPolicy.DEFAULT, new HandshakeLimits(Duration.ofSeconds(1), 1024));
        try (var socket = new java.net.Socket(java.net.InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(new byte[] {22, 3, 1, 1, 0});
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
        assertFailure(HandshakeFailure.TIMEOUT);
    }

    @Test
    void aHelloLargerThanBoringSslTakesIsRefused() throws IOException {
        int port = server.listen(TlsPolicy.DEFAULT);
        byte[] hello =
                Hellos.hello().name("shop.example.com").extension(21, new byte[30_000]).message();
        try (var socket = new java.net.Socket(java.net.InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(Hellos.records(hello, 16_000));
            assertThat(socket.getInputStream().read()).isEqualTo(21);
        }
    }
}

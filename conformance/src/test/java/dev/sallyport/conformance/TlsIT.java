package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Handshakes by openssl s_client, by the JDK and, for what those cannot, by BoringSSL. */
final class TlsIT {

    /** Of the strict gateway; the other has the default of ten seconds. */
    private static final Duration DEADLINE = Duration.ofSeconds(2);

    @TempDir private static Path work;
    @TempDir private static Path strictWork;
    private static Pki pki;
    private static Leaf ecdsa;
    private static Leaf rsa;
    private static Leaf fallback;
    private static Backend echo;
    private static Folder folder;
    private static Gateway gateway;
    private static Gateway strict;

    @BeforeAll
    static void start() throws IOException {
        pki = Pki.in(work);
        ecdsa = pki.ecdsa("both.test");
        rsa = pki.rsa("both.test");
        fallback = pki.ecdsa("fallback.test");
        echo = Backend.echo("echo");
        folder =
                Folder.in(work)
                        .put("echo.yaml", Manifests.service("echo", echo))
                        .put(
                                "both.yaml",
                                Manifests.secret("rsa", rsa),
                                Manifests.secret("ecdsa", ecdsa),
                                ingress("both")
                                        .tls("rsa", "both.test")
                                        .tls("ecdsa", "both.test")
                                        .host("both.test", "echo")
                                        .yaml())
                        .put("fallback.yaml", Manifests.secret("fallback", fallback))
                        .put(
                                "formats.yaml",
                                ingress("formats")
                                        .tls("pkcs1", "pkcs1.test")
                                        .tls("sec1", "sec1.test")
                                        .tls("crlf", "crlf.test")
                                        .tls("bom", "bom.test")
                                        .tls("text", "text.test")
                                        .tls("p384", "p384.test")
                                        .tls("with-root", "with-root.test")
                                        .host("pkcs1.test", "echo")
                                        .yaml())
                        .put("keys.yaml", keysInEveryForm());
        gateway =
                Gateway.in(work, pki, folder)
                        .config("tls: {default-certificate: default/fallback}\n")
                        .jvm("-Dio.netty.leakDetection.level=paranoid")
                        .start();
        strict =
                Gateway.in(
                                strictWork,
                                pki,
                                Folder.in(strictWork)
                                        .put(
                                                "all.yaml",
                                                Manifests.secret("ecdsa", ecdsa),
                                                ingress("both").tls("ecdsa", "both.test").yaml()))
                        .config(
                                String.format(
                                        Locale.ROOT,
                                        """
                                        tls:
                                          strict-sni: true
                                          profile: modern
                                        timeouts:
                                          handshake: %ds
                                        """,
                                        DEADLINE.toSeconds()))
                        .jvm("-Dio.netty.leakDetection.level=paranoid")
                        .start();
    }

    private static String[] keysInEveryForm() throws IOException {
        Leaf pkcs1 = pki.rsa("pkcs1.test");
        Leaf sec1 = pki.ecdsa("sec1.test");
        Leaf crlf = pki.ecdsa("crlf.test");
        Leaf bom = pki.ecdsa("bom.test");
        Leaf text = pki.ecdsa("text.test");
        Leaf p384 = pki.issue(wanted -> wanted.withKey(Pki.curve("secp384r1")), "p384.test");
        Leaf withRoot = pki.ecdsa("with-root.test");
        return new String[] {
            Manifests.secret("pkcs1", pkcs1.chain(), traditional(pkcs1.key())),
            Manifests.secret("sec1", sec1.chain(), traditional(sec1.key())),
            Manifests.secret(
                    "crlf", crlf.chain().replace("\n", "\r\n"), crlf.key().replace("\n", "\r\n")),
            Manifests.secret(
                    "bom", "\u00ef\u00bb\u00bf" + bom.chain(), "\u00ef\u00bb\u00bf" + bom.key()),
            Manifests.secret(
                    "text",
                    "Bag Attributes\n    friendlyName: x\n" + text.chain(),
                    "Key Attributes: <none>\n" + text.key()),
            Manifests.secret("p384", p384),
            Manifests.secret(
                    "with-root", withRoot.chain() + Files.readString(pki.caFile()), withRoot.key()),
        };
    }

    /** The key as older tools write it: PKCS#1 for RSA, SEC1 for curves. */
    private static String traditional(String key) {
        Ran ran = Ran.run(key, Duration.ofSeconds(20), List.of("openssl", "pkey", "-traditional"));
        assertThat(ran.out()).contains(" PRIVATE KEY-----").doesNotContain("BEGIN PRIVATE");
        return ran.out();
    }

    @AfterAll
    static void stop() {
        strict.close();
        gateway.close();
        echo.close();
    }

    private static OpenSsl connect(String host, String... options) {
        List<String> all = new ArrayList<>(List.of("-servername", host));
        all.addAll(List.of(options));
        return OpenSsl.connect(gateway.https(), all.toArray(String[]::new));
    }

    // Protocols and suites

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_2", "-tls1_3"})
    void currentProtocolsAreSpoken(String protocol) {
        assertThat(connect("both.test", protocol).connected()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-tls1", "-tls1_1"})
    void oldProtocolsAreRefusedWithAnAlert(String protocol) {
        OpenSsl seen = connect("both.test", protocol, "-cipher", "ALL:@SECLEVEL=0");

        assertThat(seen.connected()).isFalse();
        assertThat(seen.text()).contains("alert protocol version");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ECDHE-ECDSA-AES128-GCM-SHA256",
                "ECDHE-ECDSA-AES256-GCM-SHA384",
                "ECDHE-ECDSA-CHACHA20-POLY1305",
                "ECDHE-RSA-AES128-GCM-SHA256",
                "ECDHE-RSA-AES256-GCM-SHA384",
                "ECDHE-RSA-CHACHA20-POLY1305",
            })
    void suitesWithAeadAndForwardSecrecyAreSpoken(String suite) {
        assertThat(connect("both.test", "-tls1_2", "-cipher", suite).connected()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ECDHE-ECDSA-AES128-SHA",
                "ECDHE-ECDSA-AES128-SHA256",
                "ECDHE-RSA-AES256-SHA",
                "ECDHE-RSA-AES256-SHA384",
                "AES128-GCM-SHA256",
                "AES256-GCM-SHA384",
                "AES128-SHA",
                "ALL:!AESGCM:!CHACHA20",
                "aNULL:eNULL",
            })
    void otherSuitesAreRefused(String suite) {
        OpenSsl seen = connect("both.test", "-tls1_2", "-cipher", suite + ":@SECLEVEL=0");

        assertThat(seen.connected()).isFalse();
        assertThat(seen.text()).contains("alert handshake failure");
    }

    @ParameterizedTest
    @ValueSource(strings = {"X25519", "P-256", "P-384"})
    void classicalGroupsAreSpoken(String group) {
        assertThat(connect("both.test", "-groups", group).connected()).isTrue();
    }

    @Test
    void thePostQuantumHybridIsSpoken() throws Exception {
        assertThat(handshakeWithOnly("X25519MLKEM768")).isEqualTo("TLSv1.3");
    }

    /** The protocol of a handshake by BoringSSL that offers no other group. */
    private static String handshakeWithOnly(String group) throws Exception {
        SslContext context =
                SslContextBuilder.forClient()
                        .sslProvider(SslProvider.OPENSSL_REFCNT)
                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                        .endpointIdentificationAlgorithm("")
                        .option(OpenSslContextOption.GROUPS, new String[] {group})
                        .build();
        SSLEngine engine = context.newEngine(ByteBufAllocator.DEFAULT, "both.test", 443);
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), gateway.https())) {
            socket.setSoTimeout(20_000);
            EngineHandshake.run(engine, socket);
            return engine.getSession().getProtocol();
        } finally {
            ReferenceCountUtil.release(engine);
            ReferenceCountUtil.release(context);
        }
    }

    @ParameterizedTest
    @CsvSource({"'h2,http/1.1',h2", "http/1.1,http/1.1", "'http/1.1,h2',h2"})
    void theProtocolIsNegotiatedInTheGatewaysOrder(String offered, String chosen) {
        assertThat(connect("both.test", "-alpn", offered).text())
                .contains("ALPN protocol: " + chosen);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_2", "-tls1_3"})
    void anUnknownProtocolIsRefusedWithItsAlert(String version) {
        OpenSsl seen = connect("both.test", version, "-alpn", "gopher");

        assertThat(seen.connected()).isFalse();
        assertThat(seen.text()).contains("alert no application protocol");
    }

    // Which certificate

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_2", "-tls1_3"})
    void ecdsaIsPreferred(String protocol) {
        assertThat(connect("both.test", protocol).serial()).isEqualTo(ecdsa.serial());
    }

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_2", "-tls1_3"})
    void clientsThatKnowOnlyRsaGetRsa(String protocol) {
        OpenSsl seen = connect("both.test", protocol, "-sigalgs", "rsa_pss_rsae_sha256:RSA+SHA256");

        assertThat(seen.connected()).as(seen.text()).isTrue();
        assertThat(seen.serial()).isEqualTo(rsa.serial());
    }

    @Test
    void clientsThatKnowOnlyEcdsaGetEcdsa() {
        assertThat(connect("both.test", "-sigalgs", "ECDSA+SHA256").serial())
                .isEqualTo(ecdsa.serial());
    }

    @Test
    void theServedChainIsTrusted() {
        assertThat(connect("both.test", "-CAfile", pki.caFile().toString()).text())
                .contains("Verify return code: 0 (ok)");
    }

    @Test
    void namesAreComparedWithoutCase() {
        assertThat(connect("BOTH.Test").serial()).isEqualTo(ecdsa.serial());
    }

    @Test
    void aClientWithoutSniGetsTheDefaultCertificate() {
        assertThat(OpenSsl.connect(gateway.https(), "-noservername").serial())
                .isEqualTo(fallback.serial());
    }

    @ParameterizedTest
    @ValueSource(strings = {"unknown.test", "x.both.test", "127.0.0.1", "-dash.test"})
    void anUnknownNameGetsTheDefaultCertificate(String name) {
        assertThat(connect(name).serial()).isEqualTo(fallback.serial());
    }

    @ParameterizedTest
    @ValueSource(strings = {"pkcs1", "sec1", "crlf", "bom", "text", "p384", "with-root"})
    void keysAndChainsInEveryFormAreServed(String form) {
        String name = form + ".test";

        OpenSsl seen = connect(name, "-CAfile", pki.caFile().toString(), "-verify_hostname", name);

        assertThat(seen.text()).contains("Verify return code: 0 (ok)");
    }

    // Strict mode, modern profile

    @Test
    void strictModeRefusesUnknownNamesWithAnAlert() {
        OpenSsl seen = OpenSsl.connect(strict.https(), "-servername", "unknown.test");

        assertThat(seen.connected()).isFalse();
        assertThat(seen.text()).containsIgnoringCase("unrecognized name");
    }

    @Test
    void strictModeRefusesClientsWithoutSni() {
        assertThat(OpenSsl.connect(strict.https(), "-noservername").connected()).isFalse();
    }

    @Test
    void strictModeServesItsHosts() {
        assertThat(OpenSsl.connect(strict.https(), "-servername", "both.test").serial())
                .isEqualTo(ecdsa.serial());
    }

    @Test
    void theModernProfileSpeaksOnlyTls13() {
        assertThat(OpenSsl.connect(strict.https(), "-servername", "both.test", "-tls1_2").text())
                .contains("alert protocol version");
    }

    // Resumption

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_2", "-tls1_3"})
    void sessionsResumeAcrossARotation(String protocol, @TempDir Path sessions) {
        String name = "resumed" + protocol.replace('_', '-');
        String host = name + ".test";
        Leaf before = pki.ecdsa(host);
        Leaf after = pki.ecdsa(host);
        String session = sessions.resolve("session").toString();
        putRotated(name, before);
        OpenSsl first =
                OpenSsl.request(
                        gateway.https(), host, protocol, "-servername", host, "-sess_out", session);
        assertThat(first.reused()).isFalse();

        putRotated(name, after);
        OpenSsl second =
                OpenSsl.request(
                        gateway.https(), host, protocol, "-servername", host, "-sess_in", session);

        assertThat(second.reused()).as(second.text()).isTrue();
        assertThat(second.text()).contains("HTTP/1.1 200");
    }

    private static void putRotated(String name, Leaf leaf) {
        folder.put(
                name + ".yaml",
                Manifests.secret(name, leaf),
                ingress(name).tls(name, name + ".test").host(name + ".test", "echo").yaml());
        gateway.awaitServed(name + ".test", leaf);
    }

    // Hostile clients

    @Test
    void aClientHelloThatNeverEndsIsCutAtTheDeadline() throws IOException {
        byte[] hello = clientHello();
        long start = System.nanoTime();
        try (var client = RawClient.plain(strict.https()).open()) {
            client.send(Arrays.copyOf(hello, hello.length / 2));

            client.rest();
        }

        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isBetween(DEADLINE.minusMillis(500), DEADLINE.plusSeconds(5));
    }

    @Test
    void aSilentClientIsCutAtTheDeadline() throws IOException {
        long start = System.nanoTime();
        try (var client = RawClient.plain(strict.https()).open()) {
            assertThat(client.rest()).isEmpty();
        }

        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isBetween(DEADLINE.minusMillis(500), DEADLINE.plusSeconds(5));
    }

    @Test
    void aClientHelloInManyRecordsIsUnderstood() throws IOException {
        byte[] hello = clientHello();
        try (var client = RawClient.plain(gateway.https()).open()) {
            // RFC 8446 section 5.1: "Handshake messages MAY be [...] fragmented across several
            // records".
            for (int at = 5; at < hello.length; at += 7) {
                int length = Math.min(7, hello.length - at);
                byte[] record = new byte[5 + length];
                record[0] = 22;
                record[1] = 3;
                record[2] = 1;
                record[4] = (byte) length;
                System.arraycopy(hello, at, record, 5, length);
                client.send(record);
            }

            byte[] answer = client.in().readNBytes(6);
            assertThat(answer[0]).as("handshake record").isEqualTo((byte) 22);
            assertThat(answer[5]).as("ServerHello").isEqualTo((byte) 2);
        }
    }

    /** The record with the ClientHello that the JDK would send. */
    private static byte[] clientHello() throws IOException {
        SSLEngine engine = Handshakes.anybody().createSSLEngine("both.test", 443);
        engine.setUseClientMode(true);
        ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        SSLEngineResult wrapped = engine.wrap(ByteBuffer.allocate(0), record);
        return Arrays.copyOf(record.array(), wrapped.bytesProduced());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void garbageIsRefusedAndLeavesOthersAlone(int seed) throws IOException {
        var random = new Random(seed);
        byte[] garbage = seed % 2 == 0 ? clientHello() : new byte[random.nextInt(1, 100_000)];
        if (seed % 2 == 0) {
            for (int i = 0; i < seed * 3; i++) {
                garbage[random.nextInt(5, garbage.length)] = (byte) random.nextInt();
            }
        } else {
            random.nextBytes(garbage);
        }
        try (var client = RawClient.plain(gateway.https()).open()) {
            client.trySend(new String(garbage, ISO_8859_1));
            client.socket().shutdownOutput();
            client.rest();
        }

        assertThat(connect("both.test").serial()).isEqualTo(ecdsa.serial());
    }

    @Test
    void plainHttpOnTheTlsPortIsRefused() throws IOException {
        try (var client = RawClient.plain(gateway.https()).open()) {
            client.trySend(RawClient.head("GET / HTTP/1.1", "Host: both.test"));

            assertThat(client.rest()).doesNotContain("echo");
        }
    }

    @Test
    void aClientHelloBeyondItsBoundIsRefusedAtOnce() throws IOException {
        long start = System.nanoTime();
        try (var client = RawClient.plain(gateway.https()).open()) {
            // A handshake message that says it is 1 MiB long, in full records.
            byte[] record = new byte[5 + 16_384];
            record[0] = 22;
            record[1] = 3;
            record[2] = 1;
            record[3] = 0x40;
            record[5] = 1;
            record[6] = 0x10;
            for (int i = 0; i < 8; i++) {
                client.trySend(new String(record, ISO_8859_1));
                record[5] = 0;
                record[6] = 0;
            }
            client.rest();
        }

        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .as("before the deadline")
                .isLessThan(Duration.ofSeconds(8));
    }
}

package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.acme.challenge.AlpnCertificate;
import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.challenge.NotPresentedException;
import dev.sallyport.acme.challenge.Proof;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.control.resource.AcmeAnswer;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.model.route.Challenge;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.Test;

/** What is shown is handed over, and asked for at real sockets before it counts as presented. */
class SnapshotBoardTest {
    private static final Identifier SHOP = Identifier.parse("shop.example");
    private static final Proof.Http HTTP = new Proof.Http(SHOP, "token", "token.thumbprint");
    private static final Proof.TlsAlpn ALPN =
            new Proof.TlsAlpn(SHOP, AlpnCertificate.of(SHOP, "t.thumbprint", AcmeFixture.NOW));
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Replica UNBOUND = new Replica(List.of(), List.of());

    private final List<SourceUpdate> updates = new CopyOnWriteArrayList<>();

    @Test
    void itTakesWhatThereIsAPortFor() {
        var port = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        SnapshotBoard board = board(new Replica(List.of(port), List.of()), all());
        assertThat(board.takes(ChallengeType.HTTP_01, SHOP)).isTrue();
        assertThat(board.takes(ChallengeType.TLS_ALPN_01, SHOP)).isFalse();
        assertThat(board.takes(ChallengeType.DNS_01, SHOP)).isFalse();
        assertThat(board.takes(ChallengeType.HTTP_01, Identifier.parse("*.shop.example")))
                .isFalse();
        assertThat(board.takes(ChallengeType.HTTP_01, Identifier.parse("192.0.2.1"))).isTrue();
        SnapshotBoard other =
                board(new Replica(List.of(port), List.of(port)), Set.of(ChallengeType.TLS_ALPN_01));
        assertThat(other.takes(ChallengeType.TLS_ALPN_01, SHOP)).isTrue();
        assertThat(other.takes(ChallengeType.HTTP_01, SHOP)).isFalse();
    }

    @Test
    void whatIsShownIsHandedOverWhole() throws Exception {
        SnapshotBoard board = board(UNBOUND, all());
        board.present(HTTP, LONG);
        board.present(ALPN, LONG);
        assertThat(shown())
                .containsExactly(
                        new AcmeAnswer.Http(
                                new Challenge("shop.example", "token"), "token.thumbprint"),
                        new AcmeAnswer.TlsAlpn("shop.example", ALPN.certificate().bundle()));
        board.withdraw(HTTP);
        assertThat(shown()).hasSize(1);
        board.withdraw(HTTP); // once more is nothing
        assertThat(updates).hasSize(3);
        board.withdraw(ALPN);
        assertThat(shown()).isEmpty();
    }

    @Test
    void anAddressIsAskedForUnderAnyHost() throws Exception {
        board(UNBOUND, all())
                .present(new Proof.Http(Identifier.parse("192.0.2.1"), "t", "t.x"), LONG);
        assertThat(shown())
                .containsExactly(
                        new AcmeAnswer.Http(new Challenge(Challenge.ANY_HOST, "t"), "t.x"));
    }

    @Test
    void itIsPresentedWhenEveryPortAnswers() throws Exception {
        var asked = new AtomicInteger();
        try (var at = new Plain(request -> "HTTP/1.1 200 OK\r\n\r\ntoken.thumbprint");
                var late =
                        new Plain(request ->
                                asked.incrementAndGet() < 4
                                        ? "HTTP/1.1 404 Not Found\r\n\r\n"
                                        : "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\ntoken.thumbprint")) {
            board(new Replica(List.of(at.address(), late.address()), List.of()), all())
                    .present(HTTP, LONG);
            assertThat(asked).hasValue(4);
            assertThat(at.requests)
                    .first()
                    .asString()
                    .startsWith("GET /.well-known/acme-challenge/token HTTP/1.1\r\n")
                    .contains("\r\nHost: shop.example\r\n");
        }
    }

    @Test
    void whatDoesNotAnswerIsNamed() throws Exception {
        try (var redirecting =
                        new Plain(request ->
                                "HTTP/1.1 308 Permanent Redirect\r\n\r\ntoken.thumbprint");
                var others = new Plain(request -> "HTTP/1.1 200 OK\r\n\r\nanother.thumbprint");
                var silent = new Plain(request -> "")) {
            for (Plain plain : List.of(redirecting, others, silent)) {
                assertThatThrownBy(() ->
                                board(new Replica(List.of(plain.address()), List.of()), all())
                                        .present(HTTP, SHORT))
                        .isInstanceOf(NotPresentedException.class)
                        .hasMessageContaining("http-01")
                        .hasMessageContaining("shop.example")
                        .hasMessageContaining(String.valueOf(plain.address().getPort()));
            }
        }
    }

    @Test
    void anAnswerWithoutEndIsCutOff() throws Exception {
        String endless =
                "HTTP/1.1 200 OK\r\n\r\n" + "x".repeat(20_000) + "\r\n\r\ntoken.thumbprint";
        try (var flood = new Plain(request -> endless)) {
            assertThat(ChallengeProbe.answers(flood.address(), HTTP)).isFalse();
        }
    }

    @Test
    void aCertificateIsPresentedWhenTheTlsPortShowsIt() throws Exception {
        try (var tls = new Tls(ALPN.certificate(), AlpnCertificate.PROTOCOL)) {
            board(new Replica(List.of(), List.of(tls.address())), all()).present(ALPN, LONG);
        }
    }

    @Test
    void anotherCertificateOrProtocolIsNoProof() throws Exception {
        AlpnCertificate another = AlpnCertificate.of(SHOP, "u.thumbprint", AcmeFixture.NOW);
        try (var tls = new Tls(another, AlpnCertificate.PROTOCOL);
                var http = new Tls(ALPN.certificate(), "http/1.1")) {
            assertThat(ChallengeProbe.answers(tls.address(), ALPN)).isFalse();
            assertThat(ChallengeProbe.answers(http.address(), ALPN)).isFalse();
        }
    }

    /** Better no order than one that a replica does not answer for. */
    @Test
    void whereNobodyKnowsTheReplicasNothingIsPresented() {
        var board = new SnapshotBoard(all(), _ -> {}, () -> UNBOUND, List::of);
        assertThatThrownBy(() -> board.present(HTTP, SHORT))
                .isInstanceOf(NotPresentedException.class)
                .hasMessageContaining("has not said yet");
    }

    @Test
    void noRecordsAreWritten() {
        assertThatThrownBy(() ->
                        board(UNBOUND, all())
                                .present(
                                        new Proof.Dns(SHOP, "_acme-challenge.shop.example", "v"),
                                        LONG))
                .isInstanceOf(NotPresentedException.class);
        assertThat(updates).isEmpty();
    }

    private static Set<ChallengeType> all() {
        return Set.of(ChallengeType.values());
    }

    private SnapshotBoard board(Replica self, Set<ChallengeType> types) {
        return SnapshotBoard.alone(types, updates::add, () -> self);
    }

    private List<AcmeAnswer> shown() {
        return updates.getLast()
                .changes()
                .getFirst()
                .now()
                .map(Resource.OfAcmeChallenges.class::cast)
                .orElseThrow()
                .answers();
    }

    /** Answers each request with a text, and closes. */
    private static final class Plain implements Closeable {
        final List<String> requests = new CopyOnWriteArrayList<>();
        private final ServerSocket listening;

        Plain(Function<String, String> answer) throws IOException {
            listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            Thread.ofVirtual()
                    .start(() -> {
                        while (!listening.isClosed()) {
                            try (Socket socket = listening.accept()) {
                                String request = head(socket);
                                requests.add(request);
                                socket.getOutputStream()
                                        .write(
                                                answer.apply(request)
                                                        .getBytes(StandardCharsets.US_ASCII));
                            } catch (IOException closedOrCutOff) {
                                // the next one, if there is one
                            }
                        }
                    });
        }

        private static String head(Socket socket) throws IOException {
            var lines =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.US_ASCII));
            var head = new StringBuilder();
            for (String line = lines.readLine();
                    line != null && !line.isEmpty();
                    line = lines.readLine()) {
                head.append(line).append("\r\n");
            }
            return head.toString();
        }

        InetSocketAddress address() {
            return (InetSocketAddress) listening.getLocalSocketAddress();
        }

        @Override
        public void close() {
            try {
                listening.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Shows one certificate to whoever asks for a protocol. */
    private static final class Tls implements Closeable {
        private final SSLServerSocket listening;

        Tls(AlpnCertificate certificate, String protocol) throws Exception {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys(certificate).getKeyManagers(), null, null);
            listening =
                    (SSLServerSocket)
                            context.getServerSocketFactory()
                                    .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
            SSLParameters parameters = listening.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {protocol});
            listening.setSSLParameters(parameters);
            Thread.ofVirtual()
                    .start(() -> {
                        while (!listening.isClosed()) {
                            try (Socket socket = listening.accept()) {
                                int _ = socket.getInputStream().read();
                            } catch (IOException closedOrRefused) {
                                // the next one, if there is one
                            }
                        }
                    });
        }

        private static KeyManagerFactory keys(AlpnCertificate certificate) throws Exception {
            var store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            var leaf =
                    (X509Certificate)
                            java.security.cert.CertificateFactory.getInstance("X.509")
                                    .generateCertificate(
                                            new java.io.ByteArrayInputStream(
                                                    certificate.bundle().chain().getFirst()));
            byte[] pkcs8 = certificate.bundle().privateKey().use(byte[]::clone);
            store.setKeyEntry(
                    "challenge",
                    java.security.KeyFactory.getInstance("EC")
                            .generatePrivate(new PKCS8EncodedKeySpec(pkcs8)),
                    new char[0],
                    new X509Certificate[] {leaf});
            var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, new char[0]);
            return factory;
        }

        InetSocketAddress address() {
            return (InetSocketAddress) listening.getLocalSocketAddress();
        }

        @Override
        public void close() throws IOException {
            listening.close();
        }
    }
}

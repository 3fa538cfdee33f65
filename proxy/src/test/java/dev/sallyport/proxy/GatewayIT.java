package dev.sallyport.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.proxy.listen.TransportUnavailable;
import dev.sallyport.proxy.metric.Metric;
import io.netty.channel.uring.IoUring;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole data plane with clients of other provenance. */
class GatewayIT {

    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void hostIsServedWithItsOwnCertificateAndBackend() throws Exception {
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend shop = RawBackend.answering(ok("shop"));
                RawBackend blog = RawBackend.answering(ok("blog"))) {
            String shopSerial = gateway.certificate("shop.test");
            String blogSerial = gateway.certificate("blog.test");
            Applied applied = gateway.host("shop.test", shop).host("blog.test", blog).apply();
            assertThat(applied.findings()).isEmpty();
            try (var socket = gateway.secure("shop.test")) {
                assertThat(TestGateway.serialOf(socket)).isEqualTo(shopSerial);
                TestGateway.ask(socket, "shop.test", "/");
                assertThat(TestGateway.answer(socket, "shop")).startsWith("HTTP/1.1 200 ");
            }
            try (var socket = gateway.secure("blog.test")) {
                assertThat(TestGateway.serialOf(socket)).isEqualTo(blogSerial);
                TestGateway.ask(socket, "blog.test", "/");
                assertThat(TestGateway.answer(socket, "blog")).endsWith("blog");
            }
            await().until(() -> gateway.metric(Metric.REQUESTS) == 2);
            assertThat(gateway.metric(Metric.TLS_HANDSHAKES)).isEqualTo(2);
        }
    }

    @Test
    void rotationIsSeenByNewConnectionsAndLeavesOldOnesAlone() throws Exception {
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend shop = RawBackend.answering(ok("shop"))) {
            String first = gateway.certificate("shop.test");
            gateway.host("shop.test", shop).apply();
            try (var kept = gateway.secure("shop.test")) {
                TestGateway.ask(kept, "shop.test", "/1");
                assertThat(TestGateway.answer(kept, "shop")).endsWith("shop");
                for (int i = 0; i < 20; i++) {
                    String next = gateway.certificate("shop.test");
                    gateway.apply();
                    try (var fresh = gateway.secure("shop.test")) {
                        assertThat(TestGateway.serialOf(fresh)).isEqualTo(next).isNotEqualTo(first);
                    }
                    TestGateway.ask(kept, "shop.test", "/" + i);
                    assertThat(TestGateway.answer(kept, "shop")).endsWith("shop");
                }
                assertThat(TestGateway.serialOf(kept)).isEqualTo(first);
            }
            // What was rotated away is given back.
            assertThat(gateway.metric(Metric.NATIVE_CREDENTIALS)).isLessThanOrEqualTo(2);
        }
    }

    @Test
    void jdkClientSpeaksHttp2() throws Exception {
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend backend = echo();
                HttpClient client =
                        HttpClient.newBuilder()
                                .sslContext(gateway.trusting())
                                .version(HttpClient.Version.HTTP_2)
                                .build()) {
            gateway.certificate("localhost");
            gateway.host("localhost", backend).apply();
            URI uri = URI.create("https://localhost:" + gateway.port(TestGateway.HTTPS) + "/echo");
            String body = "0123456789abcdef".repeat(40_000);
            List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                all.add(
                        client.sendAsync(
                                HttpRequest.newBuilder(uri)
                                        .POST(HttpRequest.BodyPublishers.ofString(i + body))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString()));
            }
            for (int i = 0; i < all.size(); i++) {
                HttpResponse<String> response = all.get(i).get(20, TimeUnit.SECONDS);
                assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
                assertThat(response.statusCode()).isEqualTo(200);
                assertThat(response.body().equals(i + body)).isTrue();
            }
        }
    }

    @Test
    void jdkClientSpeaksWebSocket() throws Exception {
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend backend = RawBackend.start(GatewayIT::webSocketEcho);
                HttpClient client =
                        HttpClient.newBuilder().sslContext(gateway.trusting()).build()) {
            gateway.certificate("localhost");
            gateway.host("localhost", backend).apply();
            for (String base :
                    List.of(
                            "ws://localhost:" + gateway.port(TestGateway.HTTP),
                            "wss://localhost:" + gateway.port(TestGateway.HTTPS))) {
                var echoed = new CompletableFuture<String>();
                WebSocket socket =
                        client.newWebSocketBuilder()
                                .buildAsync(
                                        URI.create(base + "/ws"),
                                        new WebSocket.Listener() {
                                            @Override
                                            public CompletionStage<?> onText(
                                                    WebSocket from,
                                                    CharSequence text,
                                                    boolean last) {
                                                echoed.complete(text.toString());
                                                return CompletableFuture.completedFuture(null);
                                            }
                                        })
                                .get(10, TimeUnit.SECONDS);
                socket.sendText("hello", true).get(10, TimeUnit.SECONDS);
                assertThat(echoed.get(10, TimeUnit.SECONDS)).isEqualTo("hello");
                socket.abort();
            }
            await().until(() -> gateway.metric(Metric.UPSTREAM_CONNECTIONS_OPEN) == 0);
        }
    }

    @Test
    void drainLetsRequestsEndAndTakesNoMore() throws Exception {
        var answer = new CountDownLatch(1);
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend backend =
                        RawBackend.start(connection -> {
                            while (connection.readHead() != null) {
                                pass(answer);
                                connection.send(ok("late"));
                            }
                        })) {
            gateway.certificate("shop.test");
            gateway.host("shop.test", backend).apply();
            try (Socket busy = gateway.plain();
                    Socket silent = gateway.plain();
                    Socket handshaken = gateway.secure("shop.test")) {
                TestGateway.ask(busy, "shop.test", "/");
                await().until(() -> backend.accepted() == 1);
                await().until(() -> gateway.plane.openConnections() == 3);
                int port = gateway.port(TestGateway.HTTP);

                CompletableFuture<Integer> drained =
                        CompletableFuture.supplyAsync(() -> {
                            try {
                                return gateway.plane.drain();
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        });
                await().until(gateway.plane::draining);
                assertThat(silent.getInputStream().read()).isEqualTo(-1);
                assertThat(handshaken.getInputStream().read()).isEqualTo(-1);
                assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), port))
                        .isInstanceOf(SocketException.class);
                assertThat(drained).isNotDone();

                answer.countDown();
                assertThat(TestGateway.answer(busy, "late"))
                        .startsWith("HTTP/1.1 200 ")
                        .containsIgnoringCase("connection: close")
                        .endsWith("late");
                assertThat(drained.get(10, TimeUnit.SECONDS)).isZero();
                assertThat(gateway.plane.openConnections()).isZero();
            }
        }
    }

    @Test
    void drainClosesWhatDoesNotEndInTime() throws Exception {
        var never = new CountDownLatch(1);
        ProxySettings.Timeouts base = ProxySettings.Timeouts.DEFAULT;
        ProxySettings settings =
                TestGateway.settings(
                        ProxySettings.Transport.AUTO,
                        new ProxySettings.Timeouts(
                                base.handshake(),
                                base.header(),
                                base.bodyIdle(),
                                base.request(),
                                base.keepAlive(),
                                base.stalledWrite(),
                                base.tunnelIdle(),
                                base.upstreamConnect(),
                                base.upstreamResponse(),
                                base.upstreamIdle(),
                                Duration.ofMillis(100),
                                Duration.ofMillis(300)));
        try (var gateway = new TestGateway(settings);
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            pass(never);
                        })) {
            gateway.host("shop.test", backend).apply();
            try (Socket stuck = gateway.plain()) {
                TestGateway.ask(stuck, "shop.test", "/");
                await().until(() -> backend.accepted() == 1);
                assertThat(gateway.plane.drain()).isEqualTo(1);
                assertThat(TestGateway.answer(stuck, "x")).isEmpty();
            } finally {
                never.countDown();
            }
        }
    }

    @Test
    void portThatIsTakenIsReportedAndTriedAgain() throws Exception {
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend shop = RawBackend.answering(ok("shop"))) {
            gateway.host("shop.test", shop);
            try (var other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                int port = other.getLocalPort();
                var taken = new Listener("taken", "127.0.0.1", port, new ListenerProtocol.Http());
                gateway.listeners(TestGateway.HTTP, taken);
                Finding finding = gateway.apply().findings().getFirst();
                assertThat(finding.reason()).isEqualTo(Reason.LISTENER_NOT_BOUND);
                assertThat(finding.message()).contains("127.0.0.1:" + port);
                assertThat(finding.advice()).startsWith("Stop the process that listens there");
                assertThat(gateway.plane.boundListeners()).containsExactly("http");
                assertThat(gateway.apply().findings()).hasSize(1);
            }
            assertThat(gateway.apply().findings()).isEmpty();
            assertThat(gateway.plane.boundListeners()).containsExactly("http", "taken");
        }
    }

    @Test
    void listenerThatIsRemovedKeepsItsConnections() throws Exception {
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend shop = RawBackend.answering(ok("shop"))) {
            gateway.host("shop.test", shop).apply();
            try (Socket kept = gateway.plain()) {
                TestGateway.ask(kept, "shop.test", "/1");
                TestGateway.answer(kept, "shop");
                int port = gateway.port(TestGateway.HTTP);
                gateway.listeners(TestGateway.HTTPS).apply();
                assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), port))
                        .isInstanceOf(SocketException.class);
                TestGateway.ask(kept, "shop.test", "/2");
                assertThat(TestGateway.answer(kept, "shop")).endsWith("shop");
            }
        }
    }

    @Test
    void listenerThatChangesItsProtocolKeepsItsSocket() throws Exception {
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend shop = RawBackend.answering(ok("shop"))) {
            gateway.certificate("shop.test");
            gateway.host("shop.test", shop).apply();
            int before = gateway.port(TestGateway.HTTPS);
            var modern =
                    new TlsPolicy(
                            dev.sallyport.model.listener.TlsProfile.MODERN,
                            TlsPolicy.DEFAULT_GROUPS,
                            List.of("http/1.1"),
                            TlsPolicy.DEFAULT.clientAuthentication());
            gateway.listeners(
                            new Listener(
                                    "https", "127.0.0.1", 0, new ListenerProtocol.Https(modern)))
                    .apply();
            assertThat(gateway.port(TestGateway.HTTPS)).isEqualTo(before);
            try (var socket = gateway.secure("shop.test")) {
                assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.3");
            }
        }
    }

    @Test
    void requestBeyondABoundIsTurnedAwayAndCounted() throws Exception {
        ProxySettings.Limits base = ProxySettings.Limits.DEFAULT;
        ProxySettings settings = bounded(base.connections(), base.connectionsPerClient(), 1);
        var answer = new CountDownLatch(1);
        try (var gateway = new TestGateway(settings);
                RawBackend slow =
                        RawBackend.start(connection -> {
                            while (connection.readHead() != null) {
                                pass(answer);
                                connection.send(ok("shop"));
                            }
                        })) {
            gateway.host("shop.test", slow).apply();
            try (Socket first = gateway.plain();
                    Socket second = gateway.plain()) {
                TestGateway.ask(first, "shop.test", "/");
                await().until(() -> gateway.metric(Metric.UPSTREAM_CONNECTIONS) == 1);
                TestGateway.ask(second, "shop.test", "/");
                assertThat(TestGateway.answer(second, "Request: "))
                        .startsWith("HTTP/1.1 503 ")
                        .contains("retry-after: 1");
                answer.countDown();
                assertThat(TestGateway.answer(first, "shop")).startsWith("HTTP/1.1 200 ");
                await().until(() -> gateway.metric(Metric.REQUESTS_IN_FLIGHT) == 0);
                TestGateway.ask(first, "shop.test", "/");
                assertThat(TestGateway.answer(first, "shop")).startsWith("HTTP/1.1 200 ");
            }
            await().until(() -> gateway.metric(Metric.SERVICE_REQUESTS) == 2);
            assertThat(gateway.metric(Metric.REQUEST_ERRORS)).isEqualTo(1);
            assertThat(gateway.metric(Metric.SERVICE_CONNECTIONS)).isEqualTo(1);
        }
    }

    @Test
    void connectionBeyondABoundIsResetAtOnce() throws Exception {
        ProxySettings settings = bounded(100, 2, ProxySettings.Limits.DEFAULT.requestsInFlight());
        try (var gateway = new TestGateway(settings);
                RawBackend shop = RawBackend.answering(ok("shop"))) {
            gateway.host("shop.test", shop).apply();
            try (Socket first = gateway.plain()) {
                try (Socket _ = gateway.plain()) {
                    await().until(() -> gateway.plane.openConnections() == 2);
                    try (Socket third = gateway.plain()) {
                        assertThatThrownBy(() -> third.getInputStream().read())
                                .isInstanceOf(SocketException.class);
                    }
                    assertThat(gateway.metric(Metric.CONNECTIONS_REFUSED)).isEqualTo(1);
                    TestGateway.ask(first, "shop.test", "/");
                    assertThat(TestGateway.answer(first, "shop")).endsWith("shop");
                }
                await().until(() -> gateway.metric(Metric.CONNECTIONS_OPEN) == 1);
                try (Socket fourth = gateway.plain()) {
                    TestGateway.ask(fourth, "shop.test", "/");
                    assertThat(TestGateway.answer(fourth, "shop")).endsWith("shop");
                }
            }
        }
    }

    @Test
    void exchangeLeavesALine(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("access.log");
        ProxySettings settings =
                TestGateway.settings(
                        ProxySettings.Transport.NIO,
                        ProxySettings.Limits.DEFAULT,
                        ProxySettings.Timeouts.DEFAULT,
                        new ProxySettings.AccessLogSettings(
                                ProxySettings.AccessLogSettings.Format.JSON,
                                file.toString(),
                                1024));
        try (RawBackend shop = RawBackend.answering(ok("shop"))) {
            try (var gateway = new TestGateway(settings)) {
                gateway.host("shop.test", shop).apply();
                try (Socket socket = gateway.plain()) {
                    TestGateway.ask(socket, "shop.test", "/found");
                    TestGateway.answer(socket, "shop");
                    TestGateway.ask(socket, "nobody.test", "/lost");
                    TestGateway.answer(socket, "\r\n\r\n");
                }
                await().until(() -> gateway.metric(Metric.REQUESTS) == 2);
            }
            assertThat(Files.readAllLines(file))
                    .satisfiesExactly(
                            line ->
                                    assertThat(line)
                                            .contains(
                                                    "\"target\":\"/found\"",
                                                    "\"status\":200",
                                                    "\"route\":\"Ingress default/web\"",
                                                    "\"upstream\":\"default/shop-test:80\""),
                            line ->
                                    assertThat(line)
                                            .contains(
                                                    "\"target\":\"/lost\"",
                                                    "\"status\":404",
                                                    "\"error\":\"no_route\""));
        }
    }

    @Test
    void sameSnapshotAgainChangesNothing() throws Exception {
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend shop = RawBackend.answering(ok("shop"))) {
            gateway.certificate("shop.test");
            gateway.host("shop.test", shop).apply();
            var served = gateway.plane.current();
            int port = gateway.port(TestGateway.HTTP);
            gateway.plane.apply(served);
            assertThat(gateway.plane.current()).isSameAs(served);
            assertThat(gateway.port(TestGateway.HTTP)).isEqualTo(port);
        }
    }

    @Test
    void ioUringServesOrSaysWhyNot() throws Exception {
        ProxySettings settings =
                TestGateway.settings(
                        ProxySettings.Transport.IO_URING, ProxySettings.Timeouts.DEFAULT);
        if (!IoUring.isAvailable()) {
            assertThat(kernelAllowsIoUring()).as("it is this machine that forbids it").isFalse();
            assertThatThrownBy(() -> new TestGateway(settings))
                    .isInstanceOf(TransportUnavailable.class)
                    .hasMessageContaining("io_uring is not available here")
                    .hasMessageContaining("Choose auto");
            return;
        }
        try (var gateway = new TestGateway(settings);
                RawBackend shop = RawBackend.answering(ok("shop"))) {
            gateway.certificate("shop.test");
            gateway.host("shop.test", shop).apply();
            try (var socket = gateway.secure("shop.test")) {
                for (int i = 0; i < 3; i++) {
                    TestGateway.ask(socket, "shop.test", "/");
                    assertThat(TestGateway.answer(socket, "shop")).endsWith("shop");
                }
            }
            await().until(() -> gateway.metric(Metric.UPSTREAM_REUSES) == 2);
        }
    }

    /** Linux with io_uring switched on, and no filter on system calls. */
    private static boolean kernelAllowsIoUring() throws IOException {
        Path disabled = Path.of("/proc/sys/kernel/io_uring_disabled");
        return Files.exists(disabled)
                && Files.readString(disabled).strip().equals("0")
                && Files.readString(Path.of("/proc/self/status")).contains("Seccomp:\t0");
    }

    private static String ok(String body) {
        return "HTTP/1.1 200 OK\r\ncontent-length: " + body.length() + "\r\n\r\n" + body;
    }

    /** Sends back the body of each request, whatever its framing. */
    private static RawBackend echo() {
        return RawBackend.start(connection -> {
            String head = connection.readHead();
            while (head != null) {
                String lower = head.toLowerCase(java.util.Locale.ROOT);
                int at = lower.indexOf("content-length: ");
                String body;
                if (at < 0) {
                    body = connection.readChunked();
                } else {
                    int end = lower.indexOf("\r\n", at);
                    body =
                            new String(
                                    connection.read(
                                            Integer.parseInt(lower.substring(at + 16, end))),
                                    StandardCharsets.ISO_8859_1);
                }
                connection.send(ok(body));
                head = connection.readHead();
            }
        });
    }

    /** RFC 6455 for short frames: unmasks what comes and sends it back. */
    private static void webSocketEcho(RawBackend.Connection connection) throws IOException {
        String head = Objects.requireNonNull(connection.readHead());
        String key =
                head.lines()
                        .filter(line ->
                                line.toLowerCase(java.util.Locale.ROOT)
                                        .startsWith("sec-websocket-key: "))
                        .findFirst()
                        .orElseThrow()
                        .substring(19);
        connection.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        + "Sec-WebSocket-Accept: "
                        + accept(key)
                        + "\r\n\r\n");
        for (int first = connection.read(); first >= 0; first = connection.read()) {
            int length = connection.read() & 0x7f;
            byte[] mask = connection.read(4);
            byte[] payload = connection.read(length);
            for (int i = 0; i < length; i++) {
                payload[i] ^= mask[i & 3];
            }
            connection.send(new byte[] {(byte) first, (byte) length});
            connection.send(payload);
        }
    }

    private static String accept(String key) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-1")
                            .digest(
                                    (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
                                            .getBytes(StandardCharsets.US_ASCII));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void pass(CountDownLatch latch) throws IOException {
        try {
            if (!latch.await(20, TimeUnit.SECONDS)) {
                throw new IOException("the test did not go on");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static ProxySettings bounded(
            int connections, int connectionsPerClient, int requestsInFlight) {
        ProxySettings.Limits base = ProxySettings.Limits.DEFAULT;
        var limits =
                new ProxySettings.Limits(
                        connections,
                        connectionsPerClient,
                        requestsInFlight,
                        base.headerBytes(),
                        base.headerCount(),
                        base.uriBytes(),
                        base.requestBodyBytes(),
                        base.requestsPerConnection(),
                        base.concurrentStreams(),
                        base.streamWindow(),
                        base.connectionWindow(),
                        base.resetsPerHalfMinute(),
                        base.controlFramesPerHalfMinute(),
                        base.writeBuffer(),
                        base.upstreamConnections(),
                        base.upstreamIdle(),
                        base.upstreamPending());
        return TestGateway.settings(
                ProxySettings.Transport.AUTO,
                limits,
                ProxySettings.Timeouts.DEFAULT,
                TestGateway.off());
    }
}

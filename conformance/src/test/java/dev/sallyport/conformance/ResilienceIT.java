package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Backends that fail and clients that mean no good. */
final class ResilienceIT {

    private static final String HOST = "a.test";
    private static final Duration DEADLINE = Duration.ofSeconds(2);
    private static final Duration SLACK = Duration.ofSeconds(6);
    private static final long MIB = 1024 * 1024;

    /** Jars and event loops take less than half of them. */
    private static final int DESCRIPTORS = 400;

    private static final String[] SMALL = {"-Xmx192m", "-XX:MaxDirectMemorySize=128m"};

    @TempDir private static Path work;
    @TempDir private static Path patientWork;
    private static Backend backend;
    private static Gateway gateway;
    private static Curl curl;

    /** With the default deadlines, which no test comes near. */
    private static Gateway patient;

    @BeforeAll
    static void start() {
        Pki pki = Pki.in(work);
        backend = Backend.start(ResilienceIT::misbehave);
        int closed = Gateway.freePort();
        Folder folder =
                Folder.in(work)
                        .put(
                                "all.yaml",
                                Manifests.service("odd", backend),
                                Manifests.service("closed", backend)
                                        .replace(": " + backend.port(), ": " + closed),
                                Manifests.secret("tls", pki.ecdsa(HOST)),
                                ingress("all")
                                        .tls("tls", HOST)
                                        .route(HOST, "/closed", "Prefix", "closed")
                                        .host(HOST, "odd")
                                        .yaml(),
                                ingress("plain").host("plain.test", "odd").yaml());
        gateway =
                Gateway.in(work, pki, folder)
                        .config(
                                """
                                timeouts:
                                  header: 2s
                                  body-idle: 2s
                                  stalled-write: 2s
                                  upstream-response: 2s
                                """)
                        .jvm(SMALL)
                        .start();
        curl = new Curl(gateway, pki);
        patient =
                Gateway.in(patientWork, pki, folder)
                        .config("limits: {connections-per-client: 2500}\n")
                        .jvm(SMALL)
                        .start();
    }

    @AfterAll
    static void stop() {
        gateway.close();
        patient.close();
        backend.close();
        assertThat(backend.violations()).isEmpty();
    }

    private static void misbehave(Request request, Reply reply) throws IOException {
        switch (request.target()) {
            case "/ok" -> reply.send(200, "ok");
            case "/truncated" -> {
                reply.raw(Reply.head(200, "Content-Length: 1000") + "\r\nonly this");
                reply.close();
            }
            case "/truncated-chunks" -> {
                reply.raw(Reply.head(200, "Transfer-Encoding: chunked") + "\r\nff\r\nonly this");
                reply.close();
            }
            case "/silent-close" -> reply.close();
            case "/never" -> request.in().transferTo(OutputStream.nullOutputStream());
            case "/stalls" -> {
                reply.raw(Reply.head(200, "Content-Length: 1000") + "\r\nonly this");
                request.in().transferTo(OutputStream.nullOutputStream());
            }
            case "/garbage" -> {
                reply.raw("SSH-2.0-OpenSSH_9.9\r\n\r\n");
                reply.close();
            }
            case "/two-framings" ->
                    reply.raw(
                            Reply.head(200, "Content-Length: 3", "Transfer-Encoding: chunked")
                                    + "\r\n0\r\n\r\n");
            case "/two-lengths" ->
                    reply.raw(
                            Reply.head(200, "Content-Length: 3", "Content-Length: 4") + "\r\nabcd");
            case "/bare-lf" -> reply.raw("HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
            case "/nul" -> reply.raw(Reply.head(200, "X: a\0b", "Content-Length: 0") + "\r\n");
            case "/folded" ->
                    reply.raw(Reply.head(200, "X: a\r\n b", "Content-Length: 0") + "\r\n");
            case "/huge-head" ->
                    reply.raw(
                            Reply.head(200, "X: " + "x".repeat(200_000), "Content-Length: 0")
                                    + "\r\n");
            case "/surplus" -> {
                // A second, unasked response behind the first: whoever reuses this gets it.
                reply.raw(
                        Reply.head(200, "Content-Length: 5")
                                + "\r\nfirst"
                                + Reply.head(200, "Content-Length: 6")
                                + "\r\npoison");
            }
            case "/close-after" -> {
                reply.send(200, "ok");
                reply.close();
            }
            case "/endless" -> {
                reply.raw(Reply.head(200, "Content-Length: " + 1000 * MIB) + "\r\n");
                Block.write(reply.out(), 1000);
            }
            default -> {
                request.text();
                reply.send(200, "read");
            }
        }
    }

    // Backends

    @ParameterizedTest
    @CsvSource({
        "/closed, 502",
        "/silent-close, 502",
        "/garbage, 502",
        "/two-framings, 502",
        "/two-lengths, 502",
        "/bare-lf, 502",
        "/nul, 502",
        "/folded, 502",
        "/huge-head, 502",
        "/never, 504",
    })
    void aBackendThatFailsBeforeItsAnswerIsAnError(String path, int status) {
        assertThat(curl.https(HOST, path, "--http1.1").status()).isEqualTo(status);
        assertThat(curl.https(HOST, path, "--http2").status()).isEqualTo(status);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/truncated", "/truncated-chunks", "/stalls"})
    void aResponseCutShortIsNeverTakenForWhole(String path) {
        assertThat(curl.httpsExit(HOST, path, "--http1.1")).as("partial file").isIn(18, 56);
        assertThat(curl.httpsExit(HOST, path, "--http2")).as("stream error").isEqualTo(92);
    }

    @Test
    void anUnaskedResponseReachesNobody() throws IOException {
        for (int i = 0; i < 20; i++) {
            assertThat(RawClient.tls(patient.https(), HOST).get(HOST, "/surplus").body())
                    .isEqualTo("first");
            assertThat(RawClient.tls(patient.https(), HOST).get(HOST, "/ok").body())
                    .isEqualTo("ok");
        }
    }

    @Test
    void aConnectionThatTheBackendClosedIsNotNoticedByClients() throws IOException {
        try (var connection = RawClient.tls(patient.https(), HOST).open()) {
            for (int i = 0; i < 50; i++) {
                connection.send(RawClient.head("GET /close-after HTTP/1.1", "Host: " + HOST));
                assertThat(connection.response().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void allBackendConnectionsMayDieAtOnce() throws IOException {
        try (var connection = RawClient.tls(patient.https(), HOST).open()) {
            for (int i = 0; i < 10; i++) {
                connection.send(RawClient.head("GET /ok HTTP/1.1", "Host: " + HOST));
                assertThat(connection.response().status()).isEqualTo(200);
                backend.cutConnections();
            }
        }
    }

    // Clients

    @ParameterizedTest
    @ValueSource(strings = {"plain", "tls"})
    void aHeadThatNeverEndsIsCutAtTheDeadline(String port) throws IOException {
        assertCut(port, "GET /ok HTTP/1.1\r\nHost: a.te");
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "tls"})
    void aHeadThatDripsIsCutAtTheDeadline(String port) throws IOException {
        long start = System.nanoTime();
        try (var connection = client(gateway, port).open()) {
            connection.send("GET /ok HTTP/1.1\r\n");
            connection.socket().setSoTimeout(200);
            String answer = "";
            while (answer.isEmpty() && elapsed(start).compareTo(DEADLINE.plus(SLACK)) < 0) {
                connection.trySend("X: y\r\n");
                answer = drip(connection);
            }
            assertThat(answer).isNotEmpty();
        }
    }

    private static String drip(RawClient.Connection connection) throws IOException {
        try {
            int octet = connection.in().read();
            return octet < 0 ? "closed" : "answered";
        } catch (SocketTimeoutException e) {
            return "";
        } catch (SocketException | SSLException e) {
            return "reset";
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "tls"})
    void aBodyThatStallsIsCutAtTheDeadline(String port) throws IOException {
        assertCut(
                port,
                RawClient.head("POST /read HTTP/1.1", "Host: " + host(port), "Content-Length: 1000")
                        + "begin");
    }

    private static void assertCut(String port, String bytes) throws IOException {
        long start = System.nanoTime();
        try (var connection = client(gateway, port).open()) {
            connection.send(bytes);

            assertThat(connection.rest())
                    .satisfiesAnyOf(
                            rest -> assertThat(rest).isEmpty(),
                            rest -> assertThat(rest).startsWith("HTTP/1.1 408 "));
        }
        assertThat(elapsed(start)).isBetween(DEADLINE.minusMillis(500), DEADLINE.plus(SLACK));
    }

    private static RawClient client(Gateway gateway, String port) {
        return port.equals("tls")
                ? RawClient.tls(gateway.https(), HOST)
                : RawClient.plain(gateway.http());
    }

    private static String host(String port) {
        return port.equals("tls") ? HOST : "plain.test";
    }

    private static Duration elapsed(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    @Test
    void clientsThatDoNotReadHoldLittleAndAreCut() throws IOException {
        long before = gateway.residentBytes();
        int open = backend.open();
        List<RawClient.Connection> readers = new ArrayList<>();
        try {
            for (int i = 0; i < 50; i++) {
                var reader = RawClient.plain(gateway.http()).open();
                reader.send(RawClient.head("GET /endless HTTP/1.1", "Host: plain.test"));
                readers.add(reader);
            }
            await().atMost(DEADLINE.plus(SLACK).plus(SLACK))
                    .until(() -> backend.open() <= Math.max(open, 5));

            assertThat(gateway.residentBytes() - before).isLessThan(100 * MIB);
        } finally {
            for (RawClient.Connection reader : readers) {
                reader.close();
            }
        }
    }

    @Test
    void twoThousandIdleConnectionsCostLittleAndLeaveRoomForOthers() throws IOException {
        long before = patient.residentBytes();
        List<RawClient.Connection> idle = new ArrayList<>();
        try {
            for (int i = 0; i < 2000; i++) {
                String port = i % 4 == 0 ? "tls" : "plain";
                var connection = client(patient, port).open();
                idle.add(connection);
                connection.send(RawClient.head("GET /ok HTTP/1.1", "Host: " + host(port)));
                assertThat(connection.response().status()).isEqualTo(200);
            }

            assertThat(patient.residentBytes() - before).isLessThan(128 * MIB);
            assertThat(RawClient.tls(patient.https(), HOST).get(HOST, "/ok").status())
                    .isEqualTo(200);
            RawClient.Connection last = idle.getLast();
            last.send(RawClient.head("GET /ok HTTP/1.1", "Host: plain.test"));
            assertThat(last.response().status()).isEqualTo(200);
        } finally {
            for (RawClient.Connection connection : idle) {
                connection.close();
            }
        }
    }

    @Test
    void gatewayWithoutFileDescriptorsServesThoseItHasAndRecovers(@TempDir Path small)
            throws IOException {
        Pki pki = Pki.in(small);
        Folder folder =
                Folder.in(small)
                        .put(
                                "all.yaml",
                                Manifests.service("odd", backend),
                                ingress("all").host("plain.test", "odd").yaml());
        List<RawClient.Connection> held = new ArrayList<>();
        try (Gateway limited =
                Gateway.in(small, pki, folder).fileDescriptors(DESCRIPTORS).start()) {
            RawClient client = RawClient.plain(limited.http());
            try (RawClient.Connection early = client.open()) {
                early.send(RawClient.head("GET /ok HTTP/1.1", "Host: plain.test"));
                assertThat(early.response().status()).isEqualTo(200);
                // The system accepts them for the gateway, which cannot take them all.
                for (int i = 0; i < DESCRIPTORS; i++) {
                    held.add(client.open());
                }
                await().atMost(SLACK).until(() -> limited.err().contains("cannot accept"));

                early.send(RawClient.head("GET /ok HTTP/1.1", "Host: plain.test"));
                assertThat(early.response().status()).isEqualTo(200);
            } finally {
                for (RawClient.Connection connection : held) {
                    connection.close();
                }
            }
            await().atMost(SLACK).until(() -> served(client));

            assertThat(limited.metrics().sum("sallyport_accept_failures_total")).isPositive();
            assertThat(limited.err().lines().filter(line -> line.contains("cannot accept")))
                    .as("said once, not every second")
                    .hasSize(1);
        }
    }

    @Test
    void oneClientMayHaveOnlySoManyConnections(@TempDir Path small) throws IOException {
        Pki pki = Pki.in(small);
        Folder folder =
                Folder.in(small)
                        .put(
                                "all.yaml",
                                Manifests.service("odd", backend),
                                ingress("all").host("plain.test", "odd").yaml());
        List<RawClient.Connection> held = new ArrayList<>();
        try (Gateway limited =
                Gateway.in(small, pki, folder)
                        .config("limits:\n  connections-per-client: 20\n")
                        .start()) {
            RawClient client = RawClient.plain(limited.http());
            for (int i = 0; i < 20; i++) {
                var connection = client.open();
                connection.send(RawClient.head("GET /ok HTTP/1.1", "Host: plain.test"));
                assertThat(connection.response().status()).isEqualTo(200);
                held.add(connection);
            }

            assertThat(served(client)).as("one too many").isFalse();

            held.removeFirst().close();
            await().atMost(SLACK).until(() -> served(client));
            for (RawClient.Connection connection : held) {
                connection.close();
            }
        }
    }

    private static boolean served(RawClient client) {
        try (var connection = client.open()) {
            connection.trySend(
                    RawClient.head("GET /ok HTTP/1.1", "Host: plain.test", "Connection: close"));
            return connection.response().status() == 200;
        } catch (IOException e) {
            return false; // Closed or reset.
        }
    }
}

package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** SIGTERM with a request in flight, on its way, and under load. */
final class DrainIT {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** How long idle connections are kept once listeners are closed. */
    private static final Duration GRACE = Duration.ofSeconds(1);

    @ParameterizedTest
    @EnumSource(Version.class)
    void requestsInFlightAreAnsweredBeforeTheEnd(Version version, @TempDir Path work)
            throws Exception {
        Pki pki = Pki.in(work);
        var arrived = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        try (Backend slow = Backend.start((request, reply) -> answer(arrived, release, reply));
                HttpClient client =
                        HttpClient.newBuilder()
                                .version(version)
                                .sslContext(pki.clientContext())
                                .build();
                Gateway gateway = Gateway.in(work, pki, folder(work, pki, slow)).start()) {
            CompletableFuture<HttpResponse<String>> answer =
                    client.sendAsync(
                            HttpRequest.newBuilder(
                                            URI.create(
                                                    "https://a.test:" + gateway.https() + "/slow"))
                                    .timeout(Duration.ofSeconds(60))
                                    .build(),
                            BodyHandlers.ofString());
            assertThat(arrived.await(20, TimeUnit.SECONDS)).isTrue();

            gateway.terminate();
            await().atMost(Duration.ofSeconds(20)).until(() -> gateway.readyz() != 200);
            await().atMost(Duration.ofSeconds(20)).until(() -> !accepts(gateway.https()));
            release.countDown();

            assertThat(answer.get(20, TimeUnit.SECONDS).body()).isEqualTo("slowly done");
            assertThat(answer.join().version()).isEqualTo(version);
            assertThat(gateway.awaitExit()).isZero();
        }
    }

    /** As TLS 1.3 clients send it: their Finished and the first request in one segment. */
    @Test
    void aRequestThatComesWithTheEndOfTheHandshakeIsAnswered(@TempDir Path work) throws Exception {
        Pki pki = Pki.in(work);
        try (Backend quick = quick();
                Gateway gateway = Gateway.in(work, pki, folder(work, pki, quick)).start();
                var held = new HeldSocket(gateway.https());
                SSLSocket tls =
                        (SSLSocket)
                                pki.clientContext()
                                        .getSocketFactory()
                                        .createSocket(held, "a.test", gateway.https(), true)) {
            tls.startHandshake(); // its last flight stays here

            gateway.terminate();
            await().atMost(PATIENCE).until(() -> !accepts(gateway.https()));
            var client = new RawClient.Connection(tls);
            client.send(RawClient.head("GET / HTTP/1.1", "Host: a.test"));
            held.letGo();

            RawClient.Response response = client.response();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.first("connection")).hasValue("close");
            assertThat(client.rest()).isEmpty();
            assertThat(gateway.awaitExit()).isZero();
        }
    }

    /** A load balancer would notice in the delay; this one is only refused. */
    @Test
    void noRequestFailsWhereClientsAreRefusedAtOnce(@TempDir Path work) throws Exception {
        noRequestFails(work, Duration.ZERO);
    }

    @Test
    void noRequestFailsWhereClientsNoticeInTheDelay(@TempDir Path work) throws Exception {
        noRequestFails(work, Duration.ofSeconds(5));
    }

    private static void noRequestFails(Path work, Duration delay) throws Exception {
        Pki pki = Pki.in(work);
        try (Backend quick = quick();
                Gateway gateway =
                        Gateway.in(work, pki, folder(work, pki, quick))
                                .config("timeouts:\n  drain-delay: " + delay.toSeconds() + "s\n")
                                .start()) {
            RawClient tls = RawClient.tls(gateway.https(), "a.test");
            RawClient plain = RawClient.plain(gateway.http());
            var load = new Load(gateway, delay);
            for (int i = 0; i < 3; i++) {
                load.run("keep-alive, TLS", true, tls, "a.test", Duration.ofMillis(2));
                load.run("keep-alive, plain", true, plain, "b.test", Duration.ofMillis(2));
                load.run("keep-alive, slow", true, tls, "a.test", Duration.ofMillis(300));
                load.run("new connection, TLS", false, tls, "a.test", Duration.ofMillis(5));
            }
            if (!delay.isZero()) {
                // Without a delay the kernel may have taken a connection that nobody accepted,
                // and a request with it: no listener can close without that.
                load.run("new connection, plain", false, plain, "b.test", Duration.ofMillis(5));
            }
            await().atMost(PATIENCE).until(() -> load.counts().stream().allMatch(n -> n >= 3));

            load.terminate();
            load.awaitEnd();

            assertThat(load.failures()).isEmpty();
            assertThat(load.farewells() + load.overtaken())
                    .as("connections told to close, or idle for too long")
                    .isGreaterThanOrEqualTo(9);
            if (!delay.isZero()) {
                // Without a delay a second in which this machine stands still overtakes them all.
                assertThat(load.farewells())
                        .as("connections told to close")
                        .isGreaterThan(load.overtaken());
            }
            assertThat(gateway.awaitExit()).isZero();
        }
    }

    /**
     * Clients that stop when they find that the gateway is not ready, where there is a delay in
     * which they can, or are refused after it; whatever else goes wrong once a request was sent is
     * a failure, unless the client was so slow that its connection had been given up.
     */
    private static final class Load {
        private final Gateway gateway;
        private final Duration delay;
        private final Queue<String> failures = new ConcurrentLinkedQueue<>();
        private final AtomicInteger farewells = new AtomicInteger();
        private final AtomicInteger overtaken = new AtomicInteger();
        private final Map<Thread, AtomicInteger> clients = new LinkedHashMap<>();

        /** When SIGTERM was sent, or a little before. */
        private volatile OptionalLong terminated = OptionalLong.empty();

        Load(Gateway gateway, Duration delay) {
            this.gateway = gateway;
            this.delay = delay;
        }

        void terminate() {
            terminated = OptionalLong.of(System.nanoTime());
            gateway.terminate();
        }

        /** Whether the listeners may have been closed for that long. */
        private boolean isClosedFor(Duration time) {
            OptionalLong since = terminated;
            return since.isPresent()
                    && System.nanoTime() - since.getAsLong() >= delay.plus(time).toNanos();
        }

        void run(String name, boolean keepAlive, RawClient client, String host, Duration pause) {
            var count = new AtomicInteger();
            clients.put(
                    Thread.ofPlatform()
                            .name(name)
                            .start(() -> {
                                try {
                                    boolean more = true;
                                    while (more) {
                                        more = connection(client, host, keepAlive, pause, count);
                                    }
                                } catch (IOException | RuntimeException | AssertionError e) {
                                    failures.add(name + ", " + count + " answered: " + e);
                                }
                            }),
                    count);
        }

        /** Whether another connection is wanted. */
        private boolean connection(
                RawClient client,
                String host,
                boolean keepAlive,
                Duration pause,
                AtomicInteger count)
                throws IOException {
            if (!delay.isZero() && gateway.readyz() != 200) {
                return false;
            }
            RawClient.Connection connection;
            try {
                connection = client.open();
            } catch (IOException notAccepted) {
                if (!isClosedFor(Duration.ZERO)) {
                    throw notAccepted;
                }
                return false; // nothing was sent: it would go to another replica
            }
            try (connection) {
                boolean last = false;
                while (!last) {
                    try {
                        connection.send(
                                RawClient.head(
                                        "GET / HTTP/1.1",
                                        "Host: " + host,
                                        keepAlive ? "X-Kept: yes" : "Connection: close"));
                        awaitAnswer(connection.in());
                    } catch (EOFException | SocketException | SSLException unanswered) {
                        if (!isClosedFor(GRACE)) {
                            throw unanswered;
                        }
                        overtaken.incrementAndGet();
                        return false;
                    }
                    RawClient.Response response = connection.response();
                    assertThat(response.status()).isEqualTo(200);
                    count.incrementAndGet();
                    last = response.first("connection").filter("close"::equals).isPresent();
                    LockSupport.parkNanos(pause.toNanos());
                }
                if (keepAlive) {
                    farewells.incrementAndGet();
                }
            }
            return !keepAlive || !delay.isZero();
        }

        /** Waits for the first byte and leaves it there. */
        private static void awaitAnswer(InputStream in) throws IOException {
            in.mark(1);
            if (in.read() < 0) {
                throw new EOFException("closed without an answer");
            }
            in.reset();
        }

        void awaitEnd() throws InterruptedException {
            for (Thread client : clients.keySet()) {
                assertThat(client.join(PATIENCE)).as(client.getName()).isTrue();
            }
        }

        List<Integer> counts() {
            return clients.values().stream().map(AtomicInteger::get).toList();
        }

        List<String> failures() {
            return List.copyOf(failures);
        }

        int farewells() {
            return farewells.get();
        }

        int overtaken() {
            return overtaken.get();
        }
    }

    /** Sends its first message and keeps the others until it is told to let go. */
    private static final class HeldSocket extends Socket {
        private final ByteArrayOutputStream held = new ByteArrayOutputStream();
        private boolean begun;

        HeldSocket(int port) throws IOException {
            super(InetAddress.getLoopbackAddress(), port);
            setSoTimeout((int) PATIENCE.toMillis());
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            OutputStream out = super.getOutputStream();
            return new OutputStream() {
                @Override
                public void write(int octet) throws IOException {
                    write(new byte[] {(byte) octet}, 0, 1);
                }

                @Override
                public void write(byte[] bytes, int from, int length) throws IOException {
                    if (begun) {
                        held.write(bytes, from, length);
                    } else {
                        begun = true;
                        out.write(bytes, from, length);
                    }
                }
            };
        }

        void letGo() throws IOException {
            super.getOutputStream().write(held.toByteArray());
        }
    }

    private static Backend quick() {
        return Backend.start((request, reply) -> reply.send(200, "quick"));
    }

    private static void answer(CountDownLatch arrived, CountDownLatch release, Reply reply)
            throws IOException {
        try {
            reply.raw(Reply.head(200, "Content-Length: 11") + "\r\nslowly ");
            arrived.countDown();
            if (!release.await(60, TimeUnit.SECONDS)) {
                throw new IOException("never released");
            }
            reply.raw("done");
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static Folder folder(Path work, Pki pki, Backend slow) {
        return Folder.in(work)
                .put(
                        "all.yaml",
                        Manifests.service("slow", slow),
                        Manifests.secret("tls", pki.ecdsa("a.test")),
                        ingress("all").tls("tls", "a.test").host("a.test", "slow").yaml(),
                        ingress("plain").host("b.test", "slow").yaml());
    }

    private static boolean accepts(int port) {
        try (var connection = RawClient.plain(port).open()) {
            return connection.socket().isConnected();
        } catch (IOException e) {
            return false;
        }
    }
}

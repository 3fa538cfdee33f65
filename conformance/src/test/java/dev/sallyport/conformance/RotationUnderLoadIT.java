package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A certificate that rotates ten times a second under traffic of four kinds, all of it verifying
 * what it is served: nothing fails, every rotation is seen, and nothing native stays behind.
 */
final class RotationUnderLoadIT {

    private static final System.Logger LOG = System.getLogger("conformance.rotation");
    private static final int ROTATIONS = Integer.getInteger("conformance.rotations", 1000);
    private static final Duration PERIOD = Duration.ofMillis(100);
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String HOST = "load.test";

    @TempDir private static Path work;
    private static Pki pki;
    private static Backend echo;
    private static Backend webSocket;
    private static Folder folder;
    private static Gateway gateway;

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
        echo = Backend.start((request, reply) -> reply.send(200, "ok"));
        webSocket = Backend.start(new WebSocketEcho());
        folder =
                Folder.in(work)
                        .put(
                                "route.yaml",
                                Manifests.service("echo", echo),
                                Manifests.service("ws", webSocket),
                                ingress("load")
                                        .tls("tls", HOST)
                                        .route(HOST, "/ws", "Prefix", "ws")
                                        .host(HOST, "echo")
                                        .yaml())
                        .put("secret.yaml", Manifests.secret("tls", pki.ecdsa(HOST)));
        gateway = Gateway.in(work, pki, folder).start();
    }

    @AfterAll
    static void stop() {
        gateway.close();
        echo.close();
        webSocket.close();
        assertThat(echo.violations()).isEmpty();
    }

    @Test
    void nothingFailsWhileTheCertificateRotates() throws Exception {
        List<Leaf> leaves = new ArrayList<>();
        for (int i = 0; i < ROTATIONS; i++) {
            leaves.add(pki.ecdsa(HOST));
        }
        Metrics base;
        List<Long> latencies = new ArrayList<>();
        Load load;
        try (var keepAlive = client(Version.HTTP_1_1);
                var http2 = client(Version.HTTP_2);
                var sockets = client(Version.HTTP_1_1)) {
            load = new Load();
            load.run("h1 keep-alive", () -> request(keepAlive, Version.HTTP_1_1));
            load.run("h1 new connection", RotationUnderLoadIT::newConnection);
            load.run("h2", () -> request(http2, Version.HTTP_2));
            load.run("websocket", new Chat(sockets)::round);
            rotate(leaves.subList(0, Math.min(10, ROTATIONS)));
            base = gateway.metrics();
            latencies.addAll(rotate(leaves));
            load.stop();
            sockets.shutdownNow(); // a WebSocket that is open would keep close() waiting
        }

        assertThat(load.failures()).isEmpty();
        assertThat(latencies).as("every rotation is seen").hasSize(ROTATIONS);
        LOG.log(System.Logger.Level.INFO, "{0}", figures(latencies, load));
        assertThat(load.counts()).allSatisfy(count -> assertThat(count).isGreaterThan(ROTATIONS));
        assertNothingStaysBehind(base);
    }

    private static final String CREDENTIALS = "sallyport_native_credentials";
    private static final String DIRECT_MEMORY = "sallyport_direct_memory_bytes";

    /** What the allocator may hold beyond what it held while the load began. */
    private static final double DIRECT_MEMORY_SLACK = 16 * 1024 * 1024;

    private static void assertNothingStaysBehind(Metrics base) {
        assertThat(base.of(CREDENTIALS)).isNotEmpty();
        assertThat(base.of(DIRECT_MEMORY)).isNotEmpty();
        await().atMost(PATIENCE)
                .untilAsserted(() -> {
                    Metrics now = gateway.metrics();
                    assertThat(now.sum(CREDENTIALS)).isLessThanOrEqualTo(base.sum(CREDENTIALS));
                    assertThat(now.sum(DIRECT_MEMORY))
                            .isLessThan(base.sum(DIRECT_MEMORY) + DIRECT_MEMORY_SLACK);
                });
        LOG.log(
                System.Logger.Level.INFO,
                "native credentials {0} -> {1}, direct memory {2} -> {3}",
                base.sum(CREDENTIALS),
                gateway.metrics().sum(CREDENTIALS),
                base.sum(DIRECT_MEMORY),
                gateway.metrics().sum(DIRECT_MEMORY));
    }

    /** Puts one certificate after the other in place, and waits until each is served. */
    private static List<Long> rotate(List<Leaf> leaves) throws IOException {
        List<Long> latencies = new ArrayList<>();
        long next = System.nanoTime();
        for (Leaf leaf : leaves) {
            LockSupport.parkNanos(next - System.nanoTime());
            next = Math.max(next + PERIOD.toNanos(), System.nanoTime());
            long start = System.nanoTime();
            folder.put("secret.yaml", Manifests.secret("tls", leaf));
            while (!Handshakes.serial(gateway.https(), HOST).equals(leaf.serial())) {
                if (System.nanoTime() - start > PATIENCE.toNanos()) {
                    throw new AssertionError("rotation " + latencies.size() + " never served");
                }
            }
            latencies.add(System.nanoTime() - start);
        }
        return latencies;
    }

    private static String figures(List<Long> latencies, Load load) {
        List<Long> sorted = new ArrayList<>(latencies);
        Collections.sort(sorted);
        return String.format(
                Locale.ROOT,
                "%d rotations, file change to a whole handshake with it: p50 %.1f ms, p99 %.1f ms, max %.1f ms; %s",
                sorted.size(),
                sorted.get(sorted.size() / 2) / 1e6,
                sorted.get(sorted.size() * 99 / 100) / 1e6,
                sorted.getLast() / 1e6,
                load);
    }

    private static HttpClient client(Version version) {
        return HttpClient.newBuilder()
                .version(version)
                .sslContext(pki.clientContext())
                .connectTimeout(PATIENCE)
                .build();
    }

    private static URI uri(String scheme, String path) {
        return URI.create(scheme + "://" + HOST + ":" + gateway.https() + path);
    }

    private static @Nullable Void request(HttpClient client, Version version) throws Exception {
        HttpResponse<String> response =
                client.send(
                        HttpRequest.newBuilder(uri("https", "/")).timeout(PATIENCE).build(),
                        BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.version()).isEqualTo(version);
        return null;
    }

    private static @Nullable Void newConnection() throws Exception {
        try (SSLSocket socket = Handshakes.connect(pki.clientContext(), gateway.https(), HOST)) {
            var connection = new RawClient.Connection(socket);
            connection.send(RawClient.head("GET / HTTP/1.1", "Host: " + HOST, "Connection: close"));
            assertThat(connection.response().status()).isEqualTo(200);
            return null;
        }
    }

    /** Traffic of several kinds, each on a thread of its own, until it is stopped. */
    private static final class Load {
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final Queue<String> failures = new ConcurrentLinkedQueue<>();
        private final List<Kind> kinds = new ArrayList<>();

        private record Kind(String name, Thread thread, AtomicInteger count) {}

        void run(String name, Callable<@Nullable Void> request) {
            var count = new AtomicInteger();
            Thread thread =
                    Thread.ofPlatform()
                            .name(name)
                            .start(() -> {
                                while (!stopped.get()) {
                                    try {
                                        request.call();
                                        count.incrementAndGet();
                                    } catch (Exception | AssertionError e) {
                                        failures.add(name + ": " + e);
                                    }
                                }
                            });
            kinds.add(new Kind(name, thread, count));
        }

        void stop() throws InterruptedException {
            stopped.set(true);
            for (Kind kind : kinds) {
                kind.thread().join();
            }
        }

        List<String> failures() {
            return List.copyOf(failures);
        }

        List<Integer> counts() {
            return kinds.stream().map(kind -> kind.count().get()).toList();
        }

        @Override
        public String toString() {
            return kinds.stream().map(kind -> kind.name() + " " + kind.count()).toList().toString();
        }
    }

    /** A WebSocket that lives through many rotations, and every so often a new one. */
    private static final class Chat {
        private static final int ROUNDS = 500;

        private final HttpClient client;
        private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        private @Nullable WebSocket socket;
        private int rounds;

        Chat(HttpClient client) {
            this.client = client;
        }

        @Nullable Void round() throws Exception {
            WebSocket open = open();
            String word = "word " + rounds++;
            open.sendText(word, true).get(20, TimeUnit.SECONDS);
            assertThat(heard.poll(20, TimeUnit.SECONDS)).isEqualTo(word);
            if (rounds % ROUNDS == 0) {
                open.sendClose(WebSocket.NORMAL_CLOSURE, "").get(20, TimeUnit.SECONDS);
                socket = null;
            }
            return null;
        }

        private WebSocket open() throws ExecutionException, InterruptedException {
            WebSocket existing = socket;
            if (existing != null) {
                return existing;
            }
            WebSocket made =
                    client.newWebSocketBuilder()
                            .buildAsync(uri("wss", "/ws"), new Listener(heard))
                            .get();
            socket = made;
            return made;
        }

        private record Listener(BlockingQueue<String> heard) implements WebSocket.Listener {
            @Override
            public @Nullable CompletionStage<?> onText(
                    WebSocket socket, CharSequence text, boolean last) {
                heard.add(text.toString());
                socket.request(1);
                return null;
            }

            @Override
            public void onError(WebSocket socket, Throwable error) {
                heard.add(error.toString());
            }
        }
    }
}

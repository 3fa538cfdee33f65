package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.WebSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Certificates that rotate ten times a second under traffic of five kinds, all of it verifying what
 * it is served: nothing fails, established connections go on, every rotation is seen, and nothing
 * native stays behind.
 */
final class RotationUnderLoadIT {

    private static final System.Logger LOG = System.getLogger("conformance.rotation");
    private static final int ROTATIONS = Integer.getInteger("conformance.rotations", 1000);
    private static final Duration PERIOD = Duration.ofMillis(100);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** The first one has the traffic. They rotate in turn, so that none holds up the others. */
    private static final List<String> HOSTS =
            List.of("load.test", "second.test", "third.test", "fourth.test");

    private static final String HOST = HOSTS.getFirst();

    // For machines that do other things as well; a quiet one needs a tenth of it.
    private static final Duration MEDIAN = Duration.ofMillis(250);
    private static final Duration PERCENTILE_99 = Duration.ofSeconds(5);

    private static final String CREDENTIALS = "sallyport_native_credentials";
    private static final String CREATED = "sallyport_native_credentials_created_total";
    private static final String FREED = "sallyport_native_credentials_freed_total";
    private static final String DIRECT_MEMORY = "sallyport_direct_memory_bytes";

    /** Two chunks of the allocator, which it may cut at any time. */
    private static final double DIRECT_MEMORY_SLACK = 8 * 1024 * 1024;

    @TempDir private static Path work;
    private static Pki pki;
    private static Backend echo;
    private static Backend webSocket;

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
        echo = Backend.start((request, reply) -> reply.send(200, "ok"));
        webSocket = Backend.start(new WebSocketEcho());
    }

    @AfterAll
    static void stop() {
        echo.close();
        webSocket.close();
        assertThat(echo.violations()).isEmpty();
    }

    @Test
    void nothingFailsWhileCertificatesRotate(@TempDir Path own) throws Exception {
        Folder folder = folder(own);
        try (Gateway gateway = Gateway.in(own, pki, folder).config(Load.ENDLESS).start()) {
            underLoad(gateway, folder, 20); // makes what is made once
            Metrics before = atRest(gateway);

            Run run = underLoad(gateway, folder, ROTATIONS);

            LOG.log(System.Logger.Level.INFO, "{0}", run);
            assertThat(run.failures()).isEmpty();
            assertThat(run.latencies()).as("every rotation is seen").hasSize(ROTATIONS);
            assertThat(run.counts())
                    .allSatisfy(count -> assertThat(count).isGreaterThan(ROTATIONS));
            assertThat(run.percentile(50)).isLessThanOrEqualTo(MEDIAN);
            assertThat(run.percentile(99)).isLessThanOrEqualTo(PERCENTILE_99);
            assertThat(run.took())
                    .as("ten a second")
                    .isLessThan(PERIOD.multipliedBy(ROTATIONS).multipliedBy(11).dividedBy(10))
                    .isGreaterThan(PERIOD.multipliedBy(ROTATIONS - 1));
            assertNothingStayedBehind(gateway, before);
        }
    }

    /** Netty follows each buffer here; closing the gateway looks for what it says of them. */
    @Test
    void noBufferIsLostWhileCertificatesRotate(@TempDir Path own) throws Exception {
        Folder folder = folder(own);
        try (Gateway gateway =
                Gateway.in(own, pki, folder)
                        .config(Load.ENDLESS)
                        .jvm("-Dio.netty.leakDetection.level=paranoid")
                        .start()) {
            Run run = underLoad(gateway, folder, Math.max(20, ROTATIONS / 20));
            assertThat(run.failures()).isEmpty();
            collectGarbage(gateway);
            // A lost buffer is reported when the next one is made.
            assertThat(underLoad(gateway, folder, 5).failures()).isEmpty();
        }
    }

    private static void collectGarbage(Gateway gateway) {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Ran ran = Ran.run(jcmd, Long.toString(gateway.pid()), "GC.run");
        assertThat(ran.exit()).as(ran.all()).isZero();
    }

    private static Folder folder(Path own) {
        Manifests.Ingress ingress = ingress("load").route(HOST, "/ws", "Prefix", "ws");
        for (String host : HOSTS) {
            ingress = ingress.tls(secret(host), host).host(host, "echo");
        }
        Folder folder =
                Folder.in(own)
                        .put(
                                "route.yaml",
                                Manifests.service("echo", echo),
                                Manifests.service("ws", webSocket),
                                ingress.yaml());
        for (String host : HOSTS) {
            put(folder, host, pki.ecdsa(host));
        }
        return folder;
    }

    private static void put(Folder folder, String host, Leaf leaf) {
        folder.put(secret(host) + ".yaml", Manifests.secret(secret(host), leaf));
    }

    private static String secret(String host) {
        return host.replace('.', '-');
    }

    private static Metrics atRest(Gateway gateway) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> {
                    Metrics now = gateway.metrics();
                    assertThat(now.sum("sallyport_connections_open")).isZero();
                    // Those of the last connections are freed a moment after these are closed.
                    assertThat(now.sum(CREDENTIALS)).isEqualTo(HOSTS.size());
                    assertThat(now.sum(CREATED) - now.sum(FREED)).isEqualTo(HOSTS.size());
                });
        return gateway.metrics();
    }

    private static void assertNothingStayedBehind(Gateway gateway, Metrics before) {
        Metrics after = atRest(gateway);
        LOG.log(
                System.Logger.Level.INFO,
                "native credentials {0} -> {1}, created {2} -> {3}, direct memory {4} -> {5}",
                before.sum(CREDENTIALS),
                after.sum(CREDENTIALS),
                before.sum(CREATED),
                after.sum(CREATED),
                before.sum(DIRECT_MEMORY),
                after.sum(DIRECT_MEMORY));
        assertThat(after.sum(CREATED) - before.sum(CREATED)).isGreaterThanOrEqualTo(ROTATIONS);
        assertThat(before.of(DIRECT_MEMORY)).isNotEmpty();
        assertThat(after.sum(DIRECT_MEMORY))
                .isLessThan(before.sum(DIRECT_MEMORY) + DIRECT_MEMORY_SLACK);
    }

    /** So many rotations under traffic of all kinds, on connections that are new each time. */
    private static Run underLoad(Gateway gateway, Folder folder, int rotations) throws Exception {
        List<Leaf> leaves = new ArrayList<>();
        for (int i = 0; i < rotations; i++) {
            leaves.add(pki.ecdsa(HOSTS.get(i % HOSTS.size())));
        }
        try (var sockets = client();
                var load = Load.https(gateway.httpsAddress(), HOST, pki::clientContext)) {
            load.run("websocket", new Chat(sockets, gateway)::round);
            long start = System.nanoTime();
            List<Long> latencies = rotate(gateway, folder, leaves);
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            load.stop();
            sockets.shutdownNow(); // a WebSocket that is open would keep close() waiting
            return new Run(latencies, took, load.failures(), load.counts(), load.toString());
        }
    }

    /** Puts a certificate in place each {@link #PERIOD}, and looks when each is served. */
    private static List<Long> rotate(Gateway gateway, Folder folder, List<Leaf> leaves)
            throws IOException {
        Map<String, Awaited> awaited = new LinkedHashMap<>();
        List<Long> latencies = new ArrayList<>();
        long next = System.nanoTime();
        for (int i = 0; i < leaves.size(); i++) {
            String host = HOSTS.get(i % HOSTS.size());
            while (awaited.containsKey(host) || System.nanoTime() < next) {
                look(gateway, awaited, latencies);
            }
            next += PERIOD.toNanos();
            awaited.put(host, new Awaited(leaves.get(i), System.nanoTime()));
            put(folder, host, leaves.get(i));
        }
        while (!awaited.isEmpty()) {
            look(gateway, awaited, latencies);
        }
        return latencies;
    }

    private record Awaited(Leaf leaf, long since) {}

    private static void look(Gateway gateway, Map<String, Awaited> awaited, List<Long> latencies)
            throws IOException {
        for (var each = awaited.entrySet().iterator(); each.hasNext(); ) {
            Map.Entry<String, Awaited> entry = each.next();
            Awaited next = entry.getValue();
            if (Handshakes.serial(gateway.https(), entry.getKey()).equals(next.leaf().serial())) {
                latencies.add(System.nanoTime() - next.since());
                each.remove();
            } else if (System.nanoTime() - next.since() > PATIENCE.toNanos()) {
                throw new AssertionError("rotation " + latencies.size() + " never served");
            }
        }
        LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
    }

    /**
     * What was seen.
     *
     * @param latencies from the change of a file to the end of a handshake with it, nanoseconds
     */
    private record Run(
            List<Long> latencies,
            Duration took,
            List<String> failures,
            List<Integer> counts,
            String traffic) {

        Run {
            latencies = latencies.stream().sorted().toList();
        }

        Duration percentile(int percent) {
            int index = Math.min(latencies.size() - 1, latencies.size() * percent / 100);
            return Duration.ofNanos(latencies.get(index));
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%d rotations in %.1f s, file change to a whole handshake with it: p50 %.1f ms,"
                            + " p99 %.1f ms, max %.1f ms; %s",
                    latencies.size(),
                    took.toMillis() / 1e3,
                    percentile(50).toNanos() / 1e6,
                    percentile(99).toNanos() / 1e6,
                    percentile(100).toNanos() / 1e6,
                    traffic);
        }
    }

    private static HttpClient client() {
        return HttpClient.newBuilder()
                .version(Version.HTTP_1_1)
                .sslContext(pki.clientContext())
                .connectTimeout(PATIENCE)
                .build();
    }

    /** A WebSocket that lives through many rotations, and every so often a new one. */
    private static final class Chat {
        private static final int ROUNDS = 500;

        private final HttpClient client;
        private final Gateway gateway;
        private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        private @Nullable WebSocket socket;
        private int rounds;

        Chat(HttpClient client, Gateway gateway) {
            this.client = client;
            this.gateway = gateway;
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
                            .buildAsync(
                                    URI.create("wss://" + HOST + ":" + gateway.https() + "/ws"),
                                    new Listener(heard))
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

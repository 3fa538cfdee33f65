package dev.sallyport.conformance;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Clients that ask one host over HTTPS, again and again, and retry nothing: some on a connection of
 * its own for each request, some on one that they keep until they are told that it closes, and curl
 * with HTTP/2. Each is a task of its own that one thread at a time runs.
 */
final class Visitors implements AutoCloseable {

    private static final int EACH = 2; // of the kinds in this JVM
    private static final long PAUSE_MILLIS = 20;
    private static final long CURL_PAUSE_MILLIS = 250;

    private final InetSocketAddress address;
    private final String host;
    private final ScheduledExecutorService clients = Executors.newScheduledThreadPool(2 * EACH + 1);
    private final LongAdder answers = new LongAdder();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();

    private Visitors(InetSocketAddress address, String host) {
        this.address = address;
        this.host = host;
    }

    /** Begins to ask. The certificate may be anybody's. */
    static Visitors of(InetSocketAddress address, String host) {
        var visitors = new Visitors(address, host);
        for (int i = 0; i < EACH; i++) {
            visitors.repeat("new connection", PAUSE_MILLIS, visitors::once);
            visitors.repeat("kept connection", PAUSE_MILLIS, visitors.new Regular());
        }
        visitors.repeat("curl", CURL_PAUSE_MILLIS, visitors::curl);
        return visitors;
    }

    /** How many answers were as they should be. */
    long answers() {
        return answers.sum();
    }

    /** What was not answered as it should be. */
    List<String> failures() {
        return List.copyOf(failures);
    }

    /** Waits until so many more are answered. */
    void awaitMore(long count) {
        long enough = answers() + count;
        await().atMost(Duration.ofMinutes(1))
                .until(() -> answers() >= enough || !failures.isEmpty());
    }

    private interface Visit {
        void make() throws IOException;
    }

    private void repeat(String kind, long pauseMillis, Visit visit) {
        Future<?> _ =
                clients.scheduleWithFixedDelay(
                        () -> {
                            try {
                                visit.make();
                            } catch (IOException | RuntimeException | Error failed) {
                                if (!clients.isShutdown()) {
                                    failures.add(kind + ": " + failed);
                                }
                            }
                        },
                        0,
                        pauseMillis,
                        MILLISECONDS);
    }

    private void once() {
        count(RawClient.tls(address, host).get(host, "/"));
    }

    private void count(RawClient.Response response) {
        if (response.status() == 200) {
            answers.increment();
        } else {
            failures.add("status " + response.status() + ": " + response.body());
        }
    }

    private void curl() {
        Ran ran =
                Ran.run(
                        "curl",
                        "--silent",
                        "--show-error",
                        "--noproxy",
                        "*",
                        "--http2",
                        "--insecure",
                        "--max-time",
                        "20",
                        "--resolve",
                        host
                                + ":"
                                + address.getPort()
                                + ":"
                                + address.getAddress().getHostAddress(),
                        "--output",
                        "/dev/null",
                        "--write-out",
                        "%{http_code} %{http_version}",
                        "https://" + host + ":" + address.getPort() + "/");
        if (ran.exit() == 0 && ran.out().equals("200 2")) {
            answers.increment();
        } else if (!clients.isShutdown()) {
            failures.add("curl: " + ran.all());
        }
    }

    /** Keeps its connection as long as it may. */
    private final class Regular implements Visit {
        private RawClient.@Nullable Connection kept;

        @Override
        public void make() throws IOException {
            RawClient.Connection connection = kept;
            if (connection == null) {
                connection = RawClient.tls(address, host).open();
            }
            kept = null;
            try {
                connection.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
                RawClient.Response response = connection.response();
                count(response);
                Optional<String> end = response.first("connection");
                if (end.isEmpty() || !end.get().equalsIgnoreCase("close")) {
                    kept = connection;
                }
            } finally {
                if (kept == null) {
                    connection.close();
                }
            }
        }
    }

    /** Asks no more. */
    @Override
    public void close() {
        stop(clients);
    }

    private static void stop(ExecutorService executor) {
        var _ = executor.shutdownNow();
    }
}

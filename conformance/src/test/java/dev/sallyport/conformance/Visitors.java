package dev.sallyport.conformance;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.awaitility.Awaitility.await;

import io.netty.handler.codec.http2.DefaultHttp2Headers;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * Clients that ask one host over HTTPS, again and again, in good order: on a new connection for
 * each request, by a full handshake or by resuming a session; on one that is kept until the gateway
 * says that it closes, with HTTP/1.1 and HTTP/2; and curl with HTTP/2. Each is a task of its own
 * that one thread at a time runs, and has one connection at a time.
 */
final class Visitors implements AutoCloseable {

    private static final int EACH = 2; // of the kinds in this JVM
    private static final Duration PAUSE = Duration.ofMillis(20);
    private static final Duration CURL_PAUSE = Duration.ofMillis(250);
    private static final int CURL_SECONDS = 20;
    private static final Duration GOODBYE = Duration.ofSeconds(CURL_SECONDS + 5L);

    private final InetSocketAddress address;
    private final String host;
    private final Supplier<SSLContext> trust;
    private final Duration patience;
    private final ScheduledExecutorService clients = Executors.newScheduledThreadPool(4 * EACH + 1);
    private final List<Visit> visits = new ArrayList<>();
    private final LongAdder answers = new LongAdder();
    private final LongAccumulator longestNanos = new LongAccumulator(Math::max, 0);
    private final Queue<Loss> losses = new ConcurrentLinkedQueue<>();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();

    /**
     * A try that came to nothing because of its connection.
     *
     * @param visitor whose
     * @param refused whether nobody listened; else the connection broke
     * @param again whether it was one more try for a request whose first came to nothing
     * @param nanos when, by {@link System#nanoTime}
     */
    record Loss(int visitor, boolean refused, boolean again, long nanos) {}

    private Visitors(
            InetSocketAddress address, String host, Supplier<SSLContext> trust, Duration patience) {
        this.address = address;
        this.host = host;
        this.trust = trust;
        this.patience = patience;
    }

    /**
     * Begins to ask, and retries nothing: whatever goes wrong is a failure.
     *
     * @param trust gives a context with nothing to resume in it
     */
    static Visitors of(InetSocketAddress address, String host, Supplier<SSLContext> trust) {
        return persistent(address, host, trust, Duration.ZERO);
    }

    /**
     * Begins to ask. A request whose connection is refused or breaks is made again on a new one, as
     * clients do with requests like these (RFC 9110, 9.2.2): at once, and then every 20 ms until it
     * is answered or its time is up, which is a failure, as is all else that goes wrong.
     *
     * @param patience how long a request may take with all its tries
     */
    static Visitors persistent(
            InetSocketAddress address, String host, Supplier<SSLContext> trust, Duration patience) {
        var visitors = new Visitors(address, host, trust, patience);
        for (int i = 0; i < EACH; i++) {
            visitors.repeat("new connection", PAUSE, visitors::once);
            visitors.repeat("kept connection", PAUSE, visitors.new Regular());
            visitors.repeat("kept HTTP/2 connection", PAUSE, visitors.new Multiplexing());
            SSLContext resuming = trust.get();
            visitors.repeat("resumed session", PAUSE, () -> Load.request(resuming, address, host));
        }
        visitors.repeat("curl", CURL_PAUSE, visitors::curl);
        return visitors;
    }

    /** How many there are, and so how many connections there are at most. */
    int count() {
        return visits.size();
    }

    /** How many answers were as they should be. */
    long answers() {
        return answers.sum();
    }

    /** What was not answered as it should be. */
    List<String> failures() {
        return List.copyOf(failures);
    }

    /** What was tried in vain and then again; curl keeps its own to itself. */
    List<Loss> losses() {
        return List.copyOf(losses);
    }

    /** The longest that an answer took with all tries for it. */
    Duration longest() {
        return Duration.ofNanos(longestNanos.get());
    }

    /** Waits until so many more are answered. */
    void awaitMore(long count) {
        long enough = answers() + count;
        await().atMost(Duration.ofMinutes(1))
                .until(() -> answers() >= enough || !failures.isEmpty());
    }

    /** One request to its answer, which is as it should be. */
    private interface Visit extends AutoCloseable {
        void make() throws Exception;

        @Override
        default void close() throws IOException {
            // Keeps nothing.
        }
    }

    private void repeat(String kind, Duration pause, Visit visit) {
        int visitor = visits.size();
        visits.add(visit);
        Future<?> _ =
                clients.scheduleWithFixedDelay(
                        () -> persist(visitor, kind, visit), 0, pause.toMillis(), MILLISECONDS);
    }

    private void persist(int visitor, String kind, Visit visit) {
        long start = System.nanoTime();
        boolean again = false;
        while (true) {
            try {
                visit.make();
                answers.increment();
                longestNanos.accumulate(System.nanoTime() - start);
                return;
            } catch (Exception | Error failed) {
                long now = System.nanoTime();
                Optional<Boolean> refused = refused(failed);
                if (clients.isShutdown()) {
                    return;
                }
                if (refused.isEmpty() || now - start >= patience.toNanos()) {
                    failures.add(kind + ": " + failed + causes(failed));
                    return;
                }
                losses.add(new Loss(visitor, refused.get(), again, now));
                if (again) {
                    LockSupport.parkNanos(PAUSE.toNanos());
                }
                again = true;
            }
        }
    }

    /**
     * Whether nobody listened, if it was the connection at all: nothing else is a reason to try
     * again.
     */
    private static Optional<Boolean> refused(Throwable failed) {
        boolean connection = false;
        for (Throwable each = failed; each != null; each = each.getCause()) {
            if (each instanceof ConnectException) {
                return String.valueOf(each.getMessage()).contains("refused")
                        ? Optional.of(true)
                        : Optional.empty();
            }
            if (each instanceof CertificateException
                    || each instanceof SocketTimeoutException
                    || each instanceof TimeoutException
                    || each instanceof Wire.ProtocolViolation
                    || String.valueOf(each.getMessage()).contains("fatal alert")) {
                return Optional.empty();
            }
            connection |= each instanceof IOException;
        }
        return connection ? Optional.of(false) : Optional.empty();
    }

    private static String causes(Throwable failed) {
        var text = new StringBuilder();
        for (Throwable each = failed.getCause(); each != null; each = each.getCause()) {
            text.append(", because of ").append(each);
        }
        return text.toString();
    }

    private void once() throws IOException {
        Load.request(trust.get(), address, host);
    }

    private static void check(RawClient.Response response) {
        if (response.status() != 200) {
            throw new AssertionError("status " + response.status() + ": " + response.body());
        }
    }

    private void curl() {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "curl",
                                "--silent",
                                "--show-error",
                                "--noproxy",
                                "*",
                                "--http2",
                                "--insecure",
                                "--max-time",
                                Integer.toString(CURL_SECONDS)));
        if (!patience.isZero()) {
            command.addAll(
                    List.of(
                            "--retry",
                            Long.toString(patience.toSeconds()),
                            "--retry-delay",
                            "1",
                            "--retry-max-time",
                            Integer.toString(CURL_SECONDS),
                            "--retry-all-errors"));
        }
        command.addAll(
                List.of(
                        "--resolve",
                        String.format(
                                Locale.ROOT,
                                "%s:%d:%s",
                                host,
                                address.getPort(),
                                address.getAddress().getHostAddress()),
                        "--output",
                        "/dev/null",
                        "--write-out",
                        "%{http_code} %{http_version}",
                        "https://" + host + ":" + address.getPort() + "/"));
        Ran ran = Ran.run(Duration.ofMinutes(1), command);
        if (ran.exit() != 0 || !ran.out().endsWith("200 2")) {
            throw new AssertionError(ran.all());
        }
    }

    /** Keeps its connection as long as it may. */
    private final class Regular implements Visit {
        private RawClient.@Nullable Connection kept;

        @Override
        public void make() throws IOException {
            RawClient.Connection connection = kept;
            if (connection == null) {
                SSLSocket socket = Handshakes.connect(trust.get(), address, host);
                connection = new RawClient.Connection(socket);
            }
            kept = null;
            try {
                connection.send(RawClient.head("GET / HTTP/1.1", "Host: " + host));
                RawClient.Response response = connection.response();
                check(response);
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

        @Override
        public void close() throws IOException {
            if (kept != null) {
                kept.close();
            }
        }
    }

    /** Keeps its connection until it is told that it goes away. */
    private final class Multiplexing implements Visit {
        private @Nullable Http2Client kept;

        @Override
        public void make() throws Exception {
            Http2Client connection = kept;
            kept = null;
            if (connection != null && connection.goesAway()) {
                connection.close();
                connection = null;
            }
            if (connection == null) {
                connection = Http2Client.connect(address, host);
            }
            try {
                request(connection);
                kept = connection;
            } finally {
                if (kept == null) {
                    connection.close();
                }
            }
        }

        private void request(Http2Client connection) throws Exception {
            var head =
                    new DefaultHttp2Headers()
                            .method("GET")
                            .scheme("https")
                            .authority(host)
                            .path("/");
            Http2Client.Stream stream;
            try {
                stream = connection.open(head, true);
            } catch (Http2Client.GoesAway unsent) {
                // It was told so between the look and the request.
                try (Http2Client next = Http2Client.connect(address, host)) {
                    Load.request(next, host);
                    return;
                }
            }
            if (!stream.status().equals("200")) {
                throw new AssertionError("status " + stream.status());
            }
            stream.awaitEnd();
        }

        @Override
        public void close() {
            if (kept != null) {
                kept.close();
            }
        }
    }

    /** Asks no more. */
    @Override
    public void close() throws IOException {
        var _ = clients.shutdownNow();
        try {
            if (!clients.awaitTermination(GOODBYE.toMillis(), MILLISECONDS)) {
                throw new AssertionError("a visitor does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
        for (Visit visit : visits) {
            visit.close();
        }
    }
}

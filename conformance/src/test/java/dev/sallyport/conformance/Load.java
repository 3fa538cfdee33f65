package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http2.DefaultHttp2Headers;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** Traffic of several kinds, each on a thread of its own, until it is stopped. */
final class Load implements AutoCloseable {

    /** A gateway's configuration by which no connection ends by itself while a test runs. */
    static final String ENDLESS =
            """
            limits:
              requests-per-connection: 1000000000
            """;

    private static final Duration PAUSE = Duration.ofMillis(1);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int MOST_FAILURES = 100;

    private final AtomicBoolean stopped = new AtomicBoolean();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final AtomicInteger failed = new AtomicInteger();
    private final List<Kind> kinds = new ArrayList<>();
    private final List<Closeable> connections = new ArrayList<>();

    /** One thread's traffic; the times of its requests are its own until it has ended. */
    private static final class Kind {
        private final String name;
        private final AtomicInteger count = new AtomicInteger();
        private final List<Long> nanos = new ArrayList<>();
        private @Nullable Thread thread;

        Kind(String name) {
            this.name = name;
        }
    }

    /**
     * HTTPS to one host as clients of several sorts have it: HTTP/1.1 on a connection that is kept,
     * HTTP/2 likewise, and HTTP/1.1 on a new connection for each request, by a full handshake and
     * by resuming a session. Certificates must be trusted and cover the host.
     *
     * @param trust gives a context with nothing to resume in it
     */
    static Load https(InetSocketAddress address, String host, Supplier<SSLContext> trust)
            throws Exception {
        var load = new Load();
        SSLSocket socket = Handshakes.connect(trust.get(), address, host);
        load.connections.add(socket);
        var http2 = Http2Client.connect(address, host);
        load.connections.add(http2::close);
        var kept = new RawClient.Connection(socket);
        load.run("h1, one connection", () -> request(kept, host));
        load.run("h2, one connection", () -> request(http2, host));
        load.newConnections(address, host, trust);
        SSLContext resuming = trust.get();
        load.run("h1, resumed connections", () -> request(resuming, address, host));
        return load;
    }

    /** Adds HTTP/1.1 on a new connection for each request, by a full handshake. */
    Load newConnections(InetSocketAddress address, String host, Supplier<SSLContext> trust) {
        return run("h1, new connections", () -> request(trust.get(), address, host));
    }

    /** Makes requests one after another; what a request throws is a failure. */
    Load run(String name, Callable<@Nullable Void> request) {
        var kind = new Kind(name);
        kind.thread = Thread.ofPlatform().name(name).start(() -> go(kind, request));
        kinds.add(kind);
        return this;
    }

    private void go(Kind kind, Callable<@Nullable Void> request) {
        while (!stopped.get()) {
            long start = System.nanoTime();
            try {
                request.call();
                kind.nanos.add(System.nanoTime() - start);
                kind.count.incrementAndGet();
            } catch (Exception | AssertionError e) {
                if (failed.incrementAndGet() <= MOST_FAILURES) {
                    failures.add(kind.name + ": " + e);
                }
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }

    /** On a connection that was made once: one that is closed makes all that follow fail. */
    static @Nullable Void request(RawClient.Connection kept, String host) throws IOException {
        kept.send(RawClient.head("GET / HTTP/1.1", "Host: " + host));
        assertThat(kept.response().status()).isEqualTo(200);
        return null;
    }

    /** On a connection that was made once: one that takes no streams makes all that follow fail. */
    static @Nullable Void request(Http2Client http2, String host) throws Exception {
        var head =
                new DefaultHttp2Headers().method("GET").scheme("https").authority(host).path("/");
        Http2Client.Stream stream = http2.open(head, true);
        assertThat(stream.status()).isEqualTo("200");
        stream.awaitEnd();
        return null;
    }

    /** On a new connection. */
    static @Nullable Void request(SSLContext trust, InetSocketAddress address, String host)
            throws IOException {
        try (SSLSocket socket = Handshakes.connect(trust, address, host)) {
            var connection = new RawClient.Connection(socket);
            connection.send(RawClient.head("GET / HTTP/1.1", "Host: " + host, "Connection: close"));
            assertThat(connection.response().status()).isEqualTo(200);
            return null;
        }
    }

    /** Stops it and waits for what is going on. */
    void stop() throws InterruptedException {
        stopped.set(true);
        for (Kind kind : kinds) {
            Thread thread = kind.thread;
            if (thread != null) {
                thread.join();
            }
        }
    }

    /** Stops it once each kind made more requests than this: nothing failed. */
    String assertNothingFailed(int atLeast) throws InterruptedException {
        // On a machine that is busy with others, a scenario may be over before.
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (failed.get() == 0
                && counts().stream().anyMatch(count -> count <= atLeast)
                && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(PAUSE.toNanos());
        }
        stop();
        assertThat(failures()).as(toString()).isEmpty();
        assertThat(counts())
                .as(toString())
                .allSatisfy(count -> assertThat(count).isGreaterThan(atLeast));
        return toString();
    }

    /** What failed; the first hundred. */
    List<String> failures() {
        return List.copyOf(failures);
    }

    /** How many requests each kind made. */
    List<Integer> counts() {
        return kinds.stream().map(kind -> kind.count.get()).toList();
    }

    /** The longest that a request took; only after {@link #stop}. */
    Duration longest() {
        return Duration.ofNanos(
                kinds.stream()
                        .flatMap(kind -> kind.nanos.stream())
                        .mapToLong(each -> each)
                        .max()
                        .orElse(0));
    }

    @Override
    public void close() throws IOException {
        stopped.set(true);
        for (Closeable connection : connections) {
            connection.close();
        }
    }

    @Override
    public String toString() {
        var text = new StringBuilder();
        for (Kind kind : kinds) {
            text.append(text.isEmpty() ? "" : "; ")
                    .append(kind.name)
                    .append(' ')
                    .append(kind.count);
            if (stopped.get() && !kind.nanos.isEmpty()) {
                var times = new Times(kind.nanos);
                text.append(" (").append(times).append(')');
            }
        }
        return String.format(Locale.ROOT, "%s; %d failed", text, failed.get());
    }
}

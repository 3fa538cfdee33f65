package dev.sallyport.control.cluster;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's HTTP client, with what a watch needs beyond it: dead connections are noticed ({@link
 * PongWatchdog}, {@link StallGuard}), reads are paced ({@link RequestRate}; all watches may come
 * back at once), {@code Retry-After} is kept to, and what each request came to is noted ({@link
 * Contacts}).
 */
final class WatchedHttpClient extends HttpClient {
    /*
     * Concurrency: `rate` and `random` are under the lock of `rate`; everything else is immutable or
     * thread-safe.
     */

    /** Longer pauses are not taken from a server. */
    private static final Duration LONGEST_RETRY_AFTER = Duration.ofSeconds(10);

    /** Over which the watches of all replicas come back after a gap that they have in common. */
    static final Duration SPREAD = Duration.ofMillis(500);

    private final HttpClient client;
    private final Contacts contacts;
    private final RequestRate rate;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoTime;
    private final RandomGenerator random;
    private final PongWatchdog.Limits limits;

    WatchedHttpClient(
            HttpClient client,
            Contacts contacts,
            RequestRate rate,
            ScheduledExecutorService timer,
            LongSupplier nanoTime,
            RandomGenerator random,
            PongWatchdog.Limits limits) {
        this.client = client;
        this.contacts = contacts;
        this.rate = rate;
        this.timer = timer;
        this.nanoTime = nanoTime;
        this.random = random;
        this.limits = limits;
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, HttpResponse.BodyHandler<T> handler) {
        if (!request.method().equals("GET")) {
            return client.sendAsync(request, handler);
        }
        WatchedPath path = WatchedPath.of(request.uri());
        HttpResponse.BodyHandler<T> guarded =
                head -> new StallGuard<>(handler.apply(head), limits.silence(), timer, nanoTime);
        CompletableFuture<HttpResponse<T>> answer =
                inTurn(followsAGap(path), () -> client.sendAsync(request, guarded));
        return answer.whenComplete((response, failure) -> note(path, response, failure));
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request,
            HttpResponse.BodyHandler<T> handler,
            HttpResponse.@Nullable PushPromiseHandler<T> promises) {
        return client.sendAsync(request, handler, promises);
    }

    @Override
    public WebSocket.Builder newWebSocketBuilder() {
        return new WatchBuilder(client.newWebSocketBuilder());
    }

    /** A list of what was watched before: others may have had the same gap. */
    private boolean followsAGap(WatchedPath path) {
        return contacts.of(path).watched();
    }

    /** A watch that broke or could not be opened: others may come back at the same time. */
    private boolean brokeBefore(WatchedPath path) {
        return contacts.of(path).trouble().isPresent();
    }

    private <T> CompletableFuture<T> inTurn(
            boolean spread, Supplier<CompletableFuture<T>> request) {
        long wait;
        synchronized (rate) {
            wait =
                    rate.take(nanoTime.getAsLong())
                            + (spread ? random.nextLong(SPREAD.toNanos()) : 0);
        }
        if (wait == 0) {
            return request.get();
        }
        Executor later =
                task -> {
                    var _ = timer.schedule(task, wait, TimeUnit.NANOSECONDS);
                };
        return CompletableFuture.completedFuture(request).thenComposeAsync(Supplier::get, later);
    }

    private void note(
            WatchedPath path, @Nullable HttpResponse<?> response, @Nullable Throwable failure) {
        if (response == null) {
            contacts.failed(path, new Contacts.Trouble(0, describe(failure)));
            return;
        }
        int status = response.statusCode();
        if (status >= 400) {
            contacts.failed(path, new Contacts.Trouble(status, ""));
            if (status == 429 || status == 503) {
                response.headers().firstValue("Retry-After").ifPresent(this::pause);
            }
        }
    }

    private void pause(String seconds) {
        if (seconds.matches("[0-9]{1,9}")) {
            Duration asked = Duration.ofSeconds(Long.parseLong(seconds));
            Duration pause = asked.compareTo(LONGEST_RETRY_AFTER) > 0 ? LONGEST_RETRY_AFTER : asked;
            synchronized (rate) {
                rate.pause(nanoTime.getAsLong(), pause.toNanos());
            }
        }
    }

    private static String describe(@Nullable Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
        if (cause == null) {
            return "no answer";
        }
        String message = cause.getMessage();
        return cause.getClass().getSimpleName() + (message == null ? "" : ": " + message);
    }

    /** Watches that are opened in turn and kept an eye on. */
    private final class WatchBuilder implements WebSocket.Builder {
        private final WebSocket.Builder builder;

        WatchBuilder(WebSocket.Builder builder) {
            this.builder = builder;
        }

        @Override
        public WebSocket.Builder header(String name, String value) {
            builder.header(name, value);
            return this;
        }

        @Override
        public WebSocket.Builder connectTimeout(Duration timeout) {
            builder.connectTimeout(timeout);
            return this;
        }

        @Override
        public WebSocket.Builder subprotocols(String preferred, String... others) {
            builder.subprotocols(preferred, others);
            return this;
        }

        @Override
        public CompletableFuture<WebSocket> buildAsync(URI uri, WebSocket.Listener listener) {
            WatchedPath path = WatchedPath.of(uri);
            var watchdog = new PongWatchdog(listener, path, contacts, timer, nanoTime, limits);
            CompletableFuture<WebSocket> opening =
                    inTurn(brokeBefore(path), () -> builder.buildAsync(uri, watchdog));
            return opening.whenComplete((_, failure) -> {
                if (failure != null) {
                    note(path, answerTo(failure), failure);
                }
            });
        }

        private static @Nullable HttpResponse<?> answerTo(Throwable failure) {
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
            return cause instanceof WebSocketHandshakeException refused
                    ? refused.getResponse()
                    : null;
        }
    }

    // Everything else is the JDK's.

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler)
            throws IOException, InterruptedException {
        return client.send(request, handler);
    }

    @Override
    public Optional<CookieHandler> cookieHandler() {
        return client.cookieHandler();
    }

    @Override
    public Optional<Duration> connectTimeout() {
        return client.connectTimeout();
    }

    @Override
    public Redirect followRedirects() {
        return client.followRedirects();
    }

    @Override
    public Optional<ProxySelector> proxy() {
        return client.proxy();
    }

    @Override
    public SSLContext sslContext() {
        return client.sslContext();
    }

    @Override
    public SSLParameters sslParameters() {
        return client.sslParameters();
    }

    @Override
    public Optional<Authenticator> authenticator() {
        return client.authenticator();
    }

    @Override
    public Version version() {
        return client.version();
    }

    @Override
    public Optional<Executor> executor() {
        return client.executor();
    }

    @Override
    public void shutdownNow() {
        client.shutdownNow();
    }
}

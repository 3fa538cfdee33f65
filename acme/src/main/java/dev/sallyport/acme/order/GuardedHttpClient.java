package dev.sallyport.acme.order;

import dev.sallyport.acme.issuer.Issuer;
import java.io.IOException;
import java.net.Authenticator;
import java.net.ConnectException;
import java.net.CookieHandler;
import java.net.InetAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.exception.AcmeProtocolException;
import org.shredzone.acme4j.toolbox.JSON;

/**
 * The HTTP client under acme4j, which asks one issuer only: at its origins, at public addresses
 * unless it is configured otherwise, following no redirect, reading no more than a bounded number
 * of bytes, and not for longer than a bounded time from the first byte sent to the last received.
 * One that gives no answer at all in that time is not asked by others either, for half as long.
 *
 * <p>Between the look-up here and the connection a name may change its address. What is behind the
 * new one must still show the issuer's certificate, so nothing is said to it. Safe from any thread.
 */
final class GuardedHttpClient extends HttpClient {
    /** Chains are 10 KiB, directories 2. */
    static final int MOST_BYTES = 512 * 1024;

    /** Of one request, to the last byte of its answer. */
    static final Duration DEADLINE = Duration.ofSeconds(30);

    /** Finds the addresses of a name. */
    interface Lookup {
        List<InetAddress> of(String host) throws UnknownHostException;

        /** The machine's own way. */
        Lookup SYSTEM = host -> List.of(InetAddress.getAllByName(host));
    }

    private final Issuer issuer;
    private final HttpClient client;
    private final Lookup lookup;
    private final Duration deadline;
    private final InstantSource clock;
    private final LongAdder requests = new LongAdder();

    /** By {@link System#nanoTime}: when an answer came last. */
    private volatile long heard = System.nanoTime();

    /** By {@link System#nanoTime}: until when nothing is asked; null while there are answers. */
    private volatile @Nullable Long silentUntil;

    /** By {@link System#nanoTime}, when the conversation that the thread is in has to be over. */
    private static final ScopedValue<Long> END = ScopedValue.newInstance();

    /** Of one question to the CA, as many requests as it takes (nonces): in deadlines. */
    private static final int CONVERSATION = 4;

    GuardedHttpClient(
            Issuer issuer,
            HttpClient client,
            Lookup lookup,
            Duration deadline,
            InstantSource clock) {
        this.issuer = issuer;
        this.client = client;
        this.lookup = lookup;
        this.deadline = deadline;
        this.clock = clock;
        if (client.followRedirects() != Redirect.NEVER) {
            throw new IllegalArgumentException("client: follows redirects");
        }
    }

    /** For an issuer, judging the certificate that it shows as configured. */
    static GuardedHttpClient of(Issuer issuer, InstantSource clock) {
        HttpClient.Builder builder =
                HttpClient.newBuilder()
                        .followRedirects(Redirect.NEVER)
                        .connectTimeout(Duration.ofSeconds(10));
        IssuerTrust.of(issuer).ifPresent(builder::sslContext);
        return new GuardedHttpClient(issuer, builder.build(), Lookup.SYSTEM, DEADLINE, clock);
    }

    /** How many requests were sent. */
    long requests() {
        return requests.sum();
    }

    /** Has all requests of something bounded together: by four times what one of them is. */
    <T, X extends Throwable> T conversation(ScopedValue.CallableOp<T, X> requests) throws X {
        return within(deadline.multipliedBy(CONVERSATION), requests);
    }

    /** Has all requests of something bounded together, and by what already bounds the thread's. */
    static <T, X extends Throwable> T within(Duration total, ScopedValue.CallableOp<T, X> requests)
            throws X {
        long end = System.nanoTime() + total.toNanos();
        return ScopedValue.where(END, END.isBound() ? Math.min(END.get(), end) : end)
                .call(requests);
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        URI url = request.uri();
        long begun = System.nanoTime();
        Bound bound = bound(url, begun);
        requireNotSilent(url, begun);
        HttpResponse<byte[]> whole;
        try {
            check(url, bound);
            whole = answer(request, bound);
        } catch (HttpTimeoutException late) {
            unheard(begun, bound, late);
            throw late;
        } catch (UnansweredException unanswered) {
            if (unanswered.getCause() instanceof HttpTimeoutException late) {
                unheard(begun, bound, late);
            }
            throw unanswered;
        }
        heard = System.nanoTime();
        silentUntil = null;
        requireNotBusy(whole);
        requireNotEncoded(whole);
        return new Answer<>(whole, replayed(whole, handler));
    }

    /**
     * When a request has to be over.
     *
     * @param end by {@link System#nanoTime}
     * @param shared whether that is because of the requests before it, and not of its own deadline
     */
    private record Bound(long end, boolean shared) {}

    private Bound bound(URI url, long now) throws HttpTimeoutException {
        long own = now + deadline.toNanos();
        if (!END.isBound() || END.get() - own >= 0) {
            return new Bound(own, false);
        }
        var shared = new Bound(END.get(), true);
        if (shared.end() - now <= 0) {
            throw late(url, "not asked any more", shared);
        }
        return shared;
    }

    /** One CA's silence is not to be waited out by everybody who asks, one after the other. */
    private void requireNotSilent(URI url, long now) throws HttpTimeoutException {
        Long until = silentUntil;
        if (until != null && until - now > 0) {
            throw new HttpTimeoutException(
                    url.getHost() + ": gave no answer lately, and is left alone for a while");
        }
    }

    private void unheard(long begun, Bound bound, HttpTimeoutException late) {
        boolean hadItsTime = !bound.shared() || late instanceof HttpConnectTimeoutException;
        if (hadItsTime && heard - begun < 0) {
            silentUntil = System.nanoTime() + deadline.dividedBy(2).toNanos();
        }
    }

    private HttpResponse<byte[]> answer(HttpRequest request, Bound bound)
            throws IOException, InterruptedException {
        URI url = request.uri();
        requests.increment();
        try {
            return await(
                    client.sendAsync(request, _ -> new Capped(url)), bound, url, "no whole answer");
        } catch (IOException failed) {
            throw mayHaveArrived(request, failed) ? new UnansweredException(failed) : failed;
        }
    }

    /** Only what is posted has a CA do anything. */
    private static boolean mayHaveArrived(HttpRequest request, IOException failure) {
        return request.method().equals("POST")
                && !(failure instanceof ConnectException)
                && !(failure instanceof HttpConnectTimeoutException)
                && !(failure instanceof SSLHandshakeException);
    }

    private <T> T await(CompletableFuture<T> answer, Bound bound, URI url, String missing)
            throws IOException, InterruptedException {
        try {
            return answer.get(bound.end() - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException tooLate) {
            answer.cancel(true);
            throw late(url, missing, bound);
        } catch (InterruptedException interrupted) {
            answer.cancel(true);
            throw interrupted;
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof IOException known
                    ? known
                    : new IOException(failed.getCause());
        }
    }

    private HttpTimeoutException late(URI url, String missing, Bound bound) {
        return new HttpTimeoutException(
                url.getHost()
                        + ": "
                        + missing
                        + (bound.shared()
                                ? ": the time is over that all requests of an order, or of a"
                                        + " question, have"
                                : " within " + deadline.toSeconds() + " s"));
    }

    /** None was asked for, and what is packed may be of any size. */
    private static void requireNotEncoded(HttpResponse<?> answer) throws IOException {
        for (String encoding : answer.headers().allValues("Content-Encoding")) {
            if (!encoding.strip().equalsIgnoreCase("identity")) {
                throw new IOException(
                        answer.uri().getHost()
                                + ": answers with the encoding "
                                + encoding
                                + " (expected: none)");
            }
        }
    }

    /**
     * A CA, or what stands before it, says when it is to be asked again; acme4j reads that of one
     * problem only.
     */
    private void requireNotBusy(HttpResponse<byte[]> answer) throws BusyException {
        if (answer.statusCode() != 429 && answer.statusCode() != 503) {
            return;
        }
        Optional<JSON> problem = problem(answer);
        if (text(problem, "type").equals("urn:ietf:params:acme:error:rateLimited")) {
            return;
        }
        Instant now = clock.instant();
        Optional<Instant> until =
                answer.headers()
                        .firstValue("Retry-After")
                        .flatMap(text -> BusyException.parse(text, now));
        if (until.isPresent()) {
            throw new BusyException(
                    answer.uri().getHost(),
                    answer.statusCode(),
                    text(problem, "detail"),
                    until.get());
        }
    }

    private static Optional<JSON> problem(HttpResponse<byte[]> answer) {
        boolean said =
                answer.headers()
                        .firstValue("Content-Type")
                        .filter(type -> type.startsWith("application/problem+json"))
                        .isPresent();
        try {
            return said
                    ? Optional.of(JSON.parse(new String(answer.body(), StandardCharsets.UTF_8)))
                    : Optional.empty();
        } catch (AcmeProtocolException notJson) {
            return Optional.empty();
        }
    }

    private static String text(Optional<JSON> problem, String field) {
        try {
            return problem.flatMap(it -> it.get(field).map(JSON.Value::asString)).orElse("");
        } catch (AcmeProtocolException noText) {
            return "";
        }
    }

    private void check(URI url, Bound bound) throws IOException, InterruptedException {
        if (!issuer.allows(url)) {
            throw new AddressRefusedException(
                    "url: "
                            + url
                            + " (expected: one of "
                            + issuer.origins()
                            + "; others must be allowed in the issuer's configuration)");
        }
        if (issuer.privateAddresses()) {
            return;
        }
        int port = url.getPort() < 0 ? 443 : url.getPort();
        for (InetAddress address : addresses(url, bound)) {
            Optional<String> refusal = PublicAddress.refusal(address, port);
            if (refusal.isPresent()) {
                throw new AddressRefusedException(
                        "url: "
                                + url
                                + " leads to "
                                + address.getHostAddress()
                                + ", "
                                + refusal.get()
                                + " (a private CA must be configured as one)");
            }
        }
    }

    /** Looked up beside, since that can be neither interrupted nor bounded. */
    private List<InetAddress> addresses(URI url, Bound bound)
            throws IOException, InterruptedException {
        var found = new CompletableFuture<List<InetAddress>>();
        Thread.ofVirtual()
                .name("acme-lookup")
                .start(() -> {
                    try {
                        found.complete(lookup.of(url.getHost()));
                    } catch (IOException | RuntimeException failed) {
                        found.completeExceptionally(failed);
                    }
                });
        return await(found, bound, url, "no address");
    }

    /** Hands bytes that are here already to a handler that expects them from the network. */
    private static <T> T replayed(HttpResponse<byte[]> whole, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        BodySubscriber<T> subscriber =
                handler.apply(
                        new HttpResponse.ResponseInfo() {
                            @Override
                            public int statusCode() {
                                return whole.statusCode();
                            }

                            @Override
                            public HttpHeaders headers() {
                                return whole.headers();
                            }

                            @Override
                            public Version version() {
                                return whole.version();
                            }
                        });
        subscriber.onSubscribe(
                new Flow.Subscription() {
                    @Override
                    public void request(long count) {
                        // All there is follows at once.
                    }

                    @Override
                    public void cancel() {
                        // There is nothing to be stopped.
                    }
                });
        if (whole.body().length > 0) {
            subscriber.onNext(List.of(ByteBuffer.wrap(whole.body())));
        }
        subscriber.onComplete();
        try {
            return subscriber.getBody().toCompletableFuture().get();
        } catch (ExecutionException failed) {
            throw new IOException(failed.getCause());
        }
    }

    /** Collects an answer, up to the bound. */
    private static final class Capped implements BodySubscriber<byte[]> {
        private final BodySubscriber<byte[]> bytes = HttpResponse.BodySubscribers.ofByteArray();
        private final URI url;
        private long received;
        private boolean refused;
        private Flow.@Nullable Subscription subscription;

        Capped(URI url) {
            this.url = url;
        }

        @Override
        public CompletionStage<byte[]> getBody() {
            return bytes.getBody();
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
            bytes.onSubscribe(subscription);
        }

        @Override
        public void onNext(List<ByteBuffer> buffers) {
            if (refused) {
                return;
            }
            for (ByteBuffer buffer : buffers) {
                received += buffer.remaining();
            }
            if (received > MOST_BYTES) {
                refused = true;
                if (subscription != null) {
                    subscription.cancel();
                }
                bytes.onError(
                        new IOException(
                                url.getHost() + ": more than " + MOST_BYTES + " bytes in answer"));
                return;
            }
            bytes.onNext(buffers);
        }

        @Override
        public void onError(Throwable failure) {
            if (!refused) {
                bytes.onError(failure);
            }
        }

        @Override
        public void onComplete() {
            if (!refused) {
                bytes.onComplete();
            }
        }
    }

    /** An answer with its body in the form that was asked for. */
    private record Answer<T>(HttpResponse<byte[]> whole, T body) implements HttpResponse<T> {
        @Override
        public int statusCode() {
            return whole.statusCode();
        }

        @Override
        public HttpRequest request() {
            return whole.request();
        }

        @Override
        public Optional<HttpResponse<T>> previousResponse() {
            return Optional.empty();
        }

        @Override
        public HttpHeaders headers() {
            return whole.headers();
        }

        @Override
        public Optional<SSLSession> sslSession() {
            return whole.sslSession();
        }

        @Override
        public URI uri() {
            return whole.uri();
        }

        @Override
        public Version version() {
            return whole.version();
        }
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> handler) {
        throw new UnsupportedOperationException("only send: it has the deadline");
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> handler, PushPromiseHandler<T> pushes) {
        throw new UnsupportedOperationException("only send: it has the deadline");
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
    public void close() {
        client.shutdownNow();
        client.close();
    }
}

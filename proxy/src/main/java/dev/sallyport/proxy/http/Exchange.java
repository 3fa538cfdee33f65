package dev.sallyport.proxy.http;

import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.filter.TrailerFields;
import dev.sallyport.proxy.route.BackendChoice;
import dev.sallyport.proxy.route.CertificateScope;
import dev.sallyport.proxy.route.HttpsLocation;
import dev.sallyport.proxy.upstream.UpstreamCall;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.ArrayDeque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One request with its response, from the head to the end of both, whatever the client's protocol.
 *
 * <p>Confined to the event loop of its stream; the backend's side runs on the same. Nothing is held
 * but what one side has sent and the other could not yet take, and credit for that is given back
 * only when it was passed on: so either side slows the other down.
 *
 * <p>Is its own {@linkplain Patience deadline} and its own summary, so that an exchange is one
 * object, and one more for each attempt at a backend.
 */
final class Exchange extends Patience implements ExchangeInput, ExchangeSummary {
    private static final int MAX_ATTEMPTS = 2;
    private static final int MAX_INFORMATIONAL = 16;

    private final ProxyExchanges proxy;
    private final ClientStream stream;
    private final RequestHead head;

    private final long startedAtMillis;
    private final long startedAt; // nanoseconds of the loop's ticker
    private final boolean trusted;
    private final String requestId;

    private @Nullable Route route;
    private @Nullable UpstreamKey upstreamKey;
    private @Nullable Upstream upstream;

    private int attempts;
    private @Nullable Attempt attempt;
    private @Nullable Runnable waiting; // for a connection: cancels the wait
    private @Nullable UpstreamCall call;
    private @Nullable Endpoint endpoint;
    private boolean keyIsOurs; // of a WebSocket: the client's protocol has none

    // The request's body, while there is no connection yet.
    private @Nullable ArrayDeque<ByteBuf> held;
    private @Nullable HttpHeaders heldTrailers;

    private boolean bodySent;
    private int informational;
    private boolean done;

    private int status;
    private @Nullable ProxyError error;
    private long bytesIn;
    private long bytesOut;
    private long connectStarted;
    private long connected;
    private long connectNanos = -1;
    private long firstByteNanos = -1;
    private long endedAt;

    Exchange(ProxyExchanges proxy, ClientStream stream, RequestHead head) {
        super(
                proxy.deadlines.of(stream.eventLoop()),
                proxy.timeouts,
                head.endOfStream() || head.webSocket());
        this.proxy = proxy;
        this.stream = stream;
        this.head = head;
        this.startedAtMillis = proxy.clock.millis();
        this.startedAt = nanoTime();
        this.trusted = proxy.requestFields.trusts(stream.connection());
        String given = trusted ? proxy.requestFields.requestId(head.headers()) : null;
        this.requestId = given != null ? given : RequestId.random(proxy.random.get());
    }

    /** The stages of a request, in order. */
    void begin() {
        ClientConnection connection = stream.connection();
        proxy.observer.began(connection);

        // One snapshot for the whole exchange: what it is routed by, a retry stays with.
        GatewaySnapshot snapshot = proxy.snapshots.get();

        // Is there room for it?
        ProxyError refusal = proxy.admission.refuse(connection);
        if (refusal != null) {
            fail(refusal);
            return;
        }
        if (exceedsBodyLimit(head.contentLength())) {
            fail(ProxyError.BODY_TOO_LARGE);
            return;
        }

        // Was the client shown a certificate for this host?
        String host = head.authority().host();
        if (!CertificateScope.covers(connection.tls(), snapshot.certificates(), host)) {
            fail(ProxyError.MISDIRECTED);
            return;
        }

        // Which route? What answers ACME challenges is one as well, the first, and is left on plain
        // HTTP; all else of a host with TLS is sent there.
        Route found = snapshot.routes().find(host, head.target().path());
        route = found;
        if ((found == null || !found.answersChallenges()) && redirected(snapshot, host)) {
            return;
        }
        if (found == null) {
            fail(ProxyError.NO_ROUTE);
            return;
        }
        switch (found.action()) {
            case RouteAction.Forward forward -> forward(snapshot, forward);
            case RouteAction.KeyAuthorization(String text) -> answerChallenge(text);
        }
    }

    private void answerChallenge(String keyAuthorization) {
        if (!head.method().equals("GET") && !head.method().equals("HEAD")) {
            fail(ProxyError.METHOD_NOT_ALLOWED);
            return;
        }
        responseStarted = true;
        status = 200;
        bytesOut = keyAuthorization.length();
        proxy.errors.sendKeyAuthorization(stream, keyAuthorization);
        end(null);
    }

    private boolean redirected(GatewaySnapshot snapshot, String host) {
        if (stream.connection().secure()
                || host.isEmpty()
                || (trusted && proxy.requestFields.cameByHttps(head.headers()))) {
            return false;
        }
        Optional<HttpsRedirect> redirect = snapshot.routes().httpsRedirect(host);
        if (redirect.isEmpty()) {
            return false;
        }
        responseStarted = true;
        status = redirect.get().status();
        proxy.errors.sendRedirect(
                stream, status, HttpsLocation.of(redirect.get(), host, head.target().original()));
        end(null);
        return true;
    }

    private void forward(GatewaySnapshot snapshot, RouteAction.Forward forward) {
        // Which backend, and is anybody there?
        UpstreamKey key = BackendChoice.choose(forward.backends(), proxy.random.get());
        upstreamKey = key;
        Upstream chosen = key == null ? null : snapshot.upstreams().get(key);
        if (chosen == null || chosen.endpoints().isEmpty()) {
            fail(ProxyError.NO_ENDPOINT);
            return;
        }
        upstream = chosen;

        // What is it told about the client?
        if (!proxy.requestFields.edit(
                head.headers(),
                stream.connection(),
                head.authority(),
                requestId,
                trusted,
                head.contentLength() < 0)) {
            fail(ProxyError.BAD_REQUEST);
            return;
        }
        // RFC 9110 section 10.1.1: a proxy forwards the expectation, and the backend's 100 is
        // relayed; nobody but the backend can know whether it wants the body.
        if (!head.expectsContinue()) {
            head.headers().remove(HttpHeaderNames.EXPECT);
        }
        keyIsOurs = !head.headers().contains(HttpHeaderNames.SEC_WEBSOCKET_KEY);
        watch();
        connect(chosen, null);
    }

    private void connect(Upstream to, @Nullable Endpoint avoid) {
        attempts++;
        connectStarted = nanoTime();
        Attempt next = new Attempt();
        attempt = next;
        Runnable cancel = proxy.upstreams.open(to, stream.eventLoop(), avoid, next);
        if (attempt == next && call == null) {
            waiting = cancel;
        }
    }

    // ---- The client's side.

    @Override
    public void onData(ByteBuf data, boolean endOfStream) {
        int size = data.readableBytes();
        boolean bodyless = !tunnel && head.contentLength() == 0;
        if (done || bodyless) {
            data.release();
            requestEnded |= endOfStream;
            stream.consumed(size);
            return;
        }
        if (head.webSocket() && !tunnel) {
            data.release(); // never to a backend that has not agreed to a WebSocket
            if (!responseStarted) {
                fail(ProxyError.BAD_REQUEST);
            }
            return;
        }
        bytesIn += size;
        if (!tunnel && exceedsBodyLimit(bytesIn)) {
            data.release();
            fail(ProxyError.BODY_TOO_LARGE);
            return;
        }
        clientMoved();
        requestEnded = endOfStream;
        owedToClient += size;
        if (call != null) {
            sendToBackend(call, data, endOfStream);
        } else {
            hold(data);
        }
    }

    @Override
    public void onTrailers(HttpHeaders trailers) {
        if (done) {
            return;
        }
        requestEnded = true;
        if (!TrailerFields.edit(trailers)) {
            fail(ProxyError.BAD_REQUEST);
        } else if (call != null) {
            sendTrailersToBackend(call, trailers);
        } else {
            heldTrailers = trailers;
        }
    }

    @Override
    public void onWritable() {
        if (call != null && owedToBackend > 0 && stream.isWritable()) {
            int credit = owedToBackend;
            owedToBackend = 0;
            backendMoved();
            call.consumed(credit);
        }
    }

    @Override
    public void onAbort(ProxyError why) {
        if (done) {
            return;
        }
        boolean stillThere = why != ProxyError.CLIENT_GONE && why != ProxyError.CLIENT_STALLED;
        if (stillThere) {
            fail(why); // the stream may know better, and then sends nothing
            return;
        }
        if (!responseStarted) {
            status = why.status();
        }
        cancelUpstream();
        // A WebSocket has no end but that somebody closes.
        end(tunnel && why == ProxyError.CLIENT_GONE ? null : why);
    }

    private void hold(ByteBuf data) {
        if (!data.isReadable()) {
            data.release();
            return;
        }
        ArrayDeque<ByteBuf> queue = held;
        if (queue == null) {
            queue = new ArrayDeque<>(4);
            held = queue;
        }
        queue.add(data);
    }

    // ---- Towards the backend.

    private void sendToBackend(UpstreamCall to, ByteBuf data, boolean endOfStream) {
        bodySent = true;
        backendMoved();
        to.sendData(data, endOfStream);
        creditClient(to);
    }

    private void sendTrailersToBackend(UpstreamCall to, HttpHeaders trailers) {
        bodySent = true;
        backendMoved();
        if (head.contentLength() < 0) {
            to.sendTrailers(trailers);
        } else {
            // Announced lengths leave no room for trailers.
            to.sendData(Unpooled.EMPTY_BUFFER, true);
        }
    }

    private void sendHeld(UpstreamCall to) {
        ArrayDeque<ByteBuf> queue = held;
        held = null;
        boolean ended = requestEnded && heldTrailers == null;
        boolean endSent = false;
        while (queue != null && !queue.isEmpty() && call != null) {
            ByteBuf data = queue.poll();
            endSent = ended && queue.isEmpty();
            sendToBackend(to, data, endSent);
        }
        if (queue != null) {
            queue.forEach(ByteBuf::release); // what is left after a failure midway
        }
        if (call == null) {
            return;
        }
        HttpHeaders trailers = heldTrailers;
        if (trailers != null) {
            heldTrailers = null;
            sendTrailersToBackend(to, trailers);
        } else if (ended && !endSent) {
            sendToBackend(to, Unpooled.EMPTY_BUFFER, true);
        }
    }

    private void creditClient(UpstreamCall from) {
        if (call != null && owedToClient > 0 && from.isWritable()) {
            int credit = owedToClient;
            owedToClient = 0;
            clientMoved();
            stream.consumed(credit);
        }
    }

    // ---- The backend's side.

    /** One attempt at a backend. What a given-up attempt still says is not listened to. */
    private final class Attempt implements UpstreamCall.Listener {

        private boolean isStale() {
            return attempt != this;
        }

        @Override
        public void onConnected(UpstreamCall made) {
            if (isStale()) {
                made.cancel();
                return;
            }
            waiting = null;
            call = made;
            endpoint = made.endpoint();
            connected = nanoTime();
            connectNanos = connected - connectStarted;
            // A client that sent part of its body while we connected is not to blame for the pause.
            bothMoved();
            made.sendHead(
                    head.webSocket() ? "GET" : head.method(),
                    head.target().forwarded(),
                    head.headers(),
                    head.webSocket() ? 0 : head.endOfStream() ? 0 : head.contentLength(),
                    head.webSocket());
            boolean hasBody = !head.endOfStream() && head.contentLength() != 0 && !head.webSocket();
            if (hasBody && !isStale()) {
                sendHeld(made);
            }
        }

        @Override
        public void onInformational(int code, HttpHeaders headers) {
            if (isStale() || responseStarted) {
                return;
            }
            backendMoved();
            boolean unusable = code < 100 || code > 199 || code == 101;
            if (unusable
                    || ++informational > MAX_INFORMATIONAL
                    || !proxy.responseFields.edit(headers, false)) {
                fail(ProxyError.BAD_RESPONSE);
            } else if (code != 100 || head.expectsContinue()) {
                stream.sendInformational(code, headers);
            }
        }

        @Override
        public void onHead(int code, HttpHeaders headers, long contentLength, boolean endOfStream) {
            if (isStale()) {
                return;
            }
            answered();
            if (responseStarted
                    || code < 200
                    || code > 999
                    || !proxy.responseFields.edit(headers, contentLength < 0)) {
                fail(ProxyError.BAD_RESPONSE);
                return;
            }
            // RFC 9110 section 6.6.1: a recipient with a clock appends the Date that is missing.
            if (!headers.contains(HttpHeaderNames.DATE)) {
                headers.add(HttpHeaderNames.DATE, proxy.date.now());
            }
            proxy.responseFields.addHsts(headers, stream.connection());
            responseStarted = true;
            status = code;
            stream.sendHead(code, headers, contentLength, endOfStream);
            if (endOfStream) {
                responseEnded();
            }
        }

        @Override
        public void onWebSocket(HttpHeaders headers) {
            if (isStale()) {
                return;
            }
            answered();
            if (!head.webSocket()
                    || responseStarted
                    || !proxy.responseFields.edit(headers, false)) {
                fail(ProxyError.BAD_RESPONSE);
                return;
            }
            responseStarted = true;
            tunnel = true;
            requestEnded = false;
            status = keyIsOurs ? 200 : 101;
            if (keyIsOurs) {
                headers.remove(HttpHeaderNames.SEC_WEBSOCKET_ACCEPT);
            }
            stream.acceptWebSocket(headers);
            if (!done && call != null) {
                watch();
            }
        }

        @Override
        public void onData(ByteBuf data, boolean endOfStream) {
            if (isStale()) {
                data.release();
                return;
            }
            int size = data.readableBytes();
            bytesOut += size;
            backendMoved();
            owedToBackend += size;
            stream.sendData(data, endOfStream);
            if (done) {
                return;
            }
            if (endOfStream) {
                responseEnded();
            } else {
                Exchange.this.onWritable();
            }
        }

        @Override
        public void onTrailers(HttpHeaders trailers) {
            if (isStale()) {
                return;
            }
            if (!TrailerFields.edit(trailers)) {
                fail(ProxyError.BAD_RESPONSE);
                return;
            }
            stream.sendTrailers(trailers);
            responseEnded();
        }

        @Override
        public void onWritable() {
            if (!isStale() && call != null) {
                backendMoved();
                creditClient(call);
            }
        }

        @Override
        public void onFailure(ProxyError why, boolean retriable, @Nullable Endpoint failed) {
            if (isStale()) {
                return;
            }
            boolean wasConnected = call != null;
            attempt = null;
            call = null;
            waiting = null;
            if (failed != null) {
                endpoint = failed;
            }
            Upstream again = upstream;
            if (retriable
                    && again != null
                    && attempts < MAX_ATTEMPTS
                    && !responseStarted
                    && informational == 0
                    && !bodySent
                    && (!wasConnected || isIdempotent(head.method()))) {
                connect(again, failed);
            } else {
                fail(why);
            }
        }

        private void answered() {
            firstByteNanos = nanoTime() - connected;
            backendMoved();
        }
    }

    /** RFC 9110 section 9.2.2. */
    private static boolean isIdempotent(String method) {
        return switch (method) {
            case "GET", "HEAD", "PUT", "DELETE", "OPTIONS" -> true;
            default -> false;
        };
    }

    // ---- The end.

    private void responseEnded() {
        if (!requestEnded) {
            cancelUpstream(); // an early answer: nobody reads the rest of the request
        }
        end(null);
    }

    private void fail(ProxyError why) {
        if (done) {
            return;
        }
        cancelUpstream();
        if (responseStarted) {
            stream.abort(why);
        } else {
            responseStarted = true;
            status = why.status();
            proxy.errors.sendError(
                    stream, why, requestId, head.headers().getAll(HttpHeaderNames.ACCEPT));
        }
        end(why);
    }

    private void cancelUpstream() {
        attempt = null; // first: what cancelling sets off is not listened to
        UpstreamCall current = call;
        Runnable wait = waiting;
        call = null;
        waiting = null;
        if (current != null) {
            current.cancel();
        } else if (wait != null) {
            wait.run();
        }
    }

    private void end(@Nullable ProxyError why) {
        if (done) {
            return; // an abort that came of sending
        }
        done = true;
        error = why;
        endedAt = nanoTime();
        attempt = null;
        call = null;
        rest();
        ArrayDeque<ByteBuf> queue = held;
        if (queue != null) {
            held = null;
            queue.forEach(ByteBuf::release);
        }
        proxy.observer.ended(this);
    }

    // ---- Deadlines.

    @Override
    boolean isConnected() {
        return call != null;
    }

    @Override
    void onLate(ProxyError why) {
        fail(why);
    }

    @Override
    protected void giveUp() {
        if (done) {
            return;
        }
        try {
            cancelUpstream();
            stream.abort(ProxyError.INTERNAL);
        } finally {
            end(ProxyError.INTERNAL);
        }
    }

    private boolean exceedsBodyLimit(long bytes) {
        return proxy.requestBodyBytes > 0 && bytes > proxy.requestBodyBytes;
    }

    private long nanoTime() {
        return stream.eventLoop().ticker().nanoTime();
    }

    // ---- What is said of it at its end.

    @Override
    public ClientConnection connection() {
        return stream.connection();
    }

    @Override
    public long startedAtMillis() {
        return startedAtMillis;
    }

    @Override
    public long totalNanos() {
        return endedAt - startedAt;
    }

    @Override
    public long connectNanos() {
        return connectNanos;
    }

    @Override
    public long firstByteNanos() {
        return firstByteNanos;
    }

    @Override
    public String method() {
        return head.method();
    }

    @Override
    public String authority() {
        return head.authority().text();
    }

    @Override
    public String target() {
        return head.target().original();
    }

    @Override
    public int status() {
        return status;
    }

    @Override
    public @Nullable ProxyError error() {
        return error;
    }

    @Override
    public long bytesIn() {
        return bytesIn;
    }

    @Override
    public long bytesOut() {
        return bytesOut;
    }

    @Override
    public String requestId() {
        return requestId;
    }

    @Override
    public @Nullable String userAgent() {
        return head.headers().get(HttpHeaderNames.USER_AGENT);
    }

    @Override
    public @Nullable String referer() {
        return head.headers().get(HttpHeaderNames.REFERER);
    }

    @Override
    public @Nullable Route route() {
        return route;
    }

    @Override
    public @Nullable UpstreamKey upstream() {
        return upstreamKey;
    }

    @Override
    public @Nullable Endpoint endpoint() {
        return endpoint;
    }

    @Override
    public int attempts() {
        return attempts;
    }

    @Override
    public boolean webSocket() {
        return tunnel;
    }
}

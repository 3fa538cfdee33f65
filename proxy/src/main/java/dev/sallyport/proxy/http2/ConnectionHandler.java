package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.DeadlineWheel;
import dev.sallyport.proxy.http.DrainSignal;
import dev.sallyport.proxy.http.Exchanges;
import dev.sallyport.proxy.http.HttpServing;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.http.Refusal;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import java.io.IOException;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A client's HTTP/2 connection. Netty keeps the state of the protocol (streams, windows, HPACK);
 * this class turns its frames into calls of {@link RequestStream}, writes responses, flushes once
 * per turn of the event loop, and ends the connection: when it idles, when it is told to drain, and
 * when the client costs too much. Confined to the connection's event loop.
 *
 * <pre>
 *   bytes → FrameGuard (budgets, past streams) → Netty's decoder → here → RequestStream → exchange
 *   exchange → RequestStream → flow controller → FrameOutput (one buffer a turn) → bytes
 * </pre>
 */
final class ConnectionHandler extends Http2ConnectionHandler implements Http2FrameListener {

    /** Progress below this in half of the stalled-write timeout is none. Bytes. */
    static final int CRAWL = 1024;

    /** Looks of the stall watch in one stalled-write timeout. */
    private static final int LOOKS = 2;

    /** Unsent response data of all streams, above which a stream only replaces what it sent. */
    private static final int CONNECTION_QUEUE_BOUND = 1024 * 1024;

    /** Pieces of request bodies held for slow backends: each costs far more than its byte. */
    private static final int PIECES_BOUND = 8 * 1024;

    /** How long a client may take to say something after we have said all. */
    private static final Duration GOODBYE = Duration.ofSeconds(1);

    private static final Duration ERROR_GOODBYE = Duration.ofMillis(200);

    private static final long DRAIN_PING = 0x6472_6169_6e69_6e67L; // "draining"

    private enum State {
        /** Serving. */
        OPEN,
        /** GOAWAY with the highest identifier was sent: the last requests are on their way. */
        DRAINING,
        /** GOAWAY with the last stream was sent: streams end, then the connection. */
        LAST_STREAMS,
        /** All is said; the client closes, or we do soon. */
        CLOSING
    }

    private final ClientConnection client;
    private final Exchanges exchanges;
    private final ProxySettings settings;
    private final Http2Events events;
    private final DeadlineWheel wheel;
    private final FieldDecoder fieldDecoder;
    private final FrameGuard guard;
    private final PastStreams past;
    private final FrameOutput output;
    private final RequestReader requests;
    private final ResponseFields responseFields = new ResponseFields();
    private final Http2Connection.PropertyKey streamKey;
    private final Runnable flushTask = this::onFlushTask;

    private @Nullable ChannelHandlerContext context;
    private State state = State.OPEN;
    private long requestCount;
    private boolean noticed; // that the process will go down
    private ProxyError closeReason = ProxyError.CLIENT_GONE;

    private boolean reading;
    private boolean flushTaskDue;
    private boolean flushNeeded;
    private boolean flushing;
    private boolean flushAgain;

    private int queuedBytes;
    private int waitingStreams;
    private int piecesHeld;
    private boolean blockTimed;
    private boolean watching;
    private long sentAtLook;
    private int looksWithoutProgress;
    private long sentAtFarewell;
    private long readAtFarewell; // nanoseconds of the wheel

    private final Watch idle = new Watch(this::onIdle);
    private final Watch headerBlock = new Watch(() -> endNow(Http2Error.PROTOCOL_ERROR, null));
    private final Watch stallWatch = new Watch(this::lookForStalls);
    private final Watch farewell = new Watch(this::onFarewell);

    ConnectionHandler(
            Http2ConnectionDecoder decoder,
            Http2ConnectionEncoder encoder,
            Http2Settings initialSettings,
            ClientConnection client,
            HttpServing serving,
            Http2Events events,
            DeadlineWheel wheel,
            FieldDecoder fieldDecoder,
            FrameGuard guard,
            PastStreams past,
            FrameOutput output) {
        super(decoder, encoder, initialSettings, true, false);
        this.client = client;
        this.exchanges = serving.exchanges();
        this.settings = serving.settings();
        this.events = events;
        this.wheel = wheel;
        this.fieldDecoder = fieldDecoder;
        this.guard = guard;
        this.past = past;
        this.output = output;
        this.requests = new RequestReader(settings, client);
        this.streamKey = connection().newKey();
        decoder.frameListener(this);
        connection().addListener(new StreamEnds());
    }

    // ---- The pipeline ----

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = ctx;
        super.handlerAdded(ctx);
        if (ctx.channel().isActive()) {
            start(ctx);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) throws Exception {
        super.channelActive(ctx);
        start(ctx);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) throws Exception {
        reading = true;
        super.channelRead(ctx, msg);
        boolean open = fieldDecoder.blockOpen();
        if (open != blockTimed) {
            blockTimed = open;
            if (open) {
                wheel.set(headerBlock, settings.timeouts().header());
            } else {
                wheel.suspend(headerBlock);
            }
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        reading = false;
        discardSomeReadBytes();
        if (!ctx.channel().config().isAutoRead()) {
            ctx.read(); // what is held back is held back by windows
        }
        flushIfNeeded(ctx);
        ctx.fireChannelReadComplete();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) throws Exception {
        if (ctx.channel().isWritable()) {
            flushNeeded = true;
            flushIfNeeded(ctx);
        }
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        state = State.CLOSING;
        wheel.clear(idle);
        wheel.clear(headerBlock);
        wheel.clear(stallWatch);
        wheel.clear(farewell);
        super.channelInactive(ctx);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        if (event instanceof DrainSignal signal) {
            noticed = true;
            // A client that has not asked for anything would only come back.
            if (signal == DrainSignal.BEGIN || requestCount > 0) {
                drain();
            }
        }
        super.userEventTriggered(ctx, event);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Throwable reason = cause instanceof DecoderException ? cause.getCause() : cause;
        if (reason instanceof IOException) {
            var _ = ctx.close(); // the peer is gone, or breaks the rules of TLS
        } else {
            onError(ctx, false, cause);
        }
    }

    @Override
    public void flush(ChannelHandlerContext ctx) {
        if (flushing) {
            flushAgain = true;
            return;
        }
        flushing = true;
        try {
            do {
                flushAgain = false;
                flushNeeded = false;
                encoder().flowController().writePendingBytes();
                output.drain(ctx);
                ctx.flush();
            } while (flushAgain);
        } catch (Http2Exception e) {
            onError(ctx, true, e);
        } finally {
            flushing = false;
        }
        afterFlush(ctx);
    }

    @Override
    public void onError(ChannelHandlerContext ctx, boolean outbound, Throwable cause) {
        super.onError(ctx, outbound, cause);
        flushSoon();
    }

    @Override
    protected void onStreamError(
            ChannelHandlerContext ctx,
            boolean outbound,
            Throwable cause,
            Http2Exception.StreamException error) {
        if (outbound) {
            return; // what could not be sent, because the stream is no more
        }
        events.onStreamError(error.error());
        Http2Stream stream = connection().stream(error.streamId());
        if (stream == null) {
            past.wasReset(error.streamId());
            output.reset(ctx, error.streamId(), error.error().code());
        } else {
            closeReason = ProxyError.BAD_REQUEST;
            reset(stream, error.error());
            closeReason = ProxyError.CLIENT_GONE;
        }
        spendReset();
    }

    @Override
    protected void onConnectionError(
            ChannelHandlerContext ctx,
            boolean outbound,
            Throwable cause,
            @Nullable Http2Exception error) {
        Flood flood = guard.flood();
        if (error == null) {
            events.onBug(cause);
            endNow(Http2Error.INTERNAL_ERROR, null);
        } else if (flood == null && error.error() == Http2Error.ENHANCE_YOUR_CALM) {
            endNow(error.error(), Flood.HEADERS); // the frame reader's only reason
        } else {
            endNow(error.error(), flood);
        }
    }

    @Override
    public ChannelFuture resetStream(
            ChannelHandlerContext ctx, int streamId, long errorCode, ChannelPromise promise) {
        Http2Stream stream = connection().stream(streamId);
        if (stream != null) {
            reset(stream, Http2Error.valueOf(errorCode));
        }
        return promise.setSuccess();
    }

    // ---- Frames ----

    @Override
    public void onHeadersRead(
            ChannelHandlerContext ctx,
            int streamId,
            Http2Headers headers,
            int padding,
            boolean endOfStream)
            throws Http2Exception {
        RequestFields fields = (RequestFields) headers;
        Http2Stream stream = connection().stream(streamId);
        RequestStream known = stream.getProperty(streamKey);
        if (known != null) {
            onTrailers(stream, known, fields);
            return;
        }
        wheel.suspend(idle);
        if (connection().numActiveStreams() > settings.limits().concurrentStreams()) {
            guard.spendReset();
            reset(stream, Http2Error.REFUSED_STREAM);
            return;
        }
        switch (requests.read(fields, endOfStream)) {
            case Reading.Request(var head) -> {
                RequestStream request = RequestStream.of(this, stream, head);
                stream.setProperty(streamKey, request);
                request.opened(exchanges.open(request, head));
            }
            case Reading.Refused(var why) -> {
                boolean bodiless = "HEAD".contentEquals(textOf(fields.requestMethod()));
                RequestStream request =
                        new RequestStream(this, stream, bodiless, false, -1, endOfStream);
                stream.setProperty(streamKey, request);
                exchanges.refuse(
                        request,
                        new Refusal(
                                textOf(fields.requestMethod()),
                                textOf(fields.requestAuthority()),
                                textOf(fields.requestPath()),
                                fields.takeHeaders().getAll(HttpHeaderNames.ACCEPT),
                                why));
            }
            case Reading.Malformed _ -> streamError(stream, null);
        }
        if (++requestCount == settings.limits().requestsPerConnection() || noticed) {
            drain();
        }
    }

    @Override
    public void onHeadersRead(
            ChannelHandlerContext ctx,
            int streamId,
            Http2Headers headers,
            int streamDependency,
            short weight,
            boolean exclusive,
            int padding,
            boolean endOfStream)
            throws Http2Exception {
        onHeadersRead(ctx, streamId, headers, padding, endOfStream);
    }

    @Override
    public int onDataRead(
            ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean endOfStream)
            throws Http2Exception {
        RequestStream stream = connection().stream(streamId).getProperty(streamKey);
        stream.onData(data, endOfStream);
        if (piecesHeld > PIECES_BOUND) {
            throw guard.flooded(Flood.CONTROL_FRAMES);
        }
        return padding;
    }

    @Override
    public void onWindowUpdateRead(ChannelHandlerContext ctx, int streamId, int increment) {
        flushNeeded = true;
    }

    @Override
    public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings received) {
        flushNeeded = true;
    }

    @Override
    public void onSettingsAckRead(ChannelHandlerContext ctx) {
        // The decoder has just put our own bound in force, but it would forget refused streams and
        // take what follows on them for an error of the connection. See onHeadersRead.
        connection().remote().maxActiveStreams(Integer.MAX_VALUE);
    }

    @Override
    public void onPingAckRead(ChannelHandlerContext ctx, long data) {
        if (data == DRAIN_PING && state == State.DRAINING) {
            lastStreams();
        }
    }

    @Override
    public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long errorCode) {}

    @Override
    public void onPingRead(ChannelHandlerContext ctx, long data) {}

    @Override
    public void onPriorityRead(
            ChannelHandlerContext ctx,
            int streamId,
            int streamDependency,
            short weight,
            boolean exclusive) {}

    @Override
    public void onPushPromiseRead(
            ChannelHandlerContext ctx,
            int streamId,
            int promisedStreamId,
            Http2Headers headers,
            int padding) {}

    @Override
    public void onGoAwayRead(
            ChannelHandlerContext ctx, int lastStreamId, long errorCode, ByteBuf debugData) {}

    @Override
    public void onUnknownFrame(
            ChannelHandlerContext ctx,
            byte frameType,
            int streamId,
            Http2Flags flags,
            ByteBuf payload) {}

    // ---- For streams ----

    ClientConnection client() {
        return client;
    }

    EventLoop eventLoop() {
        return ctx().channel().eventLoop();
    }

    FrameOutput output() {
        return output;
    }

    void sendHead(
            Http2Stream stream,
            int status,
            HttpHeaders headers,
            long contentLength,
            boolean endOfStream) {
        sendFields(stream, responseFields.head(status, headers, contentLength), endOfStream);
    }

    void sendWebSocketHead(Http2Stream stream, HttpHeaders headers) {
        sendFields(stream, responseFields.webSocketHead(headers), false);
    }

    void sendTrailers(Http2Stream stream, HttpHeaders fields) {
        sendFields(stream, responseFields.trailers(fields), true);
    }

    void flowControlled(Http2Stream stream, RequestStream request) {
        encoder().flowController().addFlowControlled(stream, request);
        flushSoon();
    }

    /** Credit for request data. */
    void giveBack(Http2Stream stream, int bytes) {
        try {
            if (decoder().flowController().consumeBytes(stream, bytes)) {
                flushSoon();
            }
        } catch (Http2Exception e) {
            onError(ctx(), true, e);
        }
    }

    /** Resets a stream whose client broke the rules; tells {@code request}, if there is one. */
    void streamError(Http2Stream stream, @Nullable RequestStream request) {
        events.onStreamError(Http2Error.PROTOCOL_ERROR);
        if (request != null) {
            request.onClosed(ProxyError.BAD_REQUEST);
        }
        reset(stream, Http2Error.PROTOCOL_ERROR);
        spendReset();
    }

    /** Gives up on a stream for a reason of the exchange's. */
    void abort(Http2Stream stream, ProxyError why) {
        reset(stream, codeOf(why));
        if (why.side() == ProxyError.Side.DOWNSTREAM) {
            spendReset();
        }
    }

    void reset(Http2Stream stream, Http2Error error) {
        if (stream.state() == Http2Stream.State.CLOSED) {
            return;
        }
        past.wasReset(stream.id());
        output.reset(ctx(), stream.id(), error.code());
        stream.close();
        flushSoon();
    }

    void close(Http2Stream stream) {
        stream.close();
    }

    void endLocally(Http2Stream stream) {
        stream.closeLocalSide();
        watch();
    }

    boolean isSocketWritable() {
        return ctx().channel().isWritable();
    }

    boolean hasRoom() {
        return queuedBytes < CONNECTION_QUEUE_BOUND;
    }

    void queued(int bytes) {
        queuedBytes += bytes;
    }

    void unqueued(int bytes) {
        queuedBytes -= bytes;
    }

    void sentData(int bytes) {
        guard.sentData(bytes);
    }

    void oneMoreWaiting() {
        waitingStreams++;
    }

    void noLongerWaiting() {
        waitingStreams--;
    }

    void pieceHeld() {
        piecesHeld++;
    }

    void piecesGone(int pieces) {
        piecesHeld -= pieces;
    }

    // ---- Writing ----

    private void sendFields(Http2Stream stream, ResponseFields fields, boolean endOfStream) {
        try {
            output.headers(ctx(), stream.id(), fields, endOfStream);
        } catch (Http2Exception e) {
            onError(ctx(), true, e);
        } finally {
            fields.letGo();
        }
        flushSoon();
    }

    /** One flush for all that is written in this turn: at its end, or at the end of reading. */
    private void flushSoon() {
        flushNeeded = true;
        if (!reading && !flushing && !flushTaskDue) {
            flushTaskDue = true;
            ctx().executor().execute(flushTask);
        }
    }

    private void onFlushTask() {
        flushTaskDue = false;
        flushIfNeeded(ctx());
    }

    private void flushIfNeeded(ChannelHandlerContext ctx) {
        if (flushNeeded || output.unflushed()) {
            flush(ctx);
        }
    }

    private void afterFlush(ChannelHandlerContext ctx) {
        if (output.unflushed()) {
            flushSoon(); // an error on the way
        }
        if (waitingStreams > 0 && ctx.channel().isWritable()) {
            forEachStream((_, request) -> request.wakeIfWritable());
        }
        if (queuedBytes > 0 || !ctx.channel().isWritable()) {
            watch();
        }
    }

    // ---- Clients that do not read ----

    private void watch() {
        Duration timeout = settings.timeouts().stalledWrite();
        if (!watching && !timeout.isZero()) {
            watching = true;
            looksWithoutProgress = 0;
            sentAtLook = sentInAll();
            wheel.set(stallWatch, timeout.dividedBy(LOOKS));
        }
    }

    private void lookForStalls() {
        watching = false;
        Channel channel = ctx().channel();
        boolean blocked = !channel.isWritable() || window(connection().connectionStream()) <= 0;
        long sent = sentInAll();
        boolean crawls = sent - sentAtLook < Math.max(CRAWL, queuedBytes / 64);
        int looks = blocked && crawls ? looksWithoutProgress + 1 : 0;
        if (looks >= LOOKS) {
            endNow(Http2Error.ENHANCE_YOUR_CALM, Flood.STALLED);
            return;
        }
        boolean[] again = {blocked};
        closeReason = ProxyError.CLIENT_STALLED;
        forEachStream((stream, request) -> {
            if (request.isStalled(window(stream), LOOKS - 1)) {
                reset(stream, Http2Error.CANCEL);
                spendReset();
            } else {
                again[0] |= request.isWatched();
            }
        });
        closeReason = ProxyError.CLIENT_GONE;
        if (again[0] && state != State.CLOSING) {
            watch();
            looksWithoutProgress = looks;
        }
    }

    /** Bytes that left, but for what TLS adds. */
    private long sentInAll() {
        return output.handedOver() - unsentBytes();
    }

    private long unsentBytes() {
        ChannelOutboundBuffer unsent = ctx().channel().unsafe().outboundBuffer();
        return unsent == null ? 0 : unsent.totalPendingWriteBytes();
    }

    private int window(Http2Stream stream) {
        return encoder().flowController().windowSize(stream);
    }

    // ---- The end ----

    private void start(ChannelHandlerContext ctx) throws Http2Exception {
        int window = settings.limits().connectionWindow();
        int initial = decoder().flowController().windowSize(connection().connectionStream());
        if (window > initial) {
            decoder()
                    .flowController()
                    .incrementWindowSize(connection().connectionStream(), window - initial);
        }
        wheel.set(idle, settings.timeouts().header());
        flush(ctx);
    }

    private void onIdle() {
        if (connection().numActiveStreams() > 0 || state == State.CLOSING) {
            return;
        }
        lastStreams();
    }

    /** No new streams, in two steps, so that none is lost: RFC 9113 section 6.8. */
    private void drain() {
        if (state != State.OPEN) {
            return;
        }
        state = State.DRAINING;
        goAway(Integer.MAX_VALUE, Http2Error.NO_ERROR);
        output.ping(ctx(), false, DRAIN_PING);
        wheel.set(farewell, DrainSignal.GRACE);
        flushSoon();
    }

    private void lastStreams() {
        state = State.LAST_STREAMS;
        wheel.clear(farewell);
        goAway(connection().remote().lastStreamCreated(), Http2Error.NO_ERROR);
        flushSoon();
        closeIfDone();
    }

    private void closeIfDone() {
        if (state == State.LAST_STREAMS && connection().numActiveStreams() == 0) {
            state = State.CLOSING;
            sentAtFarewell = sentInAll();
            readAtFarewell = wheel.now();
            wheel.set(farewell, GOODBYE);
        }
    }

    private void onFarewell() {
        if (state == State.DRAINING) {
            lastStreams();
        } else if (unsentBytes() == 0) {
            var _ = ctx().close();
        } else if (!guard.isDeaf() && stillReads()) {
            wheel.set(farewell, GOODBYE);
        } else {
            cutOff(); // a client that does not read would not read a close_notify either
        }
    }

    /** Whether the client has read something of what was said last, not too long ago. */
    private boolean stillReads() {
        long sent = sentInAll();
        if (sent - sentAtFarewell >= CRAWL) {
            sentAtFarewell = sent;
            readAtFarewell = wheel.now();
        }
        long patience = settings.timeouts().stalledWrite().toNanos();
        return patience == 0 || wheel.now() - readAtFarewell < patience;
    }

    /** Closes at once, whatever the handlers before this one would still like to send. */
    private void cutOff() {
        Channel channel = ctx().channel();
        channel.unsafe().close(channel.voidPromise());
    }

    /** Ends the connection and all its streams for an error. */
    private void endNow(Http2Error error, @Nullable Flood flood) {
        if (guard.isDeaf()) {
            return;
        }
        if (flood == null) {
            events.onConnectionError(error);
        } else {
            events.onFlood(flood);
        }
        state = State.CLOSING;
        guard.stopListening();
        closeReason = flood == Flood.STALLED ? ProxyError.CLIENT_STALLED : ProxyError.CLIENT_GONE;
        goAway(connection().remote().lastStreamCreated(), error);
        forEachStream((stream, _) -> stream.close());
        wheel.set(farewell, ERROR_GOODBYE);
        flushSoon();
    }

    private void goAway(int lastStreamId, Http2Error error) {
        try {
            connection().goAwaySent(lastStreamId, error.code(), Unpooled.EMPTY_BUFFER);
        } catch (Http2Exception e) {
            throw new IllegalStateException("GOAWAY: last stream id raised", e);
        }
        output.goAway(ctx(), lastStreamId, error.code());
    }

    private void spendReset() {
        try {
            guard.spendReset();
        } catch (Http2Exception e) {
            onError(ctx(), true, e);
        }
    }

    private void onTrailers(Http2Stream stream, RequestStream request, RequestFields fields) {
        if (fields.malformed() || fields.hasPseudo()) {
            streamError(stream, request);
        } else if (fields.tooLarge()) {
            streamError(stream, request);
        } else {
            request.onTrailers(fields.takeHeaders());
        }
    }

    private void forEachStream(BiConsumer<Http2Stream, RequestStream> action) {
        try {
            connection()
                    .forEachActiveStream(stream -> {
                        RequestStream request = stream.getProperty(streamKey);
                        if (request != null) {
                            action.accept(stream, request);
                        }
                        return true;
                    });
        } catch (Http2Exception e) {
            throw new IllegalStateException("streams: visited in vain", e); // by no visitor of ours
        }
    }

    private static Http2Error codeOf(ProxyError why) {
        return switch (why.side()) {
            case DOWNSTREAM ->
                    why == ProxyError.BAD_REQUEST ? Http2Error.PROTOCOL_ERROR : Http2Error.CANCEL;
            case GATEWAY, UPSTREAM -> Http2Error.INTERNAL_ERROR;
        };
    }

    private static String textOf(@Nullable CharSequence field) {
        return field == null ? "" : field.toString();
    }

    private ChannelHandlerContext ctx() {
        ChannelHandlerContext present = context;
        if (present == null) {
            throw new IllegalStateException("handler: in no pipeline");
        }
        return present;
    }

    /** A deadline of the connection. */
    private final class Watch extends DeadlineWheel.Deadline {
        private final Runnable action;

        Watch(Runnable action) {
            this.action = action;
        }

        @Override
        protected void onDeadline() {
            action.run();
        }

        @Override
        protected void giveUp() {
            cutOff();
        }
    }

    /** Hears of streams that are no more, whatever ended them. */
    private final class StreamEnds extends Http2ConnectionAdapter {
        @Override
        public void onStreamClosed(Http2Stream stream) {
            RequestStream request = stream.getProperty(streamKey);
            if (request != null) {
                request.onClosed(closeReason);
            }
            if (connection().numActiveStreams() > 0) {
                return;
            }
            if (state == State.OPEN) {
                wheel.set(idle, settings.timeouts().keepAlive());
            } else {
                closeIfDone();
            }
        }
    }
}

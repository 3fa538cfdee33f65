package dev.sallyport.proxy.http2;

import static io.netty.handler.codec.http2.Http2Exception.connectionError;
import static io.netty.handler.codec.http2.Http2Exception.streamError;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.DeadlineWheel;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2FrameReader;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import org.jspecify.annotations.Nullable;

/**
 * Stands between Netty's frame reader and its decoder: counts what a client sends against its
 * budgets, and decides on frames for streams that are no more, of which Netty knows nothing.
 */
final class FrameGuard implements Http2FrameReader, Http2FrameListener {

    /** Data sent to the client earns it WINDOW_UPDATE and PING, one for each so many bytes. */
    private static final int BYTES_PER_CREDIT = 512;

    private static final int MAX_CREDIT = 16 * 1024;
    private static final int SETTINGS_PER_FRAME = 16;

    private final Http2FrameReader reader;
    private final Http2Connection connection;
    private final PastStreams past;
    private final DeadlineWheel wheel;
    private final Budget resets;
    private final Budget controlFrames;
    private Http2FrameListener target = this;
    private int credit;
    private boolean deaf;
    private @Nullable Flood flood;

    FrameGuard(
            Http2FrameReader reader,
            Http2Connection connection,
            PastStreams past,
            DeadlineWheel wheel,
            ProxySettings.Limits limits) {
        this.reader = reader;
        this.connection = connection;
        this.past = past;
        this.wheel = wheel;
        long now = wheel.now();
        this.resets = new Budget(limits.resetsPerHalfMinute(), now);
        this.controlFrames = new Budget(limits.controlFramesPerHalfMinute(), now);
    }

    /** What the budgets were exceeded by, if that is why an exception was thrown. */
    @Nullable Flood flood() {
        return flood;
    }

    /** From now on whatever the client sends is thrown away. */
    void stopListening() {
        deaf = true;
    }

    /** Whether {@link #stopListening} was called. */
    boolean isDeaf() {
        return deaf;
    }

    /** So many bytes of data went to the client. */
    void sentData(int bytes) {
        credit = Math.min(MAX_CREDIT, credit + 4 + bytes / BYTES_PER_CREDIT);
    }

    /** A stream was reset at the client's wish, or because of what it did. */
    void spendReset() throws Http2Exception {
        if (!resets.spend(1, wheel.now())) {
            throw flooded(Flood.RESETS);
        }
    }

    /** The exception that ends the connection for {@code kind}. */
    Http2Exception flooded(Flood kind) {
        flood = kind;
        return connectionError(Http2Error.ENHANCE_YOUR_CALM, "flood: %s", kind);
    }

    @Override
    public void readFrame(ChannelHandlerContext ctx, ByteBuf input, Http2FrameListener listener)
            throws Http2Exception {
        if (deaf) {
            input.skipBytes(input.readableBytes());
            return;
        }
        target = listener;
        reader.readFrame(ctx, input, this);
    }

    @Override
    public Configuration configuration() {
        return reader.configuration();
    }

    @Override
    public void close() {
        reader.close();
    }

    @Override
    public int onDataRead(
            ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean endOfStream)
            throws Http2Exception {
        if (deaf) {
            return data.readableBytes() + padding;
        }
        if (!data.isReadable() && !endOfStream) {
            spendControl(1);
        }
        if (connection.stream(streamId) == null && isOver(streamId)) {
            // Counts for the connection's window all the same, and is given back at once.
            connection
                    .local()
                    .flowController()
                    .receiveFlowControlledFrame(null, data, padding, endOfStream);
            return data.readableBytes() + padding;
        }
        return target.onDataRead(ctx, streamId, data, padding, endOfStream);
    }

    @Override
    public void onHeadersRead(
            ChannelHandlerContext ctx,
            int streamId,
            Http2Headers headers,
            int padding,
            boolean endOfStream)
            throws Http2Exception {
        if (admits(streamId, (RequestFields) headers)) {
            target.onHeadersRead(ctx, streamId, headers, padding, endOfStream);
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
        // Priorities of RFC 7540 are no more (RFC 9113 section 5.3.2).
        onHeadersRead(ctx, streamId, headers, padding, endOfStream);
    }

    @Override
    public void onPriorityRead(
            ChannelHandlerContext ctx,
            int streamId,
            int streamDependency,
            short weight,
            boolean exclusive)
            throws Http2Exception {
        spendControl(1);
    }

    @Override
    public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long errorCode)
            throws Http2Exception {
        if (connection.stream(streamId) != null) {
            spendReset();
        } else {
            spendControl(1);
        }
        if (!isAfterGoAway(streamId)) {
            target.onRstStreamRead(ctx, streamId, errorCode);
        }
    }

    @Override
    public void onSettingsAckRead(ChannelHandlerContext ctx) throws Http2Exception {
        spendControl(1);
        target.onSettingsAckRead(ctx);
    }

    @Override
    public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings)
            throws Http2Exception {
        spendControl(1 + settings.size() / SETTINGS_PER_FRAME);
        target.onSettingsRead(ctx, settings);
    }

    @Override
    public void onPingRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
        spendCreditOrControl();
        target.onPingRead(ctx, data);
    }

    @Override
    public void onPingAckRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
        spendControl(1);
        target.onPingAckRead(ctx, data);
    }

    @Override
    public void onPushPromiseRead(
            ChannelHandlerContext ctx,
            int streamId,
            int promisedStreamId,
            Http2Headers headers,
            int padding)
            throws Http2Exception {
        throw connectionError(Http2Error.PROTOCOL_ERROR, "PUSH_PROMISE: from a client");
    }

    @Override
    public void onGoAwayRead(
            ChannelHandlerContext ctx, int lastStreamId, long errorCode, ByteBuf debugData)
            throws Http2Exception {
        spendControl(1);
        target.onGoAwayRead(ctx, lastStreamId, errorCode, debugData);
    }

    @Override
    public void onWindowUpdateRead(ChannelHandlerContext ctx, int streamId, int windowSizeIncrement)
            throws Http2Exception {
        spendCreditOrControl();
        if (!isAfterGoAway(streamId)) {
            target.onWindowUpdateRead(ctx, streamId, windowSizeIncrement);
        }
    }

    @Override
    public void onUnknownFrame(
            ChannelHandlerContext ctx,
            byte frameType,
            int streamId,
            Http2Flags flags,
            ByteBuf payload)
            throws Http2Exception {
        spendControl(1);
    }

    private boolean admits(int streamId, RequestFields fields) throws Http2Exception {
        if (deaf) {
            return false;
        }
        if (fields.abusive()) {
            throw flooded(Flood.HEADERS);
        }
        Http2Connection.Endpoint<?> client = connection.remote();
        Http2Stream stream = connection.stream(streamId);
        if (stream != null) {
            if (stream.state() == Http2Stream.State.HALF_CLOSED_REMOTE) {
                throw streamError(streamId, Http2Error.STREAM_CLOSED, "HEADERS: half-closed");
            }
            return true;
        }
        if (!client.isValidStreamId(streamId)) {
            return true; // a connection error, which the decoder knows
        }
        int last = client.lastStreamCreated();
        if (streamId > last) {
            if (isAfterGoAway(streamId)) {
                return false;
            }
            past.opened(streamId, last);
            return true;
        }
        if (isOver(streamId)) {
            return false;
        }
        // RFC 9113 section 5.1.1 for an identifier that was skipped, section 5.1 for a closed one.
        throw connectionError(
                past.isSkipped(streamId) ? Http2Error.PROTOCOL_ERROR : Http2Error.STREAM_CLOSED,
                "HEADERS: stream %d",
                streamId);
    }

    /** Whether frames for a stream that does not exist are to be ignored. */
    private boolean isOver(int streamId) {
        return past.isReset(streamId) || isAfterGoAway(streamId);
    }

    /** Netty takes other frames than HEADERS and DATA for such a stream as a connection error. */
    private boolean isAfterGoAway(int streamId) {
        return connection.goAwaySent()
                && connection.remote().isValidStreamId(streamId)
                && streamId > connection.remote().lastStreamKnownByPeer();
    }

    private void spendCreditOrControl() throws Http2Exception {
        if (credit > 0) {
            credit--;
        } else {
            spendControl(1);
        }
    }

    private void spendControl(int cost) throws Http2Exception {
        if (!controlFrames.spend(cost, wheel.now())) {
            throw flooded(Flood.CONTROL_FRAMES);
        }
    }
}

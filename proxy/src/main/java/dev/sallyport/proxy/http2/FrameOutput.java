package dev.sallyport.proxy.http2;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameSizePolicy;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.handler.codec.http2.Http2FrameWriter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.util.AsciiString;
import io.netty.util.collection.CharObjectMap;
import org.jspecify.annotations.Nullable;

/**
 * Writes frames. Those of one turn of the event loop are gathered in one buffer, small bodies
 * included, so that the socket (or TLS) sees few large writes; {@link #drain} passes them on.
 * Promises are fulfilled as soon as the frame is gathered.
 */
final class FrameOutput
        implements Http2FrameWriter, Http2FrameWriter.Configuration, Http2FrameSizePolicy {

    /** From so many gathered bytes on they are passed on before the turn ends: one TLS record. */
    private static final int ENOUGH = 16 * 1024;

    /** Bodies up to this size are copied, larger ones passed on as they are. */
    private static final int COPIED = 2 * 1024;

    private static final int SMALLEST_BUFFER = 64;
    private static final int HEADER = Http2CodecUtil.FRAME_HEADER_LENGTH;

    private final DefaultHttp2HeadersEncoder fields =
            new DefaultHttp2HeadersEncoder((name, _) -> isSensitive(name), true);
    private int maxFrameSize = Http2CodecUtil.DEFAULT_MAX_FRAME_SIZE;
    private @Nullable ByteBuf gathered;
    private int expected = SMALLEST_BUFFER;
    private int inTurn;
    private boolean unflushed;
    private long handedOver;

    /** Whether anything was written since {@link #drain}. */
    boolean unflushed() {
        return unflushed;
    }

    /** Bytes passed on in all. */
    long handedOver() {
        return handedOver;
    }

    /** Passes on what was gathered. */
    void drain(ChannelHandlerContext ctx) {
        passOn(ctx);
        unflushed = false;
        // The next turn is likely like this one. Never much more than is written, though: a client
        // that does not read pays for buffers, not for bytes.
        expected = Math.clamp(inTurn, SMALLEST_BUFFER, ENOUGH + COPIED);
        inTurn = 0;
    }

    /** A HEADERS frame, and CONTINUATION where one is not enough. */
    void headers(ChannelHandlerContext ctx, int streamId, Http2Headers headers, boolean endOfStream)
            throws Http2Exception {
        ByteBuf out = room(ctx, HEADER);
        int start = out.writerIndex();
        out.writeZero(HEADER);
        try {
            fields.encodeHeaders(streamId, headers, out);
        } catch (Http2Exception e) {
            out.writerIndex(start);
            throw e;
        }
        int length = out.writerIndex() - start - HEADER;
        int end = endOfStream ? Http2Flags.END_STREAM : 0;
        if (length <= maxFrameSize) {
            setHeader(
                    out,
                    start,
                    length,
                    Http2FrameTypes.HEADERS,
                    end | Http2Flags.END_HEADERS,
                    streamId);
        } else {
            split(out, start, length, end, streamId);
        }
        gathered(ctx, out);
    }

    /** The frame header of DATA; {@link #payload} follows, {@code length} bytes in all. */
    void data(ChannelHandlerContext ctx, int streamId, int length, boolean endOfStream) {
        ByteBuf out = room(ctx, HEADER + Math.min(length, COPIED));
        putHeader(
                out,
                length,
                Http2FrameTypes.DATA,
                endOfStream ? Http2Flags.END_STREAM : 0,
                streamId);
        gathered(ctx, out);
    }

    /** A piece of a DATA frame's payload. Takes ownership. */
    void payload(ChannelHandlerContext ctx, ByteBuf piece) {
        int length = piece.readableBytes();
        if (length <= COPIED) {
            ByteBuf out = room(ctx, length);
            out.writeBytes(piece);
            piece.release();
            gathered(ctx, out);
            return;
        }
        passOn(ctx);
        handedOver += length;
        var _ = ctx.write(piece, ctx.voidPromise());
    }

    /** RST_STREAM. */
    void reset(ChannelHandlerContext ctx, int streamId, long errorCode) {
        ByteBuf out = room(ctx, HEADER + Integer.BYTES);
        putHeader(out, Integer.BYTES, Http2FrameTypes.RST_STREAM, 0, streamId);
        out.writeInt((int) errorCode);
        gathered(ctx, out);
    }

    /** PING. */
    void ping(ChannelHandlerContext ctx, boolean ack, long data) {
        ByteBuf out = room(ctx, HEADER + Long.BYTES);
        putHeader(out, Long.BYTES, Http2FrameTypes.PING, ack ? Http2Flags.ACK : 0, 0);
        out.writeLong(data);
        gathered(ctx, out);
    }

    /** GOAWAY, without debug data. */
    void goAway(ChannelHandlerContext ctx, int lastStreamId, long errorCode) {
        ByteBuf out = room(ctx, HEADER + 2 * Integer.BYTES);
        putHeader(out, 2 * Integer.BYTES, Http2FrameTypes.GO_AWAY, 0, 0);
        out.writeInt(lastStreamId);
        out.writeInt((int) errorCode);
        gathered(ctx, out);
    }

    @Override
    public ChannelFuture writeHeaders(
            ChannelHandlerContext ctx,
            int streamId,
            Http2Headers headers,
            int padding,
            boolean endStream,
            ChannelPromise promise) {
        try {
            headers(ctx, streamId, headers, endStream);
        } catch (Http2Exception e) {
            return promise.setFailure(e);
        }
        return done(promise);
    }

    @Override
    public ChannelFuture writeHeaders(
            ChannelHandlerContext ctx,
            int streamId,
            Http2Headers headers,
            int streamDependency,
            short weight,
            boolean exclusive,
            int padding,
            boolean endStream,
            ChannelPromise promise) {
        return writeHeaders(ctx, streamId, headers, padding, endStream, promise);
    }

    @Override
    public ChannelFuture writeData(
            ChannelHandlerContext ctx,
            int streamId,
            ByteBuf data,
            int padding,
            boolean endStream,
            ChannelPromise promise) {
        data(ctx, streamId, data.readableBytes(), endStream);
        payload(ctx, data);
        return done(promise);
    }

    @Override
    public ChannelFuture writeRstStream(
            ChannelHandlerContext ctx, int streamId, long errorCode, ChannelPromise promise) {
        reset(ctx, streamId, errorCode);
        return done(promise);
    }

    @Override
    public ChannelFuture writeSettings(
            ChannelHandlerContext ctx, Http2Settings settings, ChannelPromise promise) {
        int length = settings.size() * Http2CodecUtil.SETTING_ENTRY_LENGTH;
        ByteBuf out = room(ctx, HEADER + length);
        putHeader(out, length, Http2FrameTypes.SETTINGS, 0, 0);
        for (CharObjectMap.PrimitiveEntry<Long> setting : settings.entries()) {
            out.writeChar(setting.key());
            out.writeInt(setting.value().intValue());
        }
        gathered(ctx, out);
        return done(promise);
    }

    @Override
    public ChannelFuture writeSettingsAck(ChannelHandlerContext ctx, ChannelPromise promise) {
        ByteBuf out = room(ctx, HEADER);
        putHeader(out, 0, Http2FrameTypes.SETTINGS, Http2Flags.ACK, 0);
        gathered(ctx, out);
        return done(promise);
    }

    @Override
    public ChannelFuture writePing(
            ChannelHandlerContext ctx, boolean ack, long data, ChannelPromise promise) {
        ping(ctx, ack, data);
        return done(promise);
    }

    @Override
    public ChannelFuture writeGoAway(
            ChannelHandlerContext ctx,
            int lastStreamId,
            long errorCode,
            ByteBuf debugData,
            ChannelPromise promise) {
        debugData.release();
        goAway(ctx, lastStreamId, errorCode);
        return done(promise);
    }

    @Override
    public ChannelFuture writeWindowUpdate(
            ChannelHandlerContext ctx,
            int streamId,
            int windowSizeIncrement,
            ChannelPromise promise) {
        ByteBuf out = room(ctx, HEADER + Integer.BYTES);
        putHeader(out, Integer.BYTES, Http2FrameTypes.WINDOW_UPDATE, 0, streamId);
        out.writeInt(windowSizeIncrement);
        gathered(ctx, out);
        return done(promise);
    }

    @Override
    public ChannelFuture writePriority(
            ChannelHandlerContext ctx,
            int streamId,
            int streamDependency,
            short weight,
            boolean exclusive,
            ChannelPromise promise) {
        return neverSent(promise);
    }

    @Override
    public ChannelFuture writePushPromise(
            ChannelHandlerContext ctx,
            int streamId,
            int promisedStreamId,
            Http2Headers headers,
            int padding,
            ChannelPromise promise) {
        return neverSent(promise);
    }

    @Override
    public ChannelFuture writeFrame(
            ChannelHandlerContext ctx,
            byte frameType,
            int streamId,
            Http2Flags flags,
            ByteBuf payload,
            ChannelPromise promise) {
        payload.release();
        return neverSent(promise);
    }

    @Override
    public Configuration configuration() {
        return this;
    }

    @Override
    public Http2HeadersEncoder.Configuration headersConfiguration() {
        return fields.configuration();
    }

    @Override
    public Http2FrameSizePolicy frameSizePolicy() {
        return this;
    }

    @Override
    public void maxFrameSize(int max) throws Http2Exception {
        if (!Http2CodecUtil.isMaxFrameSizeValid(max)) {
            throw Http2Exception.connectionError(
                    Http2Error.PROTOCOL_ERROR, "SETTINGS_MAX_FRAME_SIZE: %d", max);
        }
        maxFrameSize = max;
    }

    @Override
    public int maxFrameSize() {
        return maxFrameSize;
    }

    @Override
    public void close() {
        fields.close();
        ByteBuf buffer = gathered;
        if (buffer != null) {
            gathered = null;
            buffer.release();
        }
    }

    /** Values that must not be guessed by watching how well they compress, RFC 7541 section 7.1. */
    static boolean isSensitive(CharSequence name) {
        return name.length() == 10 && AsciiString.contentEquals(name, "set-cookie");
    }

    private ByteBuf room(ChannelHandlerContext ctx, int bytes) {
        ByteBuf buffer = gathered;
        if (buffer == null) {
            buffer = ctx.alloc().directBuffer(Math.max(expected, bytes));
            gathered = buffer;
        }
        return buffer;
    }

    private void gathered(ChannelHandlerContext ctx, ByteBuf buffer) {
        unflushed = true;
        if (buffer.readableBytes() >= ENOUGH) {
            expected = ENOUGH + COPIED;
            passOn(ctx);
        }
    }

    private void passOn(ChannelHandlerContext ctx) {
        ByteBuf buffer = gathered;
        if (buffer != null) {
            gathered = null;
            inTurn += buffer.readableBytes();
            handedOver += buffer.readableBytes();
            var _ = ctx.write(buffer, ctx.voidPromise());
        }
    }

    private void split(ByteBuf out, int start, int length, int end, int streamId) {
        byte[] block = new byte[length];
        out.getBytes(start + HEADER, block);
        out.writerIndex(start);
        int written = 0;
        while (written < length) {
            int piece = Math.min(maxFrameSize, length - written);
            boolean last = written + piece == length;
            byte type = written == 0 ? Http2FrameTypes.HEADERS : Http2FrameTypes.CONTINUATION;
            int flags = (written == 0 ? end : 0) | (last ? Http2Flags.END_HEADERS : 0);
            putHeader(out, piece, type, flags, streamId);
            out.writeBytes(block, written, piece);
            written += piece;
        }
    }

    private static void putHeader(ByteBuf out, int length, byte type, int flags, int streamId) {
        out.writeMedium(length);
        out.writeByte(type);
        out.writeByte(flags);
        out.writeInt(streamId);
    }

    private static void setHeader(
            ByteBuf out, int at, int length, byte type, int flags, int streamId) {
        out.setMedium(at, length);
        out.setByte(at + 3, type);
        out.setByte(at + 4, flags);
        out.setInt(at + 5, streamId);
    }

    private static ChannelFuture done(ChannelPromise promise) {
        promise.trySuccess();
        return promise;
    }

    private static ChannelFuture neverSent(ChannelPromise promise) {
        return promise.setFailure(
                new UnsupportedOperationException("frame: never sent by a server"));
    }
}

package dev.sallyport.proxy.upstream;

import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.InFlight;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.metric.Bugs;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to a backend, which serves one call after the other. Confined to its event loop.
 *
 * <p>It goes back to its pool only when request and response were both framed to their end, nothing
 * is left over, and the backend did not announce to close. In every other case it is closed: what a
 * broken message leaves behind would be read as the answer to somebody else's request.
 */
final class UpstreamConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(UpstreamConnection.class);

    /** Copying so many bytes is cheaper than sending them as a buffer of their own. */
    private static final int COPIED = 1024;

    /** After so many hand-overs to those who wait here, another loop gets its turn. */
    private static final int IN_A_ROW = 16;

    private final EndpointPool pool;
    private final Channel channel;
    private final ResponseParser parser;
    private final int creditHigh;
    private final Runnable flush = this::flushNow;
    private final InFlight unconsumed = new InFlight(); // of the call
    private @Nullable Call call;
    private @Nullable ByteBuf unparsed; // an incomplete head or chunk header
    private boolean holdsPermit = true;
    private boolean served;
    private boolean outputBroken;
    private boolean flushScheduled;
    private int handOvers;
    private long idleSince;

    UpstreamConnection(EndpointPool pool, Channel channel) {
        this.pool = pool;
        this.channel = channel;
        ProxySettings.Limits limits = pool.loop().limits();
        this.parser = new ResponseParser(limits.headerBytes(), limits.headerCount());
        this.creditHigh = limits.writeBuffer();
    }

    /** Begins a call for {@code attempt}. */
    void handOver(Attempt attempt) {
        pool.began();
        if (served) {
            pool.loop().metrics().upstreamReused();
        }
        unconsumed.clear();
        var begun = new Call(attempt.listener());
        call = begun;
        attempt.connected(begun);
    }

    /** New, and nobody wants it any more. */
    void offer() {
        idleSince = pool.loop().nanoTime();
        pool.offer(this);
    }

    long idleSince() {
        return idleSince;
    }

    /** Whether it is time that somebody else's loop gets the permit. Counts. */
    boolean tooManyInARow() {
        return ++handOvers > IN_A_ROW;
    }

    /** Closes; the permit is the caller's from now on. */
    void surrenderPermit() {
        holdsPermit = false;
        close();
    }

    /** Closes what could have been kept. */
    void discard() {
        pool.loop().metrics().upstreamDiscarded();
        close();
    }

    void close() {
        var _ = channel.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        Call current = call;
        if (current == null) {
            // Nobody asked: whatever it is must not meet the next request.
            in.release();
            pool.lost(this);
            close();
        } else if (current.tunnel) {
            current.deliver(in, false);
        } else {
            ByteBuf before = unparsed;
            unparsed = null;
            parse(
                    before == null
                            ? in
                            : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(
                                    ctx.alloc(), before, in));
        }
    }

    /**
     * Owns {@code in}. The call may end at any event: by itself, or because the listener ends it.
     */
    private void parse(ByteBuf in) {
        boolean more = true;
        try {
            while (more) {
                Call current = call;
                more = current != null && event(current, parser.next(in), in);
            }
            if (call != null && in.isReadable() && channel.isActive()) {
                unparsed = in;
                in = Unpooled.EMPTY_BUFFER;
            }
        } finally {
            in.release();
        }
    }

    /** Returns whether there may be another event in the input. */
    private boolean event(Call current, ResponseParser.Event event, ByteBuf in) {
        UpstreamCall.Listener listener = current.listener;
        switch (event) {
            case NEED_MORE -> {
                current.answered |= in.isReadable();
                return false;
            }
            case INFORMATIONAL -> {
                current.answered = true;
                int status = parser.status();
                if (status <= 103) {
                    listener.onInformational(status, parser.headers());
                }
            }
            case HEAD -> {
                current.answered = true;
                current.headSeen = true;
                current.early = !current.requestEnded;
                current.responseEnded = parser.ended();
                listener.onHead(
                        parser.status(), parser.headers(), parser.contentLength(), parser.ended());
            }
            case DATA -> {
                current.responseEnded = parser.ended();
                current.deliver(parser.takeData(), parser.ended());
            }
            case TRAILERS -> {
                current.responseEnded = true;
                listener.onTrailers(parser.headers());
            }
            case SWITCHED -> {
                switchProtocol(current, in);
                return false;
            }
            case BAD -> {
                LOG.atDebug()
                        .addKeyValue("endpoint", pool.endpoint())
                        .addKeyValue("problem", parser.problem())
                        .log("bad response");
                pool.loop().metrics().upstreamBadResponse();
                fail(
                        current,
                        current.headSeen ? ProxyError.RESPONSE_TRUNCATED : ProxyError.BAD_RESPONSE);
                return false;
            }
        }
        if (call == current && current.responseEnded) {
            responseEnded(current, in.isReadable());
            return false;
        }
        return true;
    }

    private void switchProtocol(Call current, ByteBuf in) {
        current.answered = true;
        current.headSeen = true;
        if (!WebSocketKey.accepts(current.webSocketKey, parser.headers())) {
            pool.loop().metrics().upstreamBadResponse();
            fail(current, ProxyError.BAD_RESPONSE);
            return;
        }
        current.tunnel = true;
        current.listener.onWebSocket(parser.headers());
        if (call == current && in.isReadable()) {
            current.deliver(in.readRetainedSlice(in.readableBytes()), false);
        }
    }

    private void responseEnded(Call current, boolean leftOver) {
        finish(current);
        // Who answers early may not have read the request to its end, and could take the rest of it
        // for another request.
        if (leftOver || !parser.persistent() || current.early || outputBroken || unsent()) {
            discard();
        } else {
            recycle();
        }
    }

    private boolean unsent() {
        ChannelOutboundBuffer queue = channel.unsafe().outboundBuffer();
        return queue == null || queue.totalPendingWriteBytes() > 0;
    }

    private void recycle() {
        served = true;
        if (!channel.config().isAutoRead()) {
            channel.config().setAutoRead(true);
        }
        idleSince = pool.loop().nanoTime();
        pool.offer(this);
    }

    /** The call is over; what it is told or tells from now on has no effect. */
    private void finish(Call ended) {
        call = null;
        ended.over = true;
        pool.ended();
    }

    private void fail(Call failed, ProxyError why) {
        boolean retriable = why == ProxyError.UPSTREAM_RESET && served && !failed.answered;
        finish(failed);
        close();
        failed.listener.onFailure(why, retriable, pool.endpoint());
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        ByteBuf rest = unparsed;
        unparsed = null;
        if (rest != null) {
            rest.release();
        }
        pool.loop().metrics().upstreamClosed();
        Call current = call;
        if (current == null) {
            pool.lost(this);
        } else {
            lost(current);
        }
        if (holdsPermit) {
            holdsPermit = false;
            pool.released();
        }
    }

    private void lost(Call current) {
        if (current.tunnel) {
            finish(current);
            current.listener.onData(Unpooled.EMPTY_BUFFER, true);
        } else if (current.headSeen && parser.endsWithConnection() && !current.reset) {
            finish(current);
            current.listener.onData(Unpooled.EMPTY_BUFFER, true);
        } else {
            fail(
                    current,
                    current.headSeen ? ProxyError.RESPONSE_TRUNCATED : ProxyError.UPSTREAM_RESET);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        Call current = call;
        if (current != null && current.isWritable()) {
            current.listener.onWritable();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Call current = call;
        if (cause instanceof IOException) {
            // A read error closes by itself. After a write error the answer may still be there to
            // be read: a backend that refuses a large body answers and closes.
            if (current != null) {
                current.reset = true;
                if (!outputBroken) {
                    outputBroken = true;
                    current.listener.onWritable();
                }
            }
            return;
        }
        new Bugs(pool.loop().metrics()).accept(cause);
        if (current != null) {
            fail(current, ProxyError.INTERNAL);
        }
        close();
    }

    private void write(ByteBuf buffer) {
        var _ = channel.write(buffer, channel.voidPromise());
    }

    /** One flush for all that is written in this turn of the loop. */
    private void flushLater() {
        if (!flushScheduled) {
            flushScheduled = true;
            channel.eventLoop().execute(flush);
        }
    }

    private void flushNow() {
        flushScheduled = false;
        channel.flush();
    }

    /** One request on this connection. */
    private final class Call implements UpstreamCall {
        private final Listener listener;
        private final boolean reused = served;
        private boolean over;
        private boolean headSent;
        private boolean chunked;
        private boolean requestEnded;
        private boolean answered; // at least a byte
        private boolean headSeen;
        private boolean early; // answered before the request was sent to its end
        private boolean responseEnded;
        private boolean tunnel;
        private boolean reset;
        private long toSend;
        private String webSocketKey = "";

        Call(Listener listener) {
            this.listener = listener;
        }

        @Override
        public void sendHead(
                String method,
                String target,
                HttpHeaders headers,
                long contentLength,
                boolean webSocket) {
            if (over) {
                return;
            }
            if (webSocket) {
                webSocketKey = WebSocketKey.ensure(headers);
            }
            ByteBuf head =
                    pool.loop()
                            .encoder()
                            .encode(
                                    channel.alloc(),
                                    method,
                                    target,
                                    headers,
                                    contentLength,
                                    webSocket);
            if (head == null) {
                finish(this);
                recycleUntouched();
                listener.onFailure(ProxyError.BAD_REQUEST, false, pool.endpoint());
                return;
            }
            headSent = true;
            chunked = !webSocket && contentLength < 0;
            toSend = webSocket ? 0 : contentLength;
            requestEnded = webSocket || contentLength == 0;
            parser.expect(method.equals("HEAD"), webSocket);
            write(head);
            if (requestEnded) {
                flushNow();
            } else {
                flushLater();
            }
        }

        @Override
        public void sendData(ByteBuf data, boolean endOfStream) {
            int length = data.readableBytes();
            if (over || (requestEnded && !tunnel)) {
                data.release();
                return;
            }
            if (tunnel) {
                sendOpaque(data, endOfStream);
                return;
            }
            if (!chunked && (length > toSend || (endOfStream && length < toSend))) {
                // The announced length is a promise to the backend: it would wait, or read what
                // follows as another request.
                data.release();
                fail(this, ProxyError.BAD_REQUEST);
                return;
            }
            toSend -= length;
            requestEnded = endOfStream || (!chunked && toSend == 0);
            if (outputBroken) {
                data.release();
            } else if (chunked) {
                writeChunk(data, length, endOfStream);
            } else if (length > 0) {
                write(data);
            } else {
                data.release();
            }
            afterSend();
        }

        private void sendOpaque(ByteBuf data, boolean endOfStream) {
            if (outputBroken || !data.isReadable()) {
                data.release();
            } else {
                write(data);
                flushLater();
            }
            if (endOfStream) {
                // After what is still queued: shutting down at once would drop it.
                channel.writeAndFlush(Unpooled.EMPTY_BUFFER)
                        .addListener(_ -> {
                            if (channel instanceof DuplexChannel duplex) {
                                var _ = duplex.shutdownOutput();
                            }
                        });
            }
        }

        private void writeChunk(ByteBuf data, int length, boolean last) {
            if (length == 0) {
                data.release();
                if (last) {
                    write(channel.alloc().ioBuffer(8).writeByte('0').writeInt(0x0d0a0d0a));
                }
                return;
            }
            if (length <= COPIED) {
                ByteBuf chunk = channel.alloc().ioBuffer(length + 16);
                chunkHeader(chunk, length);
                chunk.writeBytes(data, data.readerIndex(), length);
                data.release();
                chunk.writeShort(0x0d0a);
                if (last) {
                    chunk.writeByte('0').writeInt(0x0d0a0d0a);
                }
                write(chunk);
            } else {
                ByteBuf header = channel.alloc().ioBuffer(16);
                chunkHeader(header, length);
                write(header);
                write(data);
                ByteBuf end = channel.alloc().ioBuffer(8).writeShort(0x0d0a);
                write(last ? end.writeByte('0').writeInt(0x0d0a0d0a) : end);
            }
        }

        private static void chunkHeader(ByteBuf to, int length) {
            ByteBufUtil.writeAscii(to, Integer.toHexString(length));
            to.writeShort(0x0d0a);
        }

        @Override
        public void sendTrailers(HttpHeaders trailers) {
            if (over || requestEnded) {
                return;
            }
            if (!chunked || outputBroken) {
                // A body of known length has no room for them.
                sendData(Unpooled.EMPTY_BUFFER, true);
                return;
            }
            ByteBuf encoded = pool.loop().encoder().encodeTrailers(channel.alloc(), trailers);
            if (encoded == null) {
                fail(this, ProxyError.BAD_REQUEST);
                return;
            }
            requestEnded = true;
            write(encoded);
            afterSend();
        }

        private void afterSend() {
            if (requestEnded) {
                flushNow();
            } else {
                flushLater();
            }
        }

        @Override
        public boolean isWritable() {
            return over || outputBroken || channel.isWritable();
        }

        @Override
        public void consumed(int bytes) {
            if (over) {
                return; // the credit of the next call is not meant
            }
            unconsumed.taken(bytes);
            if (!unconsumed.reaches(creditHigh / 2) && !channel.config().isAutoRead()) {
                channel.config().setAutoRead(true);
            }
        }

        @Override
        public void cancel() {
            if (over) {
                return;
            }
            finish(this);
            if (headSent) {
                close();
            } else {
                recycleUntouched();
            }
        }

        @Override
        public Endpoint endpoint() {
            return pool.endpoint();
        }

        @Override
        public boolean reused() {
            return reused;
        }

        private void deliver(ByteBuf data, boolean end) {
            unconsumed.add(data.readableBytes());
            if (unconsumed.reaches(creditHigh) && channel.config().isAutoRead()) {
                channel.config().setAutoRead(false);
            }
            listener.onData(data, end);
        }

        private void recycleUntouched() {
            idleSince = pool.loop().nanoTime();
            pool.offer(UpstreamConnection.this);
        }
    }
}

package dev.sallyport.proxy.http;

import dev.sallyport.proxy.ProxySettings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The last handler of a client connection that speaks HTTP/1.1: reads requests one after the other,
 * opens an exchange for each, and writes its response with a framing of its own.
 *
 * <p>While an exchange is in progress no further request is looked at, and once bytes of one have
 * come nothing more is read from the socket. A body is read as fast as the exchange gives credit.
 * What is written within one turn of the event loop is gathered and flushed once.
 *
 * <p>A client that closes its sending side is taken to be gone.
 *
 * <p>Confined to its event loop.
 */
public final class Http1Connection extends ChannelInboundHandlerAdapter {
    /** Pieces up to this size are copied together: one buffer, one TLS record, one write. */
    private static final int COPIED = 4 * 1024;

    private static final int GATHERED = 16 * 1024;

    /** How much of a body that nobody wants is read to save the connection. */
    private static final int DRAINED = 64 * 1024;

    /** How long a closed connection waits for the client to have read what was said last. */
    private static final Duration LINGER = Duration.ofSeconds(2);

    private static final int LINGERED = 1024 * 1024;

    private static final int MAX_CHUNK_LINE = 256;
    private static final int MAX_CHUNK_EXTENSIONS = 8 * 1024;

    private final ClientConnection connection;
    private final ProxySettings.Limits limits;
    private final ProxySettings.Timeouts timeouts;
    private final Exchanges exchanges;
    private final DeadlineWheel wheel;
    private final Channel channel;
    private final Http1RequestParser parser;
    private final IdleWatch idle = new IdleWatch();
    private final StallWatch stall = new StallWatch();
    private final Runnable flushTask = this::flush;

    private State state = State.HEAD;
    private @Nullable ByteBuf in; // bytes that are not dealt with yet
    private @Nullable ByteBuf out; // bytes of this turn that are not written yet
    private @Nullable Stream stream; // of the exchange in progress
    private boolean processing;
    private boolean reading; // between channelRead and channelReadComplete
    private boolean unflushed;
    private boolean flushScheduled;
    private @Nullable DrainSignal drain;
    private boolean headBegun;
    private long requests;

    // The request body.
    private long left; // of the fixed length, or of the chunk
    private int chunkExtensions;
    private int inFlight; // handed to the exchange, not credited
    private int unwanted; // read and dropped after an early response

    /** What the next byte from the client is. */
    private enum State {
        /** Of a request head. */
        HEAD,
        /** Of a body with a length. */
        FIXED,
        /** Of the line before a chunk. */
        CHUNK_SIZE,
        /** Of a chunk. */
        CHUNK,
        /** Of the CRLF after a chunk. */
        CHUNK_END,
        /** Of the trailer section. */
        TRAILERS,
        /** Of the next request, which has to wait. */
        WAITING,
        /** Of a WebSocket. */
        TUNNEL,
        /** Of no interest any more. */
        CLOSING
    }

    private Http1Connection(Channel channel, ClientConnection connection, HttpServing serving) {
        this.channel = channel;
        this.connection = connection;
        this.limits = serving.settings().limits();
        this.timeouts = serving.settings().timeouts();
        this.exchanges = serving.exchanges();
        this.wheel = serving.deadlines().of(channel.eventLoop());
        this.parser = new Http1RequestParser(serving.settings());
    }

    /**
     * Makes {@code pipeline} speak HTTP/1.1 from the next byte on. To be called on its event loop,
     * once the protocol is known; bytes that were read already are fired as usual afterwards.
     */
    public static void install(
            ChannelPipeline pipeline, ClientConnection connection, HttpServing serving) {
        Channel channel = pipeline.channel();
        int high = serving.settings().limits().writeBuffer();
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(high / 2, high));
        pipeline.addLast("http1", new Http1Connection(channel, connection, serving));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        wheel.set(idle, timeouts.header());
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        forget();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        reading = true;
        ByteBuf data = (ByteBuf) message;
        if (state == State.CLOSING) {
            unwanted += data.readableBytes();
            data.release();
            if (unwanted > LINGERED) {
                var _ = channel.close();
            }
            return;
        }
        ByteBuf before = in;
        in =
                before == null
                        ? data
                        : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(
                                channel.alloc(), before, data);
        process();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        reading = false;
        flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (channel.isWritable()) {
            wheel.suspend(stall);
            Stream current = stream;
            if (current != null && !current.responseDone) {
                current.writable();
            }
        } else {
            stall.arm();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof DrainSignal signal) {
            beginDrain(signal);
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        gone(ProxyError.CLIENT_GONE);
        ctx.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        boolean ofTheNetwork =
                cause instanceof IOException || cause.getCause() instanceof IOException;
        gone(ofTheNetwork ? ProxyError.CLIENT_GONE : ProxyError.INTERNAL);
        var _ = channel.close();
        if (!ofTheNetwork) {
            ctx.fireExceptionCaught(cause); // who comes last counts and tells
        }
    }

    // ---- Reading.

    private void process() {
        if (processing) {
            return; // the loop below goes on
        }
        processing = true;
        try {
            while (in != null && in.isReadable() && step(in)) {
                // each step deals with some bytes
            }
        } finally {
            processing = false;
        }
        if (in != null && !in.isReadable()) {
            in.release();
            in = null;
        }
        adjustReading();
    }

    /** Deals with the next bytes; false where it needs more of them, or has to wait. */
    private boolean step(ByteBuf bytes) {
        return switch (state) {
            case HEAD -> readHead(bytes);
            case FIXED -> !isBlocked() && readFixed(bytes);
            case CHUNK_SIZE -> readChunkSize(bytes);
            case CHUNK -> !isBlocked() && readChunk(bytes);
            case CHUNK_END -> readChunkEnd(bytes);
            case TRAILERS -> readTrailers(bytes);
            case TUNNEL -> !isBlocked() && readTunnel(bytes);
            case WAITING -> false;
            case CLOSING -> {
                bytes.skipBytes(bytes.readableBytes());
                yield false;
            }
        };
    }

    private boolean readHead(ByteBuf bytes) {
        return switch (parser.read(bytes)) {
            case HEAD -> {
                open();
                yield true;
            }
            case INCOMPLETE -> {
                if (!headBegun) {
                    headBegun = true;
                    wheel.set(idle, timeouts.header());
                }
                yield false;
            }
            case REFUSED -> {
                refuse(parser.error());
                yield false;
            }
        };
    }

    private void open() {
        wheel.suspend(idle);
        headBegun = false;
        requests++;
        inFlight = 0;
        unwanted = 0;
        chunkExtensions = 0;
        RequestHead head = parser.head(connection.scheme());
        Stream opened = new Stream(head.method().equals("HEAD"), parser.http10());
        opened.requestDone = head.endOfStream() || head.webSocket();
        opened.upgrading = head.webSocket();
        opened.awaitsContinue = head.expectsContinue();
        opened.closeAfter =
                parser.close()
                        || parser.http10()
                        || (limits.requestsPerConnection() > 0
                                && requests >= limits.requestsPerConnection());
        stream = opened;
        if (head.endOfStream() || head.webSocket()) {
            state = State.WAITING;
        } else if (head.contentLength() < 0) {
            state = State.CHUNK_SIZE;
        } else {
            state = State.FIXED;
            left = head.contentLength();
        }
        opened.input = exchanges.open(opened, head);
        if (stream != opened && !opened.responseDone) {
            opened.input.onAbort(ProxyError.CLIENT_GONE); // closed under our hands
        }
    }

    /** Answers what is no request, or none that can be served, and closes. */
    private void refuse(@Nullable ProxyError why) {
        wheel.suspend(idle);
        Stream refused = new Stream(parser.method().equals("HEAD"), false);
        refused.closeAfter = true;
        stream = refused;
        state = State.CLOSING;
        exchanges.refuse(
                refused,
                parser.method(),
                parser.hostText(),
                parser.targetText(),
                why == null ? ProxyError.BAD_REQUEST : why);
    }

    private boolean readFixed(ByteBuf bytes) {
        int size = (int) Math.min(left, bytes.readableBytes());
        left -= size;
        deliver(take(bytes, size), left == 0);
        return true;
    }

    private boolean readChunkSize(ByteBuf bytes) {
        int start = bytes.readerIndex();
        int limit = Math.min(bytes.writerIndex(), start + MAX_CHUNK_LINE);
        int end = bytes.indexOf(start, limit, (byte) '\n');
        if (end < 0) {
            return bytes.readableBytes() >= MAX_CHUNK_LINE
                    ? breakOff(ProxyError.BAD_REQUEST)
                    : false;
        }
        long size = ChunkLine.parse(bytes, start, end);
        int digits = ChunkLine.digits(bytes, start, end);
        chunkExtensions += end - 1 - start - digits;
        if (size < 0 || chunkExtensions > MAX_CHUNK_EXTENSIONS) {
            return breakOff(ProxyError.BAD_REQUEST);
        }
        bytes.readerIndex(end + 1);
        left = size;
        state = size == 0 ? State.TRAILERS : State.CHUNK;
        return true;
    }

    private boolean readChunk(ByteBuf bytes) {
        int size = (int) Math.min(left, bytes.readableBytes());
        left -= size;
        if (left == 0) {
            state = State.CHUNK_END;
        }
        deliver(take(bytes, size), false);
        return true;
    }

    private boolean readChunkEnd(ByteBuf bytes) {
        if (bytes.getByte(bytes.readerIndex()) != '\r') {
            return breakOff(ProxyError.BAD_REQUEST);
        }
        if (bytes.readableBytes() < 2) {
            return false;
        }
        if (bytes.getByte(bytes.readerIndex() + 1) != '\n') {
            return breakOff(ProxyError.BAD_REQUEST);
        }
        bytes.skipBytes(2);
        state = State.CHUNK_SIZE;
        return true;
    }

    private boolean readTrailers(ByteBuf bytes) {
        HttpHeaders trailers = parser.readTrailers(bytes);
        if (trailers == null) {
            ProxyError error = parser.error();
            return error != null && breakOff(error);
        }
        Stream current = stream;
        if (trailers.isEmpty() || current == null || current.responseDone) {
            deliver(Unpooled.EMPTY_BUFFER, true);
        } else {
            current.requestDone = true;
            state = State.WAITING;
            current.input().onTrailers(trailers);
        }
        return true;
    }

    private boolean readTunnel(ByteBuf bytes) {
        deliver(take(bytes, bytes.readableBytes()), false);
        return true;
    }

    /** Hands over a piece of body, or drops it where nobody wants it any more. */
    private void deliver(ByteBuf data, boolean last) {
        Stream current = stream;
        int size = data.readableBytes();
        if (current == null) {
            data.release();
            return;
        }
        if (last) {
            current.requestDone = true;
            state = State.WAITING;
        }
        if (!current.responseDone) {
            inFlight += size;
            current.input().onData(data, last);
            return;
        }
        data.release();
        unwanted += size;
        if (last) {
            next();
        } else if (unwanted > DRAINED) {
            linger();
        }
    }

    /** The whole of {@code bytes} without a slice, where that is what is wanted. */
    private ByteBuf take(ByteBuf bytes, int size) {
        if (size == bytes.readableBytes()) {
            in = null;
            return bytes;
        }
        return bytes.readRetainedSlice(size);
    }

    /** The framing of a body is broken: nothing that follows can be understood. */
    private boolean breakOff(ProxyError why) {
        state = State.CLOSING;
        Stream current = stream;
        if (current == null || current.responseDone) {
            linger();
        } else {
            current.closeAfter = true;
            current.input().onAbort(why);
        }
        return false;
    }

    private boolean isBlocked() {
        Stream current = stream;
        return current != null && !current.responseDone && inFlight >= limits.streamWindow();
    }

    private void adjustReading() {
        boolean wanted =
                switch (state) {
                    // What comes now is the next request's, unless it is the end of the connection.
                    case WAITING -> in == null;
                    case HEAD, CHUNK_END, CHUNK_SIZE, TRAILERS, CLOSING -> true;
                    case FIXED, CHUNK, TUNNEL -> !isBlocked();
                };
        if (channel.config().isAutoRead() != wanted) {
            channel.config().setAutoRead(wanted);
        }
    }

    // ---- Between requests, and the end.

    /** Both messages are complete: on to the next request. */
    private void next() {
        stream = null;
        state = State.HEAD;
        // Where draining began after the head was sent, its client may send one request more.
        wheel.set(idle, drain == DrainSignal.BEGIN ? DrainSignal.GRACE : timeouts.keepAlive());
        process();
    }

    private void beginDrain(DrainSignal signal) {
        drain = signal;
        if (signal == DrainSignal.BEGIN && stream == null && state == State.HEAD && !headBegun) {
            wheel.set(idle, DrainSignal.GRACE); // then closeWhenSent
        }
    }

    /** Closes once everything is sent. For when the client has nothing more to say. */
    private void closeWhenSent() {
        state = State.CLOSING;
        releaseInput();
        wheel.set(idle, timeouts.stalledWrite());
        writeGathered();
        var _ =
                channel.writeAndFlush(Unpooled.EMPTY_BUFFER)
                        .addListener(ChannelFutureListener.CLOSE);
    }

    /**
     * Closes our side, and the client's a little later: a socket that is closed with bytes unread
     * is reset, and the reset may overtake what was sent last (RFC 9112 section 9.6).
     */
    private void linger() {
        state = State.CLOSING;
        releaseInput();
        unwanted = 0;
        wheel.set(idle, LINGER);
        flush(); // what the SslHandler has not encrypted when its side is closed is lost
        adjustReading();
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        var _ =
                (tls == null ? channel.writeAndFlush(Unpooled.EMPTY_BUFFER) : tls.closeOutbound())
                        .addListener(_ -> closeOutput());
    }

    private void closeOutput() {
        if (channel instanceof DuplexChannel duplex) {
            if (channel.isActive()) {
                var _ = duplex.shutdownOutput();
            }
        } else {
            var _ = channel.close();
        }
    }

    /** Closes at once, so that nobody takes what was sent for the whole. */
    private void cutOff(boolean reset) {
        state = State.CLOSING;
        forget();
        if (reset) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
        }
        var _ = channel.close();
    }

    private void gone(ProxyError why) {
        state = State.CLOSING;
        forget();
        Stream current = stream;
        stream = null;
        if (current != null && !current.responseDone) {
            ExchangeInput input = current.input;
            if (input != null) {
                input.onAbort(why);
            }
            current.responseDone = true;
        }
    }

    private void forget() {
        wheel.clear(idle);
        wheel.clear(stall);
        releaseInput();
        ByteBuf unsent = out;
        if (unsent != null) {
            out = null;
            unsent.release();
        }
    }

    private void releaseInput() {
        ByteBuf unread = in;
        if (unread != null) {
            in = null;
            unread.release();
        }
    }

    // ---- Writing.

    private ByteBuf gathered() {
        ByteBuf buffer = out;
        if (buffer == null) {
            buffer = channel.alloc().ioBuffer(2048);
            out = buffer;
        }
        scheduleFlush();
        return buffer;
    }

    private void write(ByteBuf data) {
        int size = data.readableBytes();
        if (size <= COPIED) {
            ByteBuf buffer = gathered();
            buffer.writeBytes(data);
            data.release();
            if (buffer.readableBytes() > GATHERED) {
                writeGathered();
            }
        } else {
            writeGathered();
            writeOut(data);
        }
    }

    private void writeGathered() {
        ByteBuf buffer = out;
        if (buffer != null) {
            out = null;
            writeOut(buffer);
        }
    }

    private void writeOut(ByteBuf data) {
        unflushed = true;
        stall.written(data.readableBytes());
        var _ = channel.write(data, channel.voidPromise());
        scheduleFlush();
    }

    private void scheduleFlush() {
        if (!reading && !flushScheduled) {
            flushScheduled = true;
            channel.eventLoop().execute(flushTask);
        }
    }

    private void flush() {
        flushScheduled = false;
        writeGathered();
        if (unflushed) {
            unflushed = false;
            channel.flush();
        }
    }

    /** The client's half of one exchange. */
    private final class Stream implements ClientStream {
        private final boolean toHead;
        private final boolean http10;
        private @Nullable ExchangeInput input;
        private boolean requestDone;
        private boolean upgrading;
        private boolean awaitsContinue;
        private boolean closeAfter;
        private boolean headSent;
        private boolean bodyless;
        private boolean chunked;
        private boolean tunnel;
        private boolean responseDone;
        private long bodyLeft; // -1 where the length is not known

        Stream(boolean toHead, boolean http10) {
            this.toHead = toHead;
            this.http10 = http10;
        }

        ExchangeInput input() {
            ExchangeInput current = input;
            if (current == null) {
                throw new IllegalStateException("body before the exchange was opened");
            }
            return current;
        }

        void writable() {
            ExchangeInput current = input;
            if (current != null) {
                current.onWritable();
            }
        }

        @Override
        public ClientConnection connection() {
            return connection;
        }

        @Override
        public EventLoop eventLoop() {
            return channel.eventLoop();
        }

        @Override
        public void sendInformational(int status, HttpHeaders headers) {
            if (responseDone || headSent || http10) {
                return; // RFC 9110 section 15.2: none to HTTP/1.0 clients
            }
            awaitsContinue &= status != 100;
            ByteBuf buffer = gathered();
            Http1ResponseWriter.statusLine(buffer, status);
            Http1ResponseWriter.fields(buffer, headers);
            Http1ResponseWriter.crlf(buffer);
        }

        @Override
        public void sendHead(
                int status, HttpHeaders headers, long contentLength, boolean endOfStream) {
            if (responseDone || headSent) {
                return;
            }
            headSent = true;
            bodyless = toHead || status == 204 || status == 304;
            bodyLeft = bodyless ? 0 : endOfStream ? Math.max(0, contentLength) : contentLength;
            chunked = bodyLeft < 0 && !http10;
            // What came after a refused upgrade may be of either protocol.
            closeAfter |=
                    drain != null || !willBeRead(status, endOfStream) || (upgrading && in != null);

            ByteBuf buffer = gathered();
            Http1ResponseWriter.statusLine(buffer, status);
            Http1ResponseWriter.fields(buffer, headers);
            if (chunked) {
                Http1ResponseWriter.chunked(buffer);
            } else if (status != 204) {
                long length = bodyless ? contentLength : bodyLeft;
                if (length >= 0) {
                    Http1ResponseWriter.contentLength(buffer, length);
                }
            }
            if (closeAfter) {
                Http1ResponseWriter.close(buffer);
            }
            Http1ResponseWriter.crlf(buffer);
            if (endOfStream) {
                end();
            }
        }

        /**
         * Whether the rest of the request is likely to be read, so that another can follow. A
         * client that still waits for 100 may send the body or not: nobody could tell what comes
         * next.
         */
        private boolean willBeRead(int status, boolean endOfStream) {
            if (requestDone) {
                return true;
            }
            if (awaitsContinue || status == 408) {
                return false; // one that let its body stall has had its time
            }
            boolean isEarly = endOfStream || status >= 300;
            return !isEarly || (state == State.FIXED && left <= DRAINED);
        }

        @Override
        public void acceptWebSocket(HttpHeaders headers) {
            if (responseDone || headSent) {
                return;
            }
            if (in != null) {
                // Bytes from before the 101 belong to neither protocol.
                input().onAbort(ProxyError.BAD_REQUEST);
                cutOff(false);
                return;
            }
            headSent = true;
            tunnel = true;
            bodyLeft = -1;
            state = State.TUNNEL;
            ByteBuf buffer = gathered();
            Http1ResponseWriter.statusLine(buffer, 101);
            Http1ResponseWriter.fields(buffer, headers);
            Http1ResponseWriter.webSocket(buffer);
            Http1ResponseWriter.crlf(buffer);
            adjustReading();
        }

        @Override
        public void sendData(ByteBuf data, boolean endOfStream) {
            int size = data.readableBytes();
            if (responseDone || bodyless || size == 0) {
                data.release();
            } else if (bodyLeft >= 0 && size > bodyLeft) {
                data.release();
                contradict();
                return;
            } else {
                sendPiece(data, size);
            }
            if (endOfStream && !responseDone) {
                if (chunked) {
                    ByteBuf buffer = gathered();
                    Http1ResponseWriter.lastChunk(buffer);
                    Http1ResponseWriter.crlf(buffer);
                }
                end();
            }
        }

        private void sendPiece(ByteBuf data, int size) {
            if (chunked) {
                Http1ResponseWriter.chunkSize(gathered(), size);
                write(data);
                Http1ResponseWriter.crlf(gathered());
            } else {
                if (bodyLeft > 0) {
                    bodyLeft -= size;
                }
                write(data);
            }
        }

        @Override
        public void sendTrailers(HttpHeaders trailers) {
            if (responseDone) {
                return;
            }
            if (chunked) {
                ByteBuf buffer = gathered();
                Http1ResponseWriter.lastChunk(buffer);
                Http1ResponseWriter.fields(buffer, trailers);
                Http1ResponseWriter.crlf(buffer);
            }
            end();
        }

        private void end() {
            if (bodyLeft > 0) {
                contradict();
                return;
            }
            responseDone = true;
            if (tunnel) {
                closeWhenSent();
            } else if (closeAfter || (!requestDone && !isRestSmall())) {
                if (requestDone && in == null && state != State.CLOSING) {
                    closeWhenSent();
                } else {
                    linger();
                }
            } else if (requestDone) {
                next();
            } else {
                wheel.set(idle, timeouts.header()); // for the rest of the request
                process();
            }
        }

        /** The body is longer or shorter than its head says. */
        private void contradict() {
            abort(ProxyError.BAD_RESPONSE);
            ExchangeInput current = input;
            if (current != null) {
                current.onAbort(ProxyError.BAD_RESPONSE);
            }
        }

        private boolean isRestSmall() {
            return state != State.FIXED || left <= DRAINED;
        }

        @Override
        public boolean isWritable() {
            return channel.isWritable();
        }

        @Override
        public void consumed(int bytes) {
            if (stream != this || bytes == 0) {
                return;
            }
            boolean wasBlocked = isBlocked();
            inFlight -= bytes;
            if (wasBlocked && !isBlocked()) {
                process();
            }
        }

        @Override
        public void abort(ProxyError why) {
            if (responseDone) {
                return;
            }
            responseDone = true;
            // Without a length only a reset says that this was not the end.
            cutOff(headSent && !chunked && bodyLeft < 0);
        }
    }

    // ---- Deadlines.

    /** Waits for a request, for its head, for the rest of its body, or for the end. */
    private final class IdleWatch extends DeadlineWheel.Deadline {
        @Override
        protected void onDeadline() {
            if (state == State.HEAD && headBegun) {
                refuse(ProxyError.HEADER_TIMEOUT);
            } else if (state == State.CLOSING) {
                cutOff(true);
            } else if (stream == null || stream.responseDone) {
                closeWhenSent();
            }
        }
    }

    /** Watches whether the client reads, while there is much that it has not read. */
    private final class StallWatch extends DeadlineWheel.Deadline {
        private long unread;
        private long added;

        void arm() {
            unread = unreadBytes();
            added = 0;
            wheel.set(this, timeouts.stalledWrite());
        }

        void written(int bytes) {
            added += bytes;
        }

        @Override
        protected void onDeadline() {
            if (channel.isWritable()) {
                return;
            }
            if (unreadBytes() - added < unread) {
                arm(); // slow, but alive
                return;
            }
            gone(ProxyError.CLIENT_STALLED);
            cutOff(true);
        }

        private long unreadBytes() {
            ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
            return buffer == null ? 0 : buffer.totalPendingWriteBytes() - buffer.currentProgress();
        }
    }
}

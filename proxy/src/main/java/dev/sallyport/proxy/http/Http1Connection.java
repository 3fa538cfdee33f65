package dev.sallyport.proxy.http;

import dev.sallyport.proxy.ProxySettings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The last handler of a client connection that speaks HTTP/1.1: reads requests one after the other,
 * opens an exchange for each, and writes its response with a framing of its own.
 *
 * <p>While an exchange is in progress no further request is looked at, and once bytes of one have
 * come nothing more is read from the socket. A body is read as fast as the exchange gives credit.
 *
 * <p>A client that closes its sending side is taken to be gone.
 *
 * <p>Confined to its event loop.
 */
public final class Http1Connection extends ChannelInboundHandlerAdapter {
    /** How much of a body that nobody wants is read to save the connection. */
    private static final int DRAINED = 64 * 1024;

    private static final int MAX_CHUNK_LINE = 256;
    private static final int MAX_CHUNK_EXTENSIONS = 8 * 1024;

    private final ClientConnection connection;
    private final ProxySettings.Limits limits;
    private final ProxySettings.Timeouts timeouts;
    private final Exchanges exchanges;
    private final DeadlineWheel wheel;
    private final Channel channel;
    private final Http1RequestParser parser;
    private final Http1Output output;
    private final Http1Closing closing;
    private final IdleWatch idle = new IdleWatch();
    private final InFlight inFlight = new InFlight(); // handed to the exchange, not credited

    private State state = State.HEAD;
    private @Nullable ByteBuf in; // bytes that are not dealt with yet
    private @Nullable Stream stream; // of the exchange in progress
    private boolean processing;
    private @Nullable DrainSignal drain;
    private boolean headBegun;
    private long requests;

    // The request body.
    private long left; // of the fixed length, or of the chunk
    private int chunkExtensions;
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
        this.output = new Http1Output(channel, wheel, timeouts.stalledWrite(), this::stalled);
        this.closing = new Http1Closing(channel, wheel, output);
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
        output.beginReading();
        ByteBuf data = (ByteBuf) message;
        if (state == State.CLOSING) {
            int size = data.readableBytes();
            data.release();
            closing.drop(size);
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
        output.endReading();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        output.onWritabilityChanged();
        Stream current = stream;
        if (channel.isWritable() && current != null && !current.responseDone) {
            current.writable();
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
        closing.cutOff(true);
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
        inFlight.clear();
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
                new Refusal(
                        parser.method(),
                        parser.hostText(),
                        parser.targetText(),
                        parser.accept(),
                        why == null ? ProxyError.BAD_REQUEST : why));
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
            inFlight.add(size);
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
        return current != null && !current.responseDone && inFlight.reaches(limits.streamWindow());
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
        endReading();
        closing.whenSent();
    }

    /** Closes once everything is sent, though the client may go on. */
    private void linger() {
        endReading();
        adjustReading();
        closing.linger();
    }

    private void endReading() {
        state = State.CLOSING;
        wheel.suspend(idle);
        releaseInput();
    }

    /** Closes at once, so that nobody takes what was sent for the whole. */
    private void cutOff(boolean reset) {
        state = State.CLOSING;
        forget();
        closing.cutOff(reset);
    }

    /** The client does not read. */
    private void stalled() {
        gone(ProxyError.CLIENT_STALLED);
        closing.cutOff(true);
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
        closing.clear();
        output.discard();
        releaseInput();
    }

    private void releaseInput() {
        ByteBuf unread = in;
        if (unread != null) {
            in = null;
            unread.release();
        }
    }

    // ---- Writing.

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
            ByteBuf buffer = output.gather();
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

            ByteBuf buffer = output.gather();
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
            ByteBuf buffer = output.gather();
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
                    ByteBuf buffer = output.gather();
                    Http1ResponseWriter.lastChunk(buffer);
                    Http1ResponseWriter.crlf(buffer);
                }
                end();
            }
        }

        private void sendPiece(ByteBuf data, int size) {
            if (chunked) {
                Http1ResponseWriter.chunkSize(output.gather(), size);
                output.write(data);
                Http1ResponseWriter.crlf(output.gather());
            } else {
                if (bodyLeft > 0) {
                    bodyLeft -= size;
                }
                output.write(data);
            }
        }

        @Override
        public void sendTrailers(HttpHeaders trailers) {
            if (responseDone) {
                return;
            }
            if (chunked) {
                ByteBuf buffer = output.gather();
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
                linger(); // the other side may still be talking
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
            inFlight.taken(bytes);
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
            } else if (stream == null || stream.responseDone) {
                closeWhenSent();
            }
        }

        @Override
        protected void giveUp() {
            gone(ProxyError.INTERNAL);
            closing.cutOff(true);
        }
    }
}

package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.ClientStream;
import dev.sallyport.proxy.http.ExchangeInput;
import dev.sallyport.proxy.http.InFlight;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.http.RequestHead;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One stream of a connection: the client's half of an exchange, and what the flow controller knows
 * as the one thing that is to be sent on the stream. Response data waits here until the windows and
 * the socket let it go.
 */
final class RequestStream implements ClientStream, Http2RemoteFlowController.FlowControlled {

    /**
     * Above this much unsent data, each piece counted for what holding it costs, the exchange is
     * asked to wait; below half of it, to go on.
     */
    static final int QUEUE_BOUND = 64 * 1024;

    private final ConnectionHandler handler;
    private final Http2Stream stream;
    private final boolean headRequest;
    private final boolean webSocket;
    private final long announced;
    private @Nullable ExchangeInput input;

    // From the client.
    private long received;
    private int unconsumed;
    private int pieces;
    private boolean remoteEnded;

    // To the client.
    private final ArrayDeque<ByteBuf> queue = new ArrayDeque<>(2);
    private @Nullable ByteBuf incoming;
    private @Nullable HttpHeaders trailers;
    private int pending;
    private boolean scheduled; // with the flow controller
    private boolean headSent;
    private boolean ending; // END_STREAM is the last thing in the queue
    private boolean localEnded; // END_STREAM was written
    private boolean closed;
    private boolean waiting; // for onWritable

    // For the stall watch.
    private long sent;
    private long sentAtLook;
    private int looksWithoutProgress;

    RequestStream(
            ConnectionHandler handler,
            Http2Stream stream,
            boolean headRequest,
            boolean webSocket,
            long announced,
            boolean remoteEnded) {
        this.handler = handler;
        this.stream = stream;
        this.headRequest = headRequest;
        this.webSocket = webSocket;
        this.announced = announced;
        this.remoteEnded = remoteEnded;
    }

    static RequestStream of(ConnectionHandler handler, Http2Stream stream, RequestHead head) {
        return new RequestStream(
                handler,
                stream,
                head.method().equals("HEAD"),
                head.webSocket(),
                head.webSocket() ? -1 : head.contentLength(),
                head.endOfStream());
    }

    /** The exchange that began with the head. */
    void opened(ExchangeInput exchange) {
        input = exchange;
    }

    /** A piece of the request. Takes no ownership. */
    void onData(ByteBuf data, boolean endOfStream) {
        int length = data.readableBytes();
        received += length;
        if (announced >= 0 && (received > announced || (endOfStream && received < announced))) {
            handler.streamError(stream, this); // RFC 9113 section 8.1.1
            return;
        }
        remoteEnded = endOfStream;
        ExchangeInput exchange = input;
        if (exchange == null || localEnded) {
            handler.giveBack(stream, length);
            return;
        }
        unconsumed += length;
        if (length > 0) {
            pieces++;
            handler.pieceHeld();
        }
        exchange.onData(data.readRetainedSlice(length), endOfStream);
    }

    /** The request's trailer fields. */
    void onTrailers(HttpHeaders fields) {
        if (announced >= 0 && received < announced) {
            handler.streamError(stream, this);
            return;
        }
        remoteEnded = true;
        ExchangeInput exchange = input;
        if (exchange != null && !localEnded) {
            exchange.onTrailers(fields);
        }
    }

    /** The stream is no more, for whatever reason. */
    void onClosed(ProxyError why) {
        if (closed) {
            return;
        }
        closed = true;
        handler.piecesGone(pieces);
        pieces = 0;
        if (waiting) {
            waiting = false;
            handler.noLongerWaiting();
        }
        ExchangeInput exchange = input;
        input = null;
        if (exchange != null && !localEnded) {
            exchange.onAbort(why);
        }
    }

    /** Tells the exchange if it waits and need not any longer. */
    void wakeIfWritable() {
        if (waiting && canTake(QUEUE_BOUND / 2)) {
            waiting = false;
            handler.noLongerWaiting();
            ExchangeInput exchange = input;
            if (exchange != null) {
                exchange.onWritable();
            }
        }
    }

    /**
     * Whether the client has given this stream no window worth speaking of for so many looks in a
     * row.
     */
    boolean isStalled(int window, int looks) {
        boolean lingering = webSocket && localEnded;
        boolean stuck = pending > 0 && window <= 0 && sent - sentAtLook < ConnectionHandler.CRAWL;
        sentAtLook = sent;
        looksWithoutProgress = stuck || lingering ? looksWithoutProgress + 1 : 0;
        return looksWithoutProgress > looks;
    }

    /** Whether anything is left to watch. */
    boolean isWatched() {
        return pending > 0 || (webSocket && localEnded && !closed);
    }

    @Override
    public ClientConnection connection() {
        return handler.client();
    }

    @Override
    public EventLoop eventLoop() {
        return handler.eventLoop();
    }

    @Override
    public void sendInformational(int status, HttpHeaders headers) {
        if (!closed && !headSent) {
            handler.sendHead(stream, status, headers, -1, false);
        }
    }

    @Override
    public void sendHead(int status, HttpHeaders headers, long contentLength, boolean endOfStream) {
        if (closed || headSent) {
            return;
        }
        headSent = true;
        boolean bodiless = headRequest || status == 204 || status == 304;
        boolean end = endOfStream || bodiless;
        ending = end;
        handler.sendHead(
                stream,
                status,
                headers,
                status == 204 ? -1 : lengthToSend(contentLength, status, endOfStream),
                end);
        if (end) {
            ended();
        }
    }

    @Override
    public void acceptWebSocket(HttpHeaders headers) {
        if (closed || headSent) {
            return;
        }
        headSent = true;
        handler.sendWebSocketHead(stream, headers);
    }

    @Override
    public void sendData(ByteBuf data, boolean endOfStream) {
        if (closed || !headSent || ending) {
            data.release();
            return;
        }
        ending = endOfStream;
        if (!endOfStream && !data.isReadable()) {
            data.release();
            return;
        }
        handler.queued(data.readableBytes());
        incoming = data;
        schedule();
    }

    @Override
    public void sendTrailers(HttpHeaders fields) {
        if (closed || !headSent || ending) {
            return;
        }
        ending = true;
        trailers = fields;
        schedule();
    }

    @Override
    public boolean isWritable() {
        if (closed) {
            return true; // nothing piles up
        }
        boolean writable = canTake(QUEUE_BOUND);
        if (!writable && !waiting) {
            waiting = true;
            handler.oneMoreWaiting();
        }
        return writable;
    }

    @Override
    public void consumed(int bytes) {
        int returned = Math.min(bytes, unconsumed);
        if (closed || returned <= 0) {
            return;
        }
        unconsumed -= returned;
        int left =
                unconsumed == 0 ? 0 : (int) ((long) pieces * unconsumed / (unconsumed + returned));
        handler.piecesGone(pieces - left);
        pieces = left;
        handler.giveBack(stream, returned);
    }

    @Override
    public void abort(ProxyError why) {
        if (!closed && !localEnded) {
            input = null; // who gives up need not be told
            handler.abort(stream, why);
        }
    }

    @Override
    public int size() {
        return pending;
    }

    @Override
    public void write(ChannelHandlerContext ctx, int allowedBytes) {
        FrameOutput output = handler.output();
        int allowed = Math.min(allowedBytes, pending);
        while (allowed > 0) {
            int length = Math.min(allowed, output.maxFrameSize());
            allowed -= length;
            writeFrame(ctx, output, length);
        }
        if (pending > 0 || !ending || localEnded) {
            return;
        }
        HttpHeaders fields = trailers;
        localEnded = true;
        if (fields == null) {
            output.data(ctx, stream.id(), 0, true);
        } else {
            handler.sendTrailers(stream, fields);
        }
    }

    @Override
    public void writeComplete() {
        scheduled = false;
        if (localEnded) {
            ended();
        }
    }

    @Override
    public boolean merge(ChannelHandlerContext ctx, Http2RemoteFlowController.FlowControlled next) {
        enqueueIncoming(); // next is this very object, the only one of its stream
        return true;
    }

    @Override
    public void error(ChannelHandlerContext ctx, Throwable cause) {
        scheduled = false;
        for (ByteBuf piece = queue.poll(); piece != null; piece = queue.poll()) {
            piece.release();
        }
        handler.unqueued(pending);
        pending = 0;
    }

    private void schedule() {
        if (!scheduled) {
            scheduled = true;
            enqueueIncoming();
        }
        handler.flowControlled(stream, this);
    }

    private void enqueueIncoming() {
        ByteBuf data = incoming;
        incoming = null;
        if (data == null) {
            return;
        }
        if (data.isReadable()) {
            pending += data.readableBytes();
            queue.add(data);
        } else {
            data.release();
        }
    }

    private void writeFrame(ChannelHandlerContext ctx, FrameOutput output, int length) {
        boolean last = ending && trailers == null && length == pending;
        output.data(ctx, stream.id(), length, last);
        int left = length;
        while (left > 0) {
            ByteBuf piece = queue.element();
            int readable = piece.readableBytes();
            if (readable <= left) {
                queue.remove();
                output.payload(ctx, piece);
                left -= readable;
            } else {
                output.payload(ctx, piece.readRetainedSlice(left));
                left = 0;
            }
        }
        pending -= length;
        sent += length;
        localEnded = last;
        handler.unqueued(length);
        handler.sentData(length);
    }

    /** END_STREAM was written. */
    private void ended() {
        localEnded = true;
        if (remoteEnded) {
            handler.close(stream);
        } else if (webSocket && headSent) {
            handler.endLocally(stream); // the client's end follows, or the stall watch is patient
        } else {
            // RFC 9113 section 8.1: "MAY request that the client abort transmission of a request
            // without error by sending a RST_STREAM with NO_ERROR after sending a complete
            // response".
            handler.reset(stream, Http2Error.NO_ERROR);
        }
    }

    private boolean canTake(int bound) {
        long held = pending + (long) queue.size() * InFlight.PIECE;
        return handler.isSocketWritable() && (pending == 0 || (held < bound && handler.hasRoom()));
    }

    /** A response without body says 0, unless it answers what could have had one. */
    private long lengthToSend(long contentLength, int status, boolean endOfStream) {
        return contentLength < 0 && endOfStream && !headRequest && status != 304
                ? 0
                : contentLength;
    }
}

package dev.sallyport.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaders;

/**
 * The client's half of one exchange: an HTTP/1.1 request or an HTTP/2 stream. All calls come from
 * its event loop and none blocks. Writes are flushed once per turn of the loop. After the end was
 * sent, or after {@link #abort}, calls have no effect, but buffers that are handed in are still
 * released.
 */
public interface ClientStream {

    /** The connection the request came on. */
    ClientConnection connection();

    /** The loop that everything of this exchange runs on, the backend's side included. */
    EventLoop eventLoop();

    /** Sends an interim response: 100, 103; never 101. */
    void sendInformational(int status, HttpHeaders headers);

    /**
     * Sends the head of the response. The stream chooses the framing (content-length, chunked, DATA
     * frames) and knows that a response to HEAD, 204 and 304 have no body.
     *
     * @param headers end-to-end fields only, in any case; owned by the stream from now on
     * @param contentLength the length of the body, or -1 where it is not known
     */
    void sendHead(int status, HttpHeaders headers, long contentLength, boolean endOfStream);

    /**
     * Answers a WebSocket request with success (101, or 200 on HTTP/2); from now on data is opaque,
     * both ways.
     */
    void acceptWebSocket(HttpHeaders headers);

    /** Sends a piece of the body. Takes ownership of {@code data}. */
    void sendData(ByteBuf data, boolean endOfStream);

    /**
     * Sends trailer fields and ends the response. Dropped where the client's protocol has no room
     * for them.
     */
    void sendTrailers(HttpHeaders trailers);

    /**
     * Whether more can be sent without piling up: the exchange stops reading from the backend while
     * this is false, and goes on at {@link ExchangeInput#onWritable}.
     */
    boolean isWritable();

    /**
     * Gives credit back for request data that the exchange has passed on. Without it the stream
     * stops reading (HTTP/1.1) or keeps the window closed (HTTP/2) once its bound is reached.
     */
    void consumed(int bytes);

    /** Gives up in the middle: RST_STREAM, or a closed connection on HTTP/1.1. */
    void abort(ProxyError why);
}

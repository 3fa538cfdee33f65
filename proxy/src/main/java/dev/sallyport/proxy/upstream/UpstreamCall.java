package dev.sallyport.proxy.upstream;

import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.proxy.http.ProxyError;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;
import org.jspecify.annotations.Nullable;

/**
 * One request on one backend connection. Event loop only; nothing blocks. The connection goes back
 * to its pool by itself once both messages were framed to their end, and only then.
 */
public interface UpstreamCall {

    /**
     * Sends the head. Called once, as soon as the call was handed out.
     *
     * @param target path and query
     * @param headers end-to-end fields, Host included, framing fields excluded; encoded before this
     *     returns. The call may set its own framing and connection fields in them ({@code set}, not
     *     {@code add}: a retry passes the same object once more)
     * @param contentLength the body's length; 0 without a body; -1 for chunked
     * @param webSocket whether this asks for an upgrade to a WebSocket
     */
    void sendHead(
            String method,
            String target,
            HttpHeaders headers,
            long contentLength,
            boolean webSocket);

    /** Sends a piece of the body. Takes ownership of {@code data}. */
    void sendData(ByteBuf data, boolean endOfStream);

    /** Sends trailer fields and ends the request. */
    void sendTrailers(HttpHeaders trailers);

    /**
     * Whether more can be sent without piling up; {@link Listener#onWritable} says when it can
     * again.
     */
    boolean isWritable();

    /**
     * Gives credit back for response data that was passed on; without it the call stops reading at
     * its bound.
     */
    void consumed(int bytes);

    /**
     * Gives up: the connection is closed, no further event is delivered. No effect after the end.
     */
    void cancel();

    /** Where it goes. */
    Endpoint endpoint();

    /**
     * Whether the connection served another request before: the backend may have closed it
     * meanwhile.
     */
    boolean reused();

    /**
     * What the backend answers. Called on the event loop; none after {@link #onFailure} or the end.
     */
    interface Listener {

        /** The connection is there: the listener sends the head now. */
        void onConnected(UpstreamCall call);

        /** An interim response: 100, 102, 103. */
        void onInformational(int status, HttpHeaders headers);

        /**
         * The head of the response.
         *
         * @param headers as received, hop-by-hop fields included, framing fields excluded; owned by
         *     the listener
         * @param contentLength the body's length, or -1 where it is not known
         */
        void onHead(int status, HttpHeaders headers, long contentLength, boolean endOfStream);

        /**
         * The backend switched to the WebSocket protocol: from now on data is opaque, both ways.
         */
        void onWebSocket(HttpHeaders headers);

        /**
         * A piece of the body. The listener owns {@code data} and answers with {@link
         * UpstreamCall#consumed}.
         */
        void onData(ByteBuf data, boolean endOfStream);

        /** Trailer fields, which end the response. */
        void onTrailers(HttpHeaders trailers);

        /** {@link UpstreamCall#isWritable} is true again. */
        void onWritable();

        /**
         * The call is over before its time.
         *
         * @param retriable whether the backend cannot have acted on the request: no connection was
         *     made, or a reused one was closed before the first byte of an answer
         */
        void onFailure(ProxyError why, boolean retriable, @Nullable Endpoint endpoint);
    }
}

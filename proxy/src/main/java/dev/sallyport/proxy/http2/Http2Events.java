package dev.sallyport.proxy.http2;

import io.netty.handler.codec.http2.Http2Error;

/**
 * What went wrong on HTTP/2 connections below the level of exchanges, for counting. Called on the
 * connection's event loop; never blocks.
 */
public interface Http2Events {

    /** Counts nothing. */
    Http2Events NONE =
            new Http2Events() {
                @Override
                public void onStreamError(Http2Error error) {}

                @Override
                public void onConnectionError(Http2Error error) {}

                @Override
                public void onFlood(Flood flood) {}

                @Override
                public void onBug(Throwable cause) {}
            };

    /** A client broke the rules of a stream, which was reset with {@code error}. */
    void onStreamError(Http2Error error);

    /**
     * A client broke the rules of the connection, which was closed with GOAWAY and {@code error}.
     */
    void onConnectionError(Http2Error error);

    /**
     * A client asked for more than is good for others; the connection was closed with GOAWAY and
     * {@code ENHANCE_YOUR_CALM}. {@link #onConnectionError} is not called for it.
     */
    void onFlood(Flood flood);

    /**
     * A fault of ours; the connection was closed with GOAWAY and {@code INTERNAL_ERROR}, for which
     * {@link #onConnectionError} is called as well.
     */
    void onBug(Throwable cause);
}

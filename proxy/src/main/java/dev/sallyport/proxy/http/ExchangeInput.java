package dev.sallyport.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;

/** What a client's stream tells its exchange after the request head. Event loop only. */
public interface ExchangeInput {

    /**
     * A piece of the request body. The exchange owns {@code data} and answers with {@link
     * ClientStream#consumed}.
     */
    void onData(ByteBuf data, boolean endOfStream);

    /** Trailer fields, which end the request. */
    void onTrailers(HttpHeaders trailers);

    /** {@link ClientStream#isWritable} is true again. */
    void onWritable();

    /**
     * The client's side is over before its time: the connection is gone, the stream was reset, the
     * framing broke. Unless the client is gone or stalled, the exchange answers with the error
     * where it still can, or aborts the stream; a stream that is over already has no effect.
     */
    void onAbort(ProxyError why);
}

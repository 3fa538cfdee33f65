package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.http.ClientStream;
import dev.sallyport.proxy.http.ExchangeInput;
import dev.sallyport.proxy.http.Exchanges;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.http.Refusal;
import dev.sallyport.proxy.http.RequestHead;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;

/** Answers each request with 200 and a short body, once it is complete. */
final class AnsweringExchanges implements Exchanges {
    private static final byte[] BODY =
            "hello, world\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    @Override
    public ExchangeInput open(ClientStream stream, RequestHead head) {
        if (head.endOfStream()) {
            answer(stream);
        }
        return new ExchangeInput() {
            @Override
            public void onData(ByteBuf data, boolean endOfStream) {
                stream.consumed(data.readableBytes());
                data.release();
                if (endOfStream) {
                    answer(stream);
                }
            }

            @Override
            public void onTrailers(HttpHeaders trailers) {
                answer(stream);
            }

            @Override
            public void onWritable() {}

            @Override
            public void onAbort(ProxyError why) {}
        };
    }

    @Override
    public void refuse(ClientStream stream, Refusal refusal) {
        stream.sendHead(refusal.why().status(), new DefaultHttpHeaders(), 0, true);
    }

    private static void answer(ClientStream stream) {
        stream.sendHead(
                200,
                new DefaultHttpHeaders().add("Content-Type", "text/plain"),
                BODY.length,
                false);
        stream.sendData(Unpooled.wrappedBuffer(BODY), true);
    }
}

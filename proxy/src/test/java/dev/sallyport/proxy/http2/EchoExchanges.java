package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.http.ClientStream;
import dev.sallyport.proxy.http.ExchangeInput;
import dev.sallyport.proxy.http.Exchanges;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.http.Refusal;
import dev.sallyport.proxy.http.RequestHead;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;

/** Sends each piece of a request's body back as soon as it comes. */
final class EchoExchanges implements Exchanges {

    @Override
    public ExchangeInput open(ClientStream stream, RequestHead head) {
        stream.sendHead(200, new DefaultHttpHeaders(), -1, head.endOfStream());
        return new ExchangeInput() {
            @Override
            public void onData(ByteBuf data, boolean endOfStream) {
                stream.consumed(data.readableBytes());
                stream.sendData(data, endOfStream);
            }

            @Override
            public void onTrailers(HttpHeaders trailers) {
                stream.sendTrailers(trailers);
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
}

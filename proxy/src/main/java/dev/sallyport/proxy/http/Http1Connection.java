package dev.sallyport.proxy.http;

import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;

/** The last handler of a client connection that speaks HTTP/1.1. */
public final class Http1Connection extends ChannelInboundHandlerAdapter {
    private final ClientConnection connection;
    private final HttpServing serving;

    private Http1Connection(ClientConnection connection, HttpServing serving) {
        this.connection = connection;
        this.serving = serving;
    }

    /**
     * Makes {@code pipeline} speak HTTP/1.1 from the next byte on. To be called on its event loop,
     * once the protocol is known; bytes that were read already are fired as usual afterwards.
     */
    public static void install(
            ChannelPipeline pipeline, ClientConnection connection, HttpServing serving) {
        pipeline.addLast("http1", new Http1Connection(connection, serving));
    }

    @Override
    public String toString() {
        return connection + ", at most " + serving.settings().limits().requestsPerConnection();
    }
}

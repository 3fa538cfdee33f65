package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.HttpServing;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;

/** A client connection that speaks HTTP/2. */
public final class Http2Connection extends ChannelInboundHandlerAdapter {
    private final ClientConnection connection;
    private final HttpServing serving;
    private final Http2Events events;

    private Http2Connection(ClientConnection connection, HttpServing serving, Http2Events events) {
        this.connection = connection;
        this.serving = serving;
        this.events = events;
    }

    /**
     * Makes {@code pipeline} speak HTTP/2 from the next byte on, which is the first of the client's
     * preface. To be called on its event loop, once the protocol is known. Ends in good order on
     * {@link dev.sallyport.proxy.http.DrainSignal}.
     */
    public static void install(
            ChannelPipeline pipeline,
            ClientConnection connection,
            HttpServing serving,
            Http2Events events) {
        pipeline.addLast("http2", new Http2Connection(connection, serving, events));
    }

    @Override
    public String toString() {
        return connection + ", " + events + ", " + serving.settings().limits().concurrentStreams();
    }
}

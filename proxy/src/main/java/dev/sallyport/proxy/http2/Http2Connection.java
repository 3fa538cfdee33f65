package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.DeadlineWheel;
import dev.sallyport.proxy.http.HttpServing;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionDecoder;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionEncoder;
import io.netty.handler.codec.http2.DefaultHttp2FrameReader;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;

/** A client connection that speaks HTTP/2. */
public final class Http2Connection {

    private Http2Connection() {}

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
        ProxySettings.Limits limits = serving.settings().limits();
        DeadlineWheel wheel = serving.deadlines().of(pipeline.channel().eventLoop());
        pipeline.channel()
                .config()
                .setWriteBufferWaterMark(
                        new WriteBufferWaterMark(limits.writeBuffer() / 2, limits.writeBuffer()));
        pipeline.addLast("http2", handler(connection, serving, events, limits, wheel));
    }

    private static ConnectionHandler handler(
            ClientConnection client,
            HttpServing serving,
            Http2Events events,
            ProxySettings.Limits limits,
            DeadlineWheel wheel) {
        var connection = new DefaultHttp2Connection(true, 0);
        var distributor = new UniformStreamByteDistributor(connection);
        connection
                .remote()
                .flowController(new DefaultHttp2RemoteFlowController(connection, distributor));
        var output = new FrameOutput();
        var encoder = new DefaultHttp2ConnectionEncoder(connection, output);
        var fieldDecoder = new FieldDecoder(limits);
        var past = new PastStreams();
        var guard =
                new FrameGuard(
                        new DefaultHttp2FrameReader(fieldDecoder), connection, past, wheel, limits);
        var decoder = new DefaultHttp2ConnectionDecoder(connection, encoder, guard);
        return new ConnectionHandler(
                decoder,
                encoder,
                initialSettings(limits),
                client,
                serving,
                events,
                wheel,
                fieldDecoder,
                guard,
                past,
                output);
    }

    private static Http2Settings initialSettings(ProxySettings.Limits limits) {
        return new Http2Settings()
                .maxConcurrentStreams(limits.concurrentStreams())
                .initialWindowSize(limits.streamWindow())
                .maxHeaderListSize(limits.headerBytes())
                .connectProtocolEnabled(true);
    }
}

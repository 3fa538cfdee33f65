package dev.sallyport.proxy.listen;

import dev.sallyport.model.listener.Listener;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.DrainSignal;
import dev.sallyport.proxy.http.Http1Connection;
import dev.sallyport.proxy.http.HttpServing;
import dev.sallyport.proxy.http2.Http2Connection;
import dev.sallyport.proxy.http2.Http2Events;
import dev.sallyport.proxy.http2.PlainProtocolSniffer;
import dev.sallyport.proxy.metric.ProxyMetrics;
import dev.sallyport.tls.front.TlsAcceptor;
import dev.sallyport.tls.front.TlsEstablished;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * What a listener's connections are made of: TLS or nothing, then HTTP/1.1 or HTTP/2 as ALPN or the
 * first bytes say, and the handler of last resort. Immutable; a listener that changes gets another
 * one, and connections keep the one they began with.
 *
 * @param tls null on a plain listener
 */
record ClientPipeline(
        Listener listener,
        @Nullable TlsAcceptor tls,
        HttpServing serving,
        Http2Events http2Events,
        ProxyMetrics metrics,
        OpenConnections connections) {
    private static final String HTTP1 = "http/1.1";
    private static final String HTTP2 = "h2";

    /** On the connection's event loop, before anything was read. */
    void install(Channel channel) {
        ChannelPipeline pipeline = channel.pipeline();
        if (tls != null) {
            pipeline.addLast(tls.newHandler(), new ProtocolChoice());
        } else {
            pipeline.addLast(
                    new PlainProtocolSniffer(
                            chosen -> speak(chosen, HTTP1, null),
                            chosen -> speak(chosen, HTTP2, null),
                            serving.settings().timeouts().header(),
                            serving.deadlines().of(channel.eventLoop())));
        }
        pipeline.addLast(LastResort.NAME, new LastResort(metrics));
        passOnDrain(pipeline);
    }

    /** What was told before there was a handler to hear it. */
    private void passOnDrain(ChannelPipeline pipeline) {
        DrainSignal told = connections.told();
        if (told != null) {
            pipeline.fireUserEventTriggered(told);
        }
    }

    private void speak(
            ChannelPipeline pipeline, String protocol, ClientConnection.@Nullable Tls outcome) {
        Channel channel = pipeline.channel();
        if (!(channel.remoteAddress() instanceof InetSocketAddress remote)
                || !(channel.localAddress() instanceof InetSocketAddress local)) {
            var _ = channel.close(); // gone already
            return;
        }
        var connection =
                new ClientConnection(listener, plain(remote), plain(local), protocol, outcome);
        pipeline.remove(LastResort.NAME);
        if (protocol.equals(HTTP2)) {
            Http2Connection.install(pipeline, connection, serving, http2Events);
        } else {
            Http1Connection.install(pipeline, connection, serving);
        }
        pipeline.addLast(LastResort.NAME, new LastResort(metrics));
        passOnDrain(pipeline);
    }

    /** Waits for the handshake and leaves. */
    private final class ProtocolChoice extends ChannelInboundHandlerAdapter {
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof TlsEstablished established) {
                ChannelPipeline pipeline = ctx.pipeline();
                // Without ALPN a client speaks HTTP/1.1, RFC 9112 section 2.3.
                speak(
                        pipeline,
                        established.applicationProtocol().equals(HTTP2) ? HTTP2 : HTTP1,
                        new ClientConnection.Tls(
                                established.serverName(),
                                established.certificates(),
                                established.fallback(),
                                established.version(),
                                established.cipher()));
                pipeline.remove(this);
            } else {
                ctx.fireUserEventTriggered(event);
            }
        }
    }

    /** An IPv4 client of a socket for both families is an IPv4 client. */
    private static InetSocketAddress plain(InetSocketAddress address) {
        InetAddress ip = address.getAddress();
        if (ip == null || ip.getAddress().length != 16) {
            return address;
        }
        try {
            InetAddress unmapped = InetAddress.getByAddress(ip.getAddress());
            return unmapped.getAddress().length == 4
                    ? new InetSocketAddress(unmapped, address.getPort())
                    : address;
        } catch (UnknownHostException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}

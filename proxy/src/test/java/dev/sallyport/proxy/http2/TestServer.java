package dev.sallyport.proxy.http2;

import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.Deadlines;
import dev.sallyport.proxy.http.Exchanges;
import dev.sallyport.proxy.http.HttpServing;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** A listener that speaks HTTP/2 only, on one event loop and a port of the system's choice. */
final class TestServer implements AutoCloseable {
    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Channel channel;

    private TestServer(
            HttpServing serving, Http2Events events, @Nullable SslContext tls, boolean sniff) {
        channel =
                new ServerBootstrap()
                        .group(group)
                        .channel(NioServerSocketChannel.class)
                        .childHandler(
                                new ChannelInitializer<SocketChannel>() {
                                    @Override
                                    protected void initChannel(SocketChannel accepted) {
                                        connections.add(accepted);
                                        ChannelPipeline pipeline = accepted.pipeline();
                                        if (tls != null) {
                                            pipeline.addLast(tls.newHandler(accepted.alloc()));
                                        }
                                        if (sniff) {
                                            pipeline.addLast(sniffer(accepted, serving, events));
                                        } else {
                                            Http2Connection.install(
                                                    pipeline, client(accepted), serving, events);
                                        }
                                    }
                                })
                        .bind(InetAddress.getLoopbackAddress(), 0)
                        .syncUninterruptibly()
                        .channel();
    }

    static TestServer plain(Exchanges exchanges, ProxySettings settings, Http2Events events) {
        return new TestServer(
                new HttpServing(settings, exchanges, new Deadlines(TestServer::fail)),
                events,
                null,
                false);
    }

    static TestServer plain(Exchanges exchanges) {
        return plain(exchanges, ProxySettings.DEFAULT, Http2Events.NONE);
    }

    static TestServer sniffing(Exchanges exchanges, ProxySettings settings) {
        return new TestServer(
                new HttpServing(settings, exchanges, new Deadlines(TestServer::fail)),
                Http2Events.NONE,
                null,
                true);
    }

    static TestServer tls(Exchanges exchanges) throws Exception {
        X509Bundle bundle =
                new CertificateBuilder()
                        .subject("CN=localhost")
                        .addSanDnsName("localhost")
                        .setIsCertificateAuthority(true)
                        .buildSelfSigned();
        SslContext tls =
                SslContextBuilder.forServer(bundle.toKeyManagerFactory())
                        .sslProvider(SslProvider.JDK)
                        .applicationProtocolConfig(
                                new ApplicationProtocolConfig(
                                        ApplicationProtocolConfig.Protocol.ALPN,
                                        ApplicationProtocolConfig.SelectorFailureBehavior
                                                .NO_ADVERTISE,
                                        ApplicationProtocolConfig.SelectedListenerFailureBehavior
                                                .ACCEPT,
                                        "h2"))
                        .build();
        return new TestServer(
                new HttpServing(ProxySettings.DEFAULT, exchanges, new Deadlines(TestServer::fail)),
                Http2Events.NONE,
                tls,
                false);
    }

    int port() {
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    /** The connections that are open. */
    ChannelGroup connections() {
        return connections;
    }

    @Override
    public void close() {
        channel.close().syncUninterruptibly();
        connections.close().awaitUninterruptibly();
        group.shutdownGracefully(0, 5, java.util.concurrent.TimeUnit.SECONDS).syncUninterruptibly();
    }

    private static void fail(Throwable bug) {
        throw new AssertionError(bug);
    }

    static ClientConnection client(Channel channel) {
        InetSocketAddress nowhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        return new ClientConnection(
                new Listener("test", "127.0.0.1", 0, new ListenerProtocol.Http()),
                channel.remoteAddress() instanceof InetSocketAddress remote ? remote : nowhere,
                channel.localAddress() instanceof InetSocketAddress local ? local : nowhere,
                "h2",
                null);
    }

    private static PlainProtocolSniffer sniffer(
            SocketChannel accepted, HttpServing serving, Http2Events events) {
        return new PlainProtocolSniffer(
                pipeline -> pipeline.addLast(new Http1Greeting()),
                pipeline -> Http2Connection.install(pipeline, client(accepted), serving, events),
                serving.settings().timeouts().header(),
                serving.deadlines().of(accepted.eventLoop()));
    }
}

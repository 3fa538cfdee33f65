package dev.sallyport.bench.spike;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ApplicationProtocolNegotiationHandler;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import javax.net.ssl.SSLException;

/**
 * A TLS-terminating proxy for HTTP/1.1 and HTTP/2 that does nothing else: one certificate, one
 * backend, no routing, no log, no metrics, no deadlines, no checks beyond Netty's own. What it
 * costs is the floor for a gateway on Netty. Only to be measured: it must never face a network.
 *
 * <p>Same shape as the gateway's data plane: both sides of an exchange on one event loop, a pool of
 * backend connections per loop, nothing aggregated, HTTP/2 at connection level, one flush per turn.
 *
 * <p>{@code BareProxy PORT BACKEND_PORT CERTIFICATE.pem KEY.pem}, on the loopback address.
 */
public final class BareProxy {
    private final SslContext tls;
    private final BackendPools pools;

    private BareProxy(SslContext tls, BackendPools pools) {
        this.tls = tls;
        this.pools = pools;
    }

    /** See the class comment. */
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        var backend =
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1]));
        var proxy =
                new BareProxy(tls(new File(args[2]), new File(args[3])), new BackendPools(backend));
        Channel server = proxy.bind(port);
        System.out.println("listening on " + server.localAddress());
        server.closeFuture().sync();
    }

    private Channel bind(int port) throws InterruptedException {
        var loops = new MultiThreadIoEventLoopGroup(EpollIoHandler.newFactory());
        return new ServerBootstrap()
                .group(loops)
                .channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 4096)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(
                        new ChannelInitializer<Channel>() {
                            @Override
                            protected void initChannel(Channel client) {
                                client.pipeline()
                                        .addLast(tls.newHandler(client.alloc()), new ByProtocol());
                            }
                        })
                .bind(InetAddress.getLoopbackAddress(), port)
                .sync()
                .channel();
    }

    private final class ByProtocol extends ApplicationProtocolNegotiationHandler {
        ByProtocol() {
            super(ApplicationProtocolNames.HTTP_1_1);
        }

        @Override
        protected void configurePipeline(ChannelHandlerContext ctx, String protocol) {
            BackendPool pool = pools.of(ctx.channel().eventLoop());
            if (protocol.equals(ApplicationProtocolNames.HTTP_2)) {
                ctx.pipeline().addLast(Http2Side.handler(pool));
            } else {
                ctx.pipeline().addLast(new HttpServerCodec(), new Http1Side(pool));
            }
        }
    }

    private static SslContext tls(File certificate, File key) throws SSLException {
        return SslContextBuilder.forServer(certificate, key)
                .sslProvider(SslProvider.OPENSSL_REFCNT)
                .protocols("TLSv1.3", "TLSv1.2")
                .option(
                        OpenSslContextOption.GROUPS,
                        new String[] {"X25519MLKEM768", "X25519", "P-256", "P-384"})
                .applicationProtocolConfig(
                        new ApplicationProtocolConfig(
                                ApplicationProtocolConfig.Protocol.ALPN,
                                ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                                ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                                ApplicationProtocolNames.HTTP_2,
                                ApplicationProtocolNames.HTTP_1_1))
                .build();
    }
}

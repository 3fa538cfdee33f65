package dev.sallyport.bench.load;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;

/** Asks a port who it is: one full TLS 1.3 handshake by server name, cheap for the client. */
final class Knock implements AutoCloseable {
    /** A handshake that failed: while a host has no certificate, a peer may refuse its name. */
    static final BigInteger REFUSED = BigInteger.ONE.negate();

    private final EventLoopGroup loop =
            new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final SslContext tls;

    Knock() throws SSLException {
        tls =
                SslContextBuilder.forClient()
                        .sslProvider(SslProvider.OPENSSL)
                        .protocols("TLSv1.3")
                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                        .endpointIdentificationAlgorithm("")
                        .build();
        // A resumed session shows its own certificate, not the one in service.
        ((OpenSslSessionContext) tls.sessionContext()).setSessionCacheEnabled(false);
    }

    /** The serial number of the certificate that is served for a name now, or {@link #REFUSED}. */
    BigInteger serial(InetSocketAddress address, String host)
            throws InterruptedException, ExecutionException {
        var serial = new CompletableFuture<BigInteger>();
        var connecting =
                new Bootstrap()
                        .group(loop)
                        .channel(EpollSocketChannel.class)
                        .option(ChannelOption.TCP_NODELAY, true)
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 5_000)
                        .handler(
                                new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        channel.pipeline()
                                                .addLast(
                                                        handler(channel, host), new Serial(serial));
                                    }
                                })
                        .connect(address);
        connecting.addListener(_ -> {
            if (!connecting.isSuccess()) {
                serial.completeExceptionally(connecting.cause());
            }
        });
        return serial.get();
    }

    private SslHandler handler(Channel channel, String host) {
        SslHandler handler = tls.newHandler(channel.alloc());
        SSLParameters parameters = handler.engine().getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName(host)));
        handler.engine().setSSLParameters(parameters);
        return handler;
    }

    @Override
    public void close() {
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private static final class Serial extends ChannelInboundHandlerAdapter {
        private final CompletableFuture<BigInteger> serial;

        Serial(CompletableFuture<BigInteger> serial) {
            this.serial = serial;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
            if (event instanceof SslHandshakeCompletionEvent handshake) {
                if (handshake.isSuccess()) {
                    var session = ctx.pipeline().get(SslHandler.class).engine().getSession();
                    var leaf = (X509Certificate) session.getPeerCertificates()[0];
                    serial.complete(leaf.getSerialNumber());
                }
                var _ = ctx.close();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            serial.complete(REFUSED);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            var _ = ctx.close();
        }
    }
}

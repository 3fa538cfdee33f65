package dev.sallyport.tls.front;

import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.listener.TlsPolicy;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Ports on loopback that answer each handshake with one line, which tells what was established, and
 * close.
 */
final class TestServer implements AutoCloseable {
    final TlsFront front;
    final AtomicReference<CertificateTable> table = new AtomicReference<>(CertificateTable.EMPTY);
    final Outcomes outcomes = new Outcomes();
    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());

    TestServer(TlsFront front) {
        this.front = front;
    }

    /** Opens a port with a policy. */
    int listen(TlsPolicy policy, HandshakeLimits limits) {
        TlsAcceptor acceptor = front.acceptor(policy, table::get, limits, outcomes);
        Channel channel =
                new ServerBootstrap()
                        .group(group)
                        .channel(NioServerSocketChannel.class)
                        .childHandler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel child) {
                                        child.pipeline()
                                                .addLast(acceptor.newHandler(), new Reporter());
                                    }
                                })
                        .bind(InetAddress.getLoopbackAddress(), 0)
                        .syncUninterruptibly()
                        .channel();
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    int listen(TlsPolicy policy) {
        return listen(policy, HandshakeLimits.DEFAULT);
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        front.close();
    }

    private static final class Reporter extends ChannelInboundHandlerAdapter {
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof TlsEstablished established) {
                ctx.writeAndFlush(
                                Unpooled.copiedBuffer(
                                        describe(established), StandardCharsets.US_ASCII))
                        .addListener(ChannelFutureListener.CLOSE);
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            var _ = ctx.close();
        }
    }

    private static String describe(TlsEstablished e) {
        String subject = e.certificates().certificates().getFirst().bundle().subject().substring(3);
        return "sni="
                + e.serverName()
                + " set="
                + subject
                + " fallback="
                + e.fallback()
                + " alpn="
                + e.applicationProtocol()
                + " version="
                + e.version()
                + " cipher="
                + e.cipher()
                + " resumed="
                + e.resumed()
                + "\n";
    }
}

package dev.sallyport.conformance;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Frame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2SettingsFrame;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.concurrent.Future;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** An HTTP/2 client that can do what curl and the JDK's cannot: extended CONNECT (RFC 8441). */
final class Http2Client implements AutoCloseable {

    private static final int LIMIT_SECONDS = 20;

    private final EventLoopGroup loop;
    private final Channel connection;
    private final SettingsReader reader;

    private Http2Client(EventLoopGroup loop, Channel connection, SettingsReader reader) {
        this.loop = loop;
        this.connection = connection;
        this.reader = reader;
    }

    /** A connection over TLS to a port of this machine. */
    static Http2Client connect(int port, String serverName) throws Exception {
        return connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), serverName);
    }

    /** A connection over TLS. */
    static Http2Client connect(InetSocketAddress address, String serverName) throws Exception {
        var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        var reader = new SettingsReader();
        SslContext tls = context();
        ChannelFuture connecting =
                new Bootstrap()
                        .group(loop)
                        .channel(NioSocketChannel.class)
                        .handler(
                                new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        channel.pipeline()
                                                .addLast(
                                                        tls.newHandler(
                                                                channel.alloc(),
                                                                serverName,
                                                                address.getPort()))
                                                .addLast(Http2FrameCodecBuilder.forClient().build())
                                                .addLast(reader)
                                                .addLast(new Http2MultiplexHandler(new Ignoring()));
                                    }
                                })
                        .connect(address)
                        .await();
        if (!connecting.isSuccess()) {
            end(loop);
            throw new IOException("no connection to " + address, connecting.cause());
        }
        return new Http2Client(loop, connecting.channel(), reader);
    }

    private static SslContext context() throws SSLException {
        return SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .endpointIdentificationAlgorithm("")
                .applicationProtocolConfig(
                        new ApplicationProtocolConfig(
                                Protocol.ALPN,
                                SelectorFailureBehavior.NO_ADVERTISE,
                                SelectedListenerFailureBehavior.ACCEPT,
                                ApplicationProtocolNames.HTTP_2))
                .build();
    }

    /** What the gateway announced. */
    Http2Settings settings() throws Exception {
        return reader.settings.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Whether the gateway said that it takes no more requests on this connection. */
    boolean goesAway() {
        return reader.goesAway;
    }

    /** Nothing was sent, as the gateway takes no more requests on this connection. */
    static final class GoesAway extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /**
     * Sends the head of a request.
     *
     * @throws GoesAway if it was not sent
     */
    Stream open(Http2Headers headers, boolean last) throws Exception {
        var stream = new Stream();
        var sent = new CompletableFuture<Http2StreamChannel>();
        // On the event loop, where no GOAWAY comes between the look and the request.
        var _ =
                new Http2StreamChannelBootstrap(connection)
                        .handler(stream.reader())
                        .open()
                        .addListener((Future<Http2StreamChannel> opened) -> {
                            if (!opened.isSuccess()) {
                                sent.completeExceptionally(opened.cause());
                            } else if (reader.goesAway) {
                                var _ = opened.getNow().close();
                                sent.completeExceptionally(new GoesAway());
                            } else {
                                send(
                                        opened.getNow(),
                                        new DefaultHttp2HeadersFrame(headers, last),
                                        sent);
                            }
                        });
        try {
            stream.channel = sent.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof GoesAway unsent ? unsent : e;
        }
        return stream;
    }

    private static void send(
            Http2StreamChannel channel,
            Http2HeadersFrame frame,
            CompletableFuture<Http2StreamChannel> sent) {
        var _ =
                channel.writeAndFlush(frame)
                        .addListener(written -> {
                            if (written.isSuccess()) {
                                sent.complete(channel);
                            } else {
                                sent.completeExceptionally(written.cause());
                            }
                        });
    }

    @Override
    public void close() {
        connection.close().syncUninterruptibly();
        end(loop);
    }

    private static void end(EventLoopGroup loop) {
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** One request with its response. */
    static final class Stream {
        private final CompletableFuture<Http2Headers> head = new CompletableFuture<>();
        private final CompletableFuture<@Nullable Void> end = new CompletableFuture<>();
        private final BlockingQueue<byte[]> data = new LinkedBlockingQueue<>();
        private final ByteArrayOutputStream left = new ByteArrayOutputStream();
        private @Nullable Http2StreamChannel channel;

        private SimpleChannelInboundHandler<Http2Frame> reader() {
            return new SimpleChannelInboundHandler<>() {
                @Override
                protected void channelRead0(ChannelHandlerContext ctx, Http2Frame frame) {
                    switch (frame) {
                        case Http2HeadersFrame headers -> {
                            head.complete(headers.headers());
                            ended(headers.isEndStream());
                        }
                        case Http2DataFrame bytes -> {
                            byte[] copy = new byte[bytes.content().readableBytes()];
                            bytes.content().readBytes(copy);
                            data.add(copy);
                            ended(bytes.isEndStream());
                        }
                        case Http2ResetFrame reset -> {
                            var why = new AssertionError("reset: " + reset.errorCode());
                            head.completeExceptionally(why);
                            end.completeExceptionally(why);
                        }
                        default -> {
                            // Window updates and the like.
                        }
                    }
                }

                @Override
                public void channelInactive(ChannelHandlerContext ctx) {
                    var why = new ClosedChannelException();
                    head.completeExceptionally(why);
                    end.completeExceptionally(why);
                    ctx.fireChannelInactive();
                }
            };
        }

        private void ended(boolean last) {
            if (last) {
                end.complete(null);
            }
        }

        /** Waits for the whole response. */
        void awaitEnd() throws Exception {
            end.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        }

        /** The status of the response. */
        String status() throws Exception {
            return head.get(LIMIT_SECONDS, TimeUnit.SECONDS).status().toString();
        }

        /** Sends a part of the body. */
        void send(byte[] bytes, boolean last) throws Exception {
            Objects.requireNonNull(channel)
                    .writeAndFlush(new DefaultHttp2DataFrame(Unpooled.wrappedBuffer(bytes), last))
                    .sync();
        }

        /** Reads so many bytes of the body; more may come with them and stay for the next call. */
        byte[] read(int count) throws Exception {
            while (left.size() < count) {
                byte[] more = data.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
                if (more == null) {
                    throw new AssertionError("only " + left.size() + " of " + count + " bytes");
                }
                left.writeBytes(more);
            }
            byte[] all = left.toByteArray();
            left.reset();
            left.write(all, count, all.length - count);
            return Arrays.copyOf(all, count);
        }
    }

    /** What the gateway says of the connection; the event loop writes it. */
    private static final class SettingsReader extends ChannelInboundHandlerAdapter {
        private final CompletableFuture<Http2Settings> settings = new CompletableFuture<>();
        private volatile boolean goesAway;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (message instanceof Http2SettingsFrame frame) {
                settings.complete(frame.settings());
            } else if (message instanceof Http2GoAwayFrame) {
                goesAway = true;
            }
            ctx.fireChannelRead(message);
        }
    }

    /** Streams that a server would open; there are none. */
    @Sharable
    private static final class Ignoring extends ChannelInboundHandlerAdapter {}
}

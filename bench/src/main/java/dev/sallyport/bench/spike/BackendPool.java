package dev.sallyport.bench.spike;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The idle backend connections of one event loop; confined to it. */
final class BackendPool {
    private final Bootstrap bootstrap;
    private final Deque<Connection> idle = new ArrayDeque<>();

    BackendPool(EventLoop loop, InetSocketAddress backend) {
        bootstrap =
                new Bootstrap()
                        .group(loop)
                        .channel(EpollSocketChannel.class)
                        .option(ChannelOption.TCP_NODELAY, true)
                        .remoteAddress(backend)
                        .handler(
                                new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel channel) {}
                                });
    }

    /** What a client's side is told of the response. */
    interface Listener {
        void onHead(HttpResponse head);

        /** Owns {@code content}; the last piece ends the response. */
        void onContent(HttpContent content);

        /** The socket has no more to read for now. */
        void onReadComplete();

        void onFailure();
    }

    /** An idle connection, or one that is being made and keeps what is written meanwhile. */
    Connection take(Listener listener) {
        Connection connection = idle.pollLast();
        if (connection == null) {
            connection = new Connection();
            connection.connect(bootstrap);
        }
        connection.listener = listener;
        return connection;
    }

    /** One backend connection, with at most one request on it. */
    final class Connection extends ChannelInboundHandlerAdapter {
        private final List<Object> early = new ArrayList<>();
        private @Nullable Channel channel;
        private @Nullable Listener listener;
        private boolean keepAlive;
        private boolean requestEnded;
        private boolean responseEnded;

        private void connect(Bootstrap bootstrap) {
            ChannelFuture connecting = bootstrap.connect();
            connecting.addListener(_ -> {
                if (!connecting.isSuccess()) {
                    early.forEach(ReferenceCountUtil::release);
                    fail();
                    return;
                }
                channel = connecting.channel();
                channel.pipeline().addLast(new HttpClientCodec(), this);
                for (Object part : early) {
                    var _ = channel.write(part, channel.voidPromise());
                }
                early.clear();
                channel.flush();
            });
        }

        void write(Object part) {
            if (part instanceof HttpRequest) {
                requestEnded = false;
                responseEnded = false;
            }
            requestEnded |= part instanceof LastHttpContent;
            if (channel == null) {
                early.add(part);
            } else {
                var _ = channel.write(part, channel.voidPromise());
            }
        }

        void flush() {
            if (channel != null) {
                channel.flush();
            }
        }

        void setReading(boolean reading) {
            if (channel != null) {
                channel.config().setAutoRead(reading);
            }
        }

        /** Gives up on the response. */
        void cancel() {
            listener = null;
            if (channel != null) {
                var _ = channel.close();
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            Listener told = listener;
            if (told == null) {
                ReferenceCountUtil.release(message);
                return;
            }
            if (message instanceof HttpResponse head) {
                keepAlive = HttpUtil.isKeepAlive(head);
                told.onHead(head);
            }
            if (message instanceof HttpContent content) {
                if (content instanceof LastHttpContent) {
                    listener = null;
                    responseEnded = true;
                    told.onContent(content);
                    told.onReadComplete();
                    release(ctx.channel());
                } else {
                    told.onContent(content);
                }
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            if (listener != null) {
                listener.onReadComplete();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            idle.remove(this);
            fail();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            var _ = ctx.close();
        }

        private void release(Channel done) {
            if (keepAlive && requestEnded && responseEnded) {
                done.config().setAutoRead(true);
                idle.addLast(this);
            } else {
                var _ = done.close();
            }
        }

        private void fail() {
            Listener told = listener;
            listener = null;
            if (told != null) {
                told.onFailure();
            }
        }
    }
}

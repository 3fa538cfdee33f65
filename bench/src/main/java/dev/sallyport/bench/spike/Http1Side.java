package dev.sallyport.bench.spike;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/** The client's side of HTTP/1.1 exchanges, one after the other. */
final class Http1Side extends ChannelInboundHandlerAdapter implements BackendPool.Listener {
    private final BackendPool pool;
    private @Nullable ChannelHandlerContext client;
    private BackendPool.@Nullable Connection backend;
    private boolean answeredHere;
    private boolean keepAlive;

    Http1Side(BackendPool pool) {
        this.pool = pool;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        client = ctx;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof HttpRequest request) {
            keepAlive = HttpUtil.isKeepAlive(request);
            answeredHere = request.uri().startsWith("/none");
            if (!answeredHere) {
                request.headers().remove(HttpHeaderNames.CONNECTION);
                backend = pool.take(this);
                backend.write(request);
                return;
            }
        }
        if (answeredHere) {
            if (message instanceof LastHttpContent) {
                answerNotFound(ctx);
            }
            ReferenceCountUtil.release(message);
        } else if (backend == null) {
            ReferenceCountUtil.release(message);
        } else if (message instanceof HttpContent content) {
            backend.write(content);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (backend != null) {
            backend.flush();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (backend != null) {
            backend.setReading(ctx.channel().isWritable());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (backend != null) {
            backend.cancel();
            backend = null;
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        var _ = ctx.close();
    }

    @Override
    public void onHead(HttpResponse head) {
        if (client != null) {
            HttpUtil.setKeepAlive(head, keepAlive);
            var _ = client.write(head, client.voidPromise());
        }
    }

    @Override
    public void onContent(HttpContent content) {
        if (client == null) {
            content.release();
            return;
        }
        if (content instanceof LastHttpContent) {
            backend = null;
            if (!keepAlive) {
                client.writeAndFlush(content).addListener(ChannelFutureListener.CLOSE);
                return;
            }
        }
        var _ = client.write(content, client.voidPromise());
    }

    @Override
    public void onReadComplete() {
        if (client != null) {
            client.flush();
        }
    }

    @Override
    public void onFailure() {
        if (client != null) {
            var _ = client.close();
        }
    }

    private void answerNotFound(ChannelHandlerContext ctx) {
        var response =
                new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1, HttpResponseStatus.NOT_FOUND, Unpooled.EMPTY_BUFFER);
        HttpUtil.setContentLength(response, 0);
        HttpUtil.setKeepAlive(response, keepAlive);
        var written = ctx.writeAndFlush(response);
        if (!keepAlive) {
            written.addListener(ChannelFutureListener.CLOSE);
        }
    }
}

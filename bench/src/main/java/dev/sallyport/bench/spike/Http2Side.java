package dev.sallyport.bench.spike;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.AsciiString;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The client's side of the HTTP/2 exchanges of one connection. */
final class Http2Side extends Http2FrameAdapter {
    private static final AsciiString NOT_FOUND = AsciiString.cached("404");

    private final BackendPool pool;
    private final IntObjectMap<Exchange> exchanges = new IntObjectHashMap<>();
    private @Nullable Http2ConnectionHandler handler;
    private boolean flushing;

    private Http2Side(BackendPool pool) {
        this.pool = pool;
    }

    /** A connection's handler. */
    static Http2ConnectionHandler handler(BackendPool pool) {
        var side = new Http2Side(pool);
        Http2ConnectionHandler handler =
                new Http2ConnectionHandlerBuilder()
                        .server(true)
                        .frameListener(side)
                        .initialSettings(Http2Settings.defaultSettings().maxConcurrentStreams(128))
                        .build();
        side.handler = handler;
        handler.connection()
                .remote()
                .flowController()
                .listener(stream -> {
                    Exchange exchange = side.exchanges.get(stream.id());
                    if (exchange != null) {
                        exchange.onWritabilityChanged(stream);
                    }
                });
        return handler;
    }

    @Override
    public void onHeadersRead(
            ChannelHandlerContext ctx,
            int streamId,
            Http2Headers headers,
            int streamDependency,
            short weight,
            boolean exclusive,
            int padding,
            boolean endOfStream) {
        onHeadersRead(ctx, streamId, headers, padding, endOfStream);
    }

    @Override
    public void onHeadersRead(
            ChannelHandlerContext ctx,
            int streamId,
            Http2Headers headers,
            int padding,
            boolean endOfStream) {
        if (headers.path().toString().startsWith("/none")) {
            var _ =
                    encoder()
                            .writeHeaders(
                                    ctx,
                                    streamId,
                                    new DefaultHttp2Headers(false).status(NOT_FOUND),
                                    0,
                                    true,
                                    ctx.newPromise());
            flushLater(ctx);
            return;
        }
        Exchange exchange = new Exchange(ctx, streamId);
        exchanges.put(streamId, exchange);
        exchange.send(request(headers), endOfStream);
    }

    @Override
    public int onDataRead(
            ChannelHandlerContext ctx,
            int streamId,
            ByteBuf data,
            int padding,
            boolean endOfStream) {
        Exchange exchange = exchanges.get(streamId);
        if (exchange != null) {
            exchange.send(data.retain(), endOfStream);
        }
        return data.readableBytes() + padding;
    }

    @Override
    public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long errorCode) {
        Exchange exchange = exchanges.remove(streamId);
        if (exchange != null) {
            exchange.backend.cancel();
        }
    }

    private io.netty.handler.codec.http2.Http2ConnectionEncoder encoder() {
        if (handler == null) {
            throw new IllegalStateException("handler: none");
        }
        return handler.encoder();
    }

    /** One flush for all that is written in this turn of the loop. */
    private void flushLater(ChannelHandlerContext ctx) {
        if (!flushing) {
            flushing = true;
            ctx.channel()
                    .eventLoop()
                    .execute(() -> {
                        flushing = false;
                        if (handler != null) {
                            handler.flush(ctx);
                        }
                    });
        }
    }

    private static DefaultHttpRequest request(Http2Headers from) {
        var request =
                new DefaultHttpRequest(
                        HttpVersion.HTTP_1_1,
                        HttpMethod.valueOf(from.method().toString()),
                        from.path().toString());
        for (Map.Entry<CharSequence, CharSequence> field : from) {
            CharSequence name = field.getKey();
            if (name.charAt(0) != ':') {
                request.headers().add(name, field.getValue());
            }
        }
        request.headers().set(HttpHeaderNames.HOST, from.authority());
        return request;
    }

    private final class Exchange implements BackendPool.Listener {
        private final ChannelHandlerContext ctx;
        private final int streamId;
        private final BackendPool.Connection backend;

        Exchange(ChannelHandlerContext ctx, int streamId) {
            this.ctx = ctx;
            this.streamId = streamId;
            this.backend = pool.take(this);
        }

        void send(DefaultHttpRequest head, boolean endOfStream) {
            if (!endOfStream && !head.headers().contains(HttpHeaderNames.CONTENT_LENGTH)) {
                head.headers().set(HttpHeaderNames.TRANSFER_ENCODING, "chunked");
            }
            backend.write(head);
            if (endOfStream) {
                backend.write(LastHttpContent.EMPTY_LAST_CONTENT);
            }
            backend.flush();
        }

        void send(ByteBuf data, boolean endOfStream) {
            backend.write(
                    endOfStream ? new DefaultLastHttpContent(data) : new DefaultHttpContent(data));
            backend.flush();
        }

        void onWritabilityChanged(Http2Stream stream) {
            backend.setReading(encoder().flowController().isWritable(stream));
        }

        @Override
        public void onHead(HttpResponse head) {
            var headers = new DefaultHttp2Headers(false);
            headers.status(head.status().codeAsText());
            Iterator<Map.Entry<CharSequence, CharSequence>> fields =
                    head.headers().iteratorCharSequence();
            while (fields.hasNext()) {
                Map.Entry<CharSequence, CharSequence> field = fields.next();
                CharSequence name = AsciiString.of(field.getKey()).toLowerCase();
                if (!HttpHeaderNames.CONNECTION.contentEquals(name)
                        && !HttpHeaderNames.TRANSFER_ENCODING.contentEquals(name)
                        && !"keep-alive".contentEquals(name)) {
                    headers.add(name, field.getValue());
                }
            }
            var _ = encoder().writeHeaders(ctx, streamId, headers, 0, false, ctx.newPromise());
        }

        @Override
        public void onContent(HttpContent content) {
            boolean last = content instanceof LastHttpContent;
            var _ =
                    encoder()
                            .writeData(ctx, streamId, content.content(), 0, last, ctx.newPromise());
            if (last) {
                exchanges.remove(streamId);
                return;
            }
            Http2Stream stream = encoder().connection().stream(streamId);
            if (stream != null && !encoder().flowController().isWritable(stream)) {
                backend.setReading(false);
            }
        }

        @Override
        public void onReadComplete() {
            flushLater(ctx);
        }

        @Override
        public void onFailure() {
            exchanges.remove(streamId);
            var _ =
                    encoder()
                            .writeRstStream(
                                    ctx,
                                    streamId,
                                    Http2Error.INTERNAL_ERROR.code(),
                                    ctx.newPromise());
            flushLater(ctx);
        }
    }
}

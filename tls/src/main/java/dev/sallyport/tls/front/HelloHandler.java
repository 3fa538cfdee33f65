package dev.sallyport.tls.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The first handler of a TLS connection: reads the ClientHello without consuming it, has the
 * certificates chosen, and puts Netty's TLS handler and a {@link HandshakeWatch} in its own place.
 * Bounded in size and in time; it fails closed, a hello that does not parse is refused.
 */
final class HelloHandler extends ByteToMessageDecoder {

    private static final String HTTPS_ONLY =
            "This is an HTTPS port, but the request was sent without TLS. Use https://\n";
    private static final byte[] HTTPS_ONLY_ANSWER =
            ("HTTP/1.1 400 Bad Request\r\n"
                            + "content-type: text/plain; charset=utf-8\r\n"
                            + ("content-length: " + HTTPS_ONLY.length() + "\r\n")
                            + "connection: close\r\n\r\n"
                            + HTTPS_ONLY)
                    .getBytes(StandardCharsets.US_ASCII);

    private final TlsAcceptor acceptor;
    private final HelloAssembler assembler;
    private @Nullable Future<?> deadline;
    private long deadlineNanos; // by the event loop's ticker
    private boolean over; // handed on, or refused

    HelloHandler(TlsAcceptor acceptor) {
        this.acceptor = acceptor;
        assembler = new HelloAssembler(acceptor.limits().maxHelloBytes());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        long timeout = acceptor.limits().timeout().toNanos();
        deadlineNanos = ctx.executor().ticker().nanoTime() + timeout;
        deadline = ctx.executor().schedule(() -> timeOut(ctx), timeout, TimeUnit.NANOSECONDS);
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        if (deadline != null) {
            deadline.cancel(false);
        }
        assembler.release();
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (over) {
            in.skipBytes(in.readableBytes());
            return;
        }
        switch (assembler.advance(in, ctx.alloc())) {
            case HelloProgress.More _ -> {}
            case HelloProgress.Complete(ByteBuf body) -> {
                switch (ClientHello.read(body)) {
                    case ClientHello.Reading.Read(ClientHello hello) -> admit(ctx, in, hello);
                    case ClientHello.Reading.Refused(HandshakeFailure reason, Alert alert) ->
                            refuse(ctx, in, reason, alert);
                }
            }
            case HelloProgress.Refused(HandshakeFailure reason, @Nullable Alert alert) ->
                    refuse(ctx, in, reason, alert);
        }
    }

    private void admit(ChannelHandlerContext ctx, ByteBuf in, ClientHello hello) {
        switch (acceptor.choose(hello)) {
            case TlsAcceptor.Choice.Refused(HandshakeFailure reason, @Nullable Alert alert) ->
                    refuse(ctx, in, reason, alert);
            case TlsAcceptor.Choice.Chosen chosen -> {
                over = true;
                SslHandler tls = acceptor.newTlsHandler(ctx.alloc(), chosen);
                long left = deadlineNanos - ctx.executor().ticker().nanoTime();
                tls.setHandshakeTimeout(
                        Math.max(TimeUnit.MILLISECONDS.toNanos(1), left), TimeUnit.NANOSECONDS);
                ctx.pipeline()
                        .addAfter(ctx.name(), null, new HandshakeWatch(acceptor, chosen, tls));
                // Hands on the bytes read so far, from handlerRemoved.
                ctx.pipeline().replace(this, null, tls);
            }
        }
    }

    private void refuse(
            ChannelHandlerContext ctx, ByteBuf in, HandshakeFailure reason, @Nullable Alert alert) {
        over = true;
        in.skipBytes(in.readableBytes());
        assembler.release();
        acceptor.listener().failed(reason);
        if (alert != null) {
            ctx.writeAndFlush(alert.record()).addListener(ChannelFutureListener.CLOSE);
        } else if (reason == HandshakeFailure.PLAIN_HTTP) {
            ctx.writeAndFlush(Unpooled.wrappedBuffer(HTTPS_ONLY_ANSWER))
                    .addListener(ChannelFutureListener.CLOSE);
        } else {
            var _ = ctx.close();
        }
    }

    private void timeOut(ChannelHandlerContext ctx) {
        if (!over) {
            over = true;
            acceptor.listener().failed(HandshakeFailure.TIMEOUT);
        }
        var _ = ctx.close(); // also one that does not take the alert it was sent
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        if (!over) {
            over = true;
            acceptor.listener().failed(HandshakeFailure.CLOSED);
        }
        super.channelInactive(ctx);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!over) {
            over = true;
            acceptor.listener()
                    .failed(
                            cause instanceof IOException
                                    ? HandshakeFailure.CLOSED
                                    : HandshakeFailure.CREDENTIAL);
        }
        if (!(cause instanceof IOException)) {
            ctx.fireExceptionCaught(cause); // who comes last counts and tells
        }
        var _ = ctx.close();
    }
}

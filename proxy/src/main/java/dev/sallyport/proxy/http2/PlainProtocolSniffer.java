package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.http.DeadlineWheel;
import dev.sallyport.proxy.http.DrainSignal;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells HTTP/1.1 from HTTP/2 with prior knowledge (RFC 9113 section 3.3) by the first bytes of a
 * plain connection: the client's preface is no valid HTTP/1.1. Leaves the pipeline once that is
 * known; closes the connection where it is not known in time, which is soon for a client that has
 * said nothing when the process goes down. One for each connection.
 */
public final class PlainProtocolSniffer extends ByteToMessageDecoder {
    private static final ByteBuf PREFACE = Http2CodecUtil.connectionPrefaceBuf();

    private final Consumer<ChannelPipeline> http1;
    private final Consumer<ChannelPipeline> http2;
    private final Duration header;
    private final DeadlineWheel wheel;
    private DeadlineWheel.@Nullable Deadline deadline;

    /**
     * @param http1 makes the pipeline speak HTTP/1.1
     * @param http2 makes the pipeline speak HTTP/2
     * @param header until when enough bytes must be there; zero for no bound
     * @param wheel of the connection's event loop
     */
    public PlainProtocolSniffer(
            Consumer<ChannelPipeline> http1,
            Consumer<ChannelPipeline> http2,
            Duration header,
            DeadlineWheel wheel) {
        this.http1 = http1;
        this.http2 = http2;
        this.header = header;
        this.wheel = wheel;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        DeadlineWheel.Deadline late =
                new DeadlineWheel.Deadline() {
                    @Override
                    protected void onDeadline() {
                        var _ = ctx.close();
                    }

                    @Override
                    protected void giveUp() {
                        var _ = ctx.close();
                    }
                };
        deadline = late;
        wheel.set(late, header);
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        DeadlineWheel.Deadline late = deadline;
        if (late != null) {
            wheel.clear(late);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        DeadlineWheel.Deadline late = deadline;
        if (event == DrainSignal.BEGIN && late != null && actualReadableBytes() == 0) {
            wheel.set(late, DrainSignal.GRACE);
        }
        super.userEventTriggered(ctx, event);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        handlerRemoved0(ctx);
        super.channelInactive(ctx);
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        int known = Math.min(in.readableBytes(), PREFACE.readableBytes());
        for (int i = 0; i < known; i++) {
            if (in.getByte(in.readerIndex() + i) != PREFACE.getByte(i)) {
                become(ctx, http1);
                return;
            }
        }
        if (known == PREFACE.readableBytes()) {
            become(ctx, http2);
        }
    }

    /** The bytes read so far are fired on to what {@code protocol} adds when this is removed. */
    private void become(ChannelHandlerContext ctx, Consumer<ChannelPipeline> protocol) {
        protocol.accept(ctx.pipeline());
        ctx.pipeline().remove(this);
    }
}

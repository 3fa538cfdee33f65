package dev.sallyport.proxy.listen;

import dev.sallyport.proxy.metric.Bugs;
import dev.sallyport.proxy.metric.ProxyMetrics;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The outermost handler of a client connection: what nobody else caught ends here. A client that
 * breaks the connection or its encryption is traffic; everything else is a bug of ours, which costs
 * that one connection and is counted.
 */
final class LastResort extends ChannelInboundHandlerAdapter {
    static final String NAME = "last-resort";

    private static final Logger LOG = LoggerFactory.getLogger(LastResort.class);

    private final Bugs bugs;

    LastResort(ProxyMetrics metrics) {
        this.bugs = new Bugs(metrics);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (isTraffic(cause)) {
            LOG.atDebug()
                    .addKeyValue("client", ctx.channel().remoteAddress())
                    .setCause(cause)
                    .log("client connection broke");
        } else {
            bugs.accept(cause);
        }
        var _ = ctx.close();
    }

    /** {@code SSLException} is an {@code IOException}; Netty's decoders wrap it. */
    private static boolean isTraffic(Throwable cause) {
        return cause instanceof IOException
                || (cause instanceof DecoderException && cause.getCause() instanceof IOException);
    }
}

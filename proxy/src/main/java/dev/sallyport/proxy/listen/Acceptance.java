package dev.sallyport.proxy.listen;

import dev.sallyport.proxy.log.Seldom;
import dev.sallyport.proxy.metric.ProxyMetrics;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Judges connections as they are accepted, on the listener's event loop. One that is over a bound
 * is accepted and reset at once: a client in the backlog would wait for nothing, and would keep
 * those behind it waiting.
 *
 * <p>Where accepting fails (no file descriptor is left), it stops for a second, so that the loop
 * does not spin on a socket that stays readable. Netty's acceptor, the next handler, would do the
 * same, but also log a stack trace each time.
 */
final class Acceptance extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(Acceptance.class);

    private final ConnectionLimits limits;
    private final ProxyMetrics metrics;
    private final OpenConnections connections;
    private final Seldom worthTelling;
    private boolean told;

    /**
     * @param worthTelling when trouble that strangers can cause is worth two more lines
     */
    Acceptance(
            ConnectionLimits limits,
            ProxyMetrics metrics,
            OpenConnections connections,
            Seldom worthTelling) {
        this.limits = limits;
        this.metrics = metrics;
        this.connections = connections;
        this.worthTelling = worthTelling;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        Channel child = (Channel) message;
        if (!(child.remoteAddress() instanceof InetSocketAddress remote)
                || remote.getAddress() == null) {
            child.unsafe().closeForcibly(); // gone before it was looked at
            return;
        }
        InetAddress client = remote.getAddress();
        ProxyMetrics.ConnectionLimit reached = limits.acquire(client);
        if (reached != null) {
            refuse(child, reached);
            return;
        }
        recovered();
        metrics.connectionOpened();
        // Here and not on the connection's loop: once the listener is closed all are known.
        connections.add(child);
        child.closeFuture()
                .addListener(_ -> {
                    limits.release(client);
                    metrics.connectionClosed();
                });
        ctx.fireChannelRead(child);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        metrics.acceptFailed();
        if (isToBeTold()) {
            LOG.atWarn()
                    .addKeyValue("listener", ctx.channel().localAddress())
                    .addKeyValue("cause", cause)
                    .log("cannot accept connections, trying again every second");
        }
        pause(ctx.channel());
    }

    private static void pause(Channel listener) {
        if (listener.config().isAutoRead()) {
            listener.config().setAutoRead(false);
            var _ =
                    listener.eventLoop()
                            .schedule(
                                    () -> listener.config().setAutoRead(true), 1, TimeUnit.SECONDS);
        }
    }

    private void refuse(Channel child, ProxyMetrics.ConnectionLimit reached) {
        metrics.connectionRefused(reached);
        if (reached == ProxyMetrics.ConnectionLimit.TOTAL && isToBeTold()) {
            LOG.atWarn()
                    .addKeyValue("open", limits.open())
                    .log("at the bound of client connections, refusing new ones");
        }
        child.config().setOption(ChannelOption.SO_LINGER, 0);
        child.unsafe().closeForcibly();
    }

    private boolean isToBeTold() {
        if (told || !worthTelling.isTime()) {
            return false;
        }
        told = true;
        return true;
    }

    private void recovered() {
        if (told) {
            told = false;
            LOG.atInfo().log("accepting connections again");
        }
    }
}

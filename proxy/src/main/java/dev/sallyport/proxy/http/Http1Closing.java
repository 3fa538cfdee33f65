package dev.sallyport.proxy.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import java.time.Duration;

/**
 * How an HTTP/1.1 connection is closed, so that a client gets all of what was said last, and never
 * takes for the whole what is not. Confined to the connection's event loop.
 */
final class Http1Closing extends DeadlineWheel.Deadline {
    /** How long a client that has been sent everything may go on saying nothing. */
    private static final Duration LINGER = Duration.ofSeconds(2);

    /** How long it may go on in all. */
    private static final Duration LINGER_AT_MOST = Duration.ofSeconds(30);

    /** How much of what it goes on saying is read. */
    private static final int LINGERED = 1024 * 1024;

    private final Channel channel;
    private final DeadlineWheel wheel;
    private final Http1Output output;
    private boolean lingering;
    private long lingersUntil; // nanoseconds of the wheel
    private int dropped;

    Http1Closing(Channel channel, DeadlineWheel wheel, Http1Output output) {
        this.channel = channel;
        this.wheel = wheel;
        this.output = output;
    }

    /** Closes once everything is sent. For when the client has nothing more to say. */
    void whenSent() {
        output.flushLast();
        var _ =
                channel.writeAndFlush(Unpooled.EMPTY_BUFFER)
                        .addListener(ChannelFutureListener.CLOSE);
    }

    /**
     * Closes our side once everything is sent, and the client's a little later: a socket that is
     * closed with bytes unread is reset, and the reset may overtake what was sent last (RFC 9112
     * section 9.6).
     */
    void linger() {
        dropped = 0;
        output.flushLast(); // what the SslHandler has not encrypted when its side is closed is lost
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        ChannelFuture sent =
                tls == null ? channel.writeAndFlush(Unpooled.EMPTY_BUFFER) : tls.closeOutbound();
        var _ = sent.addListener(_ -> closeOutput());
    }

    /** Bytes came that nobody wants. */
    void drop(int bytes) {
        dropped += bytes;
        if (dropped > LINGERED) {
            channel.config().setAutoRead(false); // it has to listen now
        } else if (lingering) {
            wheel.set(this, Math.min(LINGER.toNanos(), Math.max(1, lingersUntil - wheel.now())));
        }
    }

    /**
     * Closes at once. TLS is not told: a close_notify would say that nothing is missing.
     *
     * @param reset whether nothing but a reset tells that this is not the end
     */
    void cutOff(boolean reset) {
        if (reset) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
        }
        channel.unsafe().close(channel.voidPromise());
    }

    void clear() {
        wheel.clear(this);
    }

    private void closeOutput() {
        output.sent();
        if (!(channel instanceof DuplexChannel duplex)) {
            var _ = channel.close();
        } else if (channel.isActive()) {
            var _ = duplex.shutdownOutput();
            lingering = true;
            lingersUntil = wheel.now() + LINGER_AT_MOST.toNanos();
            wheel.set(this, LINGER);
        }
    }

    /** Without a reset: the system may still be sending to a slow client. */
    @Override
    protected void onDeadline() {
        cutOff(false);
    }

    @Override
    protected void giveUp() {
        cutOff(true);
    }
}

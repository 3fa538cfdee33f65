package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.LeakPresenceDetector;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How long a client is waited for that does not read, or hardly. */
class Http1OutputTest {
    private final MockTicker ticker = Ticker.newMockTicker();
    private final SlowChannel channel;
    private final Http1Output output;
    private int stalled;

    Http1OutputTest() {
        channel = new SlowChannel(ticker);
        DeadlineWheel wheel =
                new Deadlines(
                                bug -> {
                                    throw new AssertionError(bug);
                                })
                        .of(channel.eventLoop());
        output = new Http1Output(channel, wheel, Duration.ofSeconds(30), () -> stalled++);
        channel.pipeline()
                .addLast(
                        new ChannelInboundHandlerAdapter() {
                            @Override
                            public void channelWritabilityChanged(ChannelHandlerContext ctx) {
                                output.onWritabilityChanged();
                            }
                        });
    }

    /** Takes as many bytes as the test lets it take. */
    private static final class SlowChannel extends EmbeddedChannel {
        private long allowed;

        SlowChannel(Ticker ticker) {
            super(EmbeddedChannel.builder().ticker(ticker));
            config().setWriteBufferWaterMark(new WriteBufferWaterMark(32 * 1024, 64 * 1024));
        }

        @Override
        protected void doWrite(ChannelOutboundBuffer waiting) {
            long most = waiting.totalPendingWriteBytes() - waiting.currentProgress();
            long taken = Math.min(allowed, most);
            allowed -= taken;
            waiting.removeBytes(taken);
        }

        void take(int bytes) {
            allowed += bytes;
            flush();
        }
    }

    @AfterEach
    void close() {
        output.discard();
        var _ = channel.close();
        channel.releaseOutbound();
    }

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void clientThatReadsNothingIsStalled() {
        send(100_000);
        pass(29);
        assertThat(stalled).isZero();
        pass(2);
        assertThat(stalled).isEqualTo(1);
    }

    @Test
    void clientThatReadsByteByByteIsStalledToo() {
        send(100_000);
        for (int second = 0; second < 32; second++) {
            channel.take(10);
            pass(1);
        }
        assertThat(stalled).isEqualTo(1);
    }

    @Test
    void slowClientIsNotStalled() {
        send(100_000);
        for (int second = 0; second < 300; second++) {
            channel.take(200);
            pass(1);
        }
        assertThat(stalled).isZero();
    }

    @Test
    void clientThatReadsAgainIsNotStalled() {
        send(100_000);
        pass(20);
        channel.take(90_000);
        pass(60);
        assertThat(stalled).isZero();
    }

    @Test
    void littleThatWaitsIsNoReasonToLookBeforeTheEnd() {
        send(1_000);
        pass(60);
        assertThat(stalled).isZero();
    }

    @Test
    void littleThatWaitsIsWatchedAtTheEnd() {
        send(1_000);
        output.flushLast();
        pass(31);
        assertThat(stalled).isEqualTo(1);
    }

    private void send(int bytes) {
        for (int left = bytes; left > 0; left -= 5_000) {
            output.write(TestBytes.of("x".repeat(Math.min(left, 5_000))));
        }
        channel.runPendingTasks();
    }

    private void pass(int seconds) {
        for (int tick = 0; tick < seconds * 10; tick++) {
            ticker.advanceMillis(100);
            channel.runScheduledPendingTasks();
        }
    }
}

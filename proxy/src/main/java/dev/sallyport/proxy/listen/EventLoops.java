package dev.sallyport.proxy.listen;

import dev.sallyport.proxy.metric.Metric;
import dev.sallyport.proxy.metric.ProxyMetrics;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The threads that carry all traffic. */
public final class EventLoops {
    private EventLoops() {}

    /**
     * Starts them, and measures how late their timers run.
     *
     * @param count 0 for one per processor
     */
    public static EventLoopGroup start(Transport transport, int count, ProxyMetrics metrics) {
        int threads = count > 0 ? count : Runtime.getRuntime().availableProcessors();
        var loops =
                new MultiThreadIoEventLoopGroup(
                        threads, new DefaultThreadFactory("loop"), transport.handlers());
        EventLoopLag.measure(loops, metrics);
        if (ByteBufAllocator.DEFAULT instanceof ByteBufAllocatorMetricProvider provider) {
            metrics.gauge(Metric.DIRECT_MEMORY, () -> provider.metric().usedDirectMemory());
        }
        return loops;
    }

    /** Ends them and waits, at most so long. */
    public static void stop(EventLoopGroup loops, Duration atMost) {
        long nanos = atMost.toNanos();
        boolean _ =
                loops.shutdownGracefully(0, nanos, TimeUnit.NANOSECONDS)
                        .awaitUninterruptibly(nanos, TimeUnit.NANOSECONDS);
    }
}

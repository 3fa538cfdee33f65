package dev.sallyport.proxy.listen;

import dev.sallyport.proxy.metric.Metric;
import dev.sallyport.proxy.metric.ProxyMetrics;
import dev.sallyport.proxy.metric.Reading;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** How late timers run on each event loop: the first sign of something that blocks it. */
final class EventLoopLag implements Runnable {
    private static final long PERIOD = TimeUnit.SECONDS.toNanos(1);

    private final EventLoop loop;
    private long expected; // of the loop's ticker
    private volatile long lag;

    private EventLoopLag(EventLoop loop) {
        this.loop = loop;
    }

    /** Measures from now on, until the loops end. */
    static void measure(EventLoopGroup loops, ProxyMetrics metrics) {
        List<EventLoopLag> all = new ArrayList<>();
        for (EventExecutor executor : loops) {
            var lag = new EventLoopLag((EventLoop) executor);
            all.add(lag);
            executor.execute(lag::again);
        }
        metrics.gauges(
                Metric.EVENT_LOOP_LAG,
                () -> {
                    List<Reading.Value> values = new ArrayList<>();
                    for (int i = 0; i < all.size(); i++) {
                        values.add(
                                new Reading.Value(
                                        List.of(Integer.toString(i)), all.get(i).lag / 1e9));
                    }
                    return values;
                });
    }

    @Override
    public void run() {
        lag = Math.max(0, loop.ticker().nanoTime() - expected);
        again();
    }

    private void again() {
        expected = loop.ticker().nanoTime() + PERIOD;
        var _ = loop.schedule(this, PERIOD, TimeUnit.NANOSECONDS);
    }
}

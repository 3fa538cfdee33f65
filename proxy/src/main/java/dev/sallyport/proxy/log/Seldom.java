package dev.sallyport.proxy.log;

import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * When to say again what strangers can cause: the first time, and then once in a while. Safe from
 * any thread.
 */
public final class Seldom {
    private final Ticker ticker;
    private final long pause;
    private final AtomicLong next; // nanoseconds of the ticker

    /** It is time now, and at most once in {@code pause} afterwards. */
    public Seldom(Ticker ticker, Duration pause) {
        this.ticker = ticker;
        this.pause = pause.toNanos();
        this.next = new AtomicLong(ticker.nanoTime());
    }

    /** True for one caller in each pause. */
    public boolean isTime() {
        long due = next.get();
        long now = ticker.nanoTime();
        return now - due >= 0 && next.compareAndSet(due, now + pause);
    }
}

package dev.sallyport.proxy.drain;

import dev.sallyport.proxy.ProxySettings.Timeouts;
import dev.sallyport.proxy.http.DrainSignal;
import dev.sallyport.proxy.listen.ListenerSet;
import dev.sallyport.proxy.listen.OpenConnections;
import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the client side of a data plane without failing a request, as far as time allows. Load
 * balancers need a while to notice that it is not ready: for so long it goes on accepting, but each
 * connection that answers a request ends with it, so that not all have to end at once. Then no
 * connection is accepted, and those without a request end after a moment in which one may still
 * arrive. What is left after that is closed.
 *
 * <p>Run once, on a thread that may block; {@link #begun} and {@link #hurry} from any.
 */
public final class Drain {
    private static final Logger LOG = LoggerFactory.getLogger(Drain.class);
    private static final Duration CLOSING = Duration.ofSeconds(1);

    private final Timeouts timeouts;
    private final ListenerSet listeners;
    private final OpenConnections connections;
    private final Ticker ticker;
    private final CountDownLatch hurry = new CountDownLatch(1);
    private volatile boolean begun;

    /** Does nothing yet. */
    public Drain(
            Timeouts timeouts, ListenerSet listeners, OpenConnections connections, Ticker ticker) {
        this.timeouts = timeouts;
        this.listeners = listeners;
        this.connections = connections;
        this.ticker = ticker;
    }

    /** Whether the process is going down: not ready. */
    public boolean begun() {
        return begun;
    }

    /** Skips the delay before listeners are closed. */
    public void hurry() {
        hurry.countDown();
    }

    /**
     * Drains.
     *
     * @return the connections that had to be closed because time ran out
     */
    public int run() throws InterruptedException {
        begun = true;
        Duration delay = timeouts.drainDelay();
        if (!delay.isZero()) {
            LOG.atInfo().addKeyValue("delay", delay).log("going down: not ready, still accepting");
            connections.tell(DrainSignal.NOTICE);
            boolean _ = hurry.await(delay.toNanos(), TimeUnit.NANOSECONDS);
        }
        LOG.atInfo()
                .addKeyValue("connections", connections.size())
                .addKeyValue("atMost", timeouts.drain())
                .log("going down: accepting no more");
        listeners.close();
        connections.tell(DrainSignal.BEGIN);
        boolean drained = connections.awaitNone(timeouts.drain(), ticker);
        int left = drained ? 0 : connections.size();
        if (left > 0) {
            LOG.atWarn()
                    .addKeyValue("connections", left)
                    .log("time is up: closing connections that are still open");
            connections.closeAll();
            boolean _ = connections.awaitNone(CLOSING, ticker);
        }
        return left;
    }
}

package dev.sallyport.proxy.metric;

import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts and tells what nobody expected: exceptions, and errors such as memory that runs out. Each
 * costs the connection it happened on and nothing else. Safe from any thread.
 */
public record Bugs(ProxyMetrics metrics) implements Consumer<Throwable> {
    private static final Logger LOG = LoggerFactory.getLogger(Bugs.class);

    @Override
    public void accept(Throwable bug) {
        metrics.bug();
        LOG.atError().setCause(bug).log("bug, its connection is closed");
    }
}

package dev.sallyport.bench.spike;

import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A pool for each event loop. */
final class BackendPools {
    private final InetSocketAddress backend;
    private final Map<EventLoop, BackendPool> pools = new ConcurrentHashMap<>();

    BackendPools(InetSocketAddress backend) {
        this.backend = backend;
    }

    /** The pool of {@code loop}; any thread. */
    BackendPool of(EventLoop loop) {
        return pools.computeIfAbsent(loop, l -> new BackendPool(l, backend));
    }
}

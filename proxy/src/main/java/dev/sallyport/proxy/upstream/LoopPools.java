package dev.sallyport.proxy.upstream;

import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.metric.Bugs;
import dev.sallyport.proxy.metric.ProxyMetrics;
import io.netty.channel.EventLoop;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * All that one event loop holds towards backends. Confined to the loop: a request and its
 * connection to the backend never leave it.
 */
final class LoopPools {
    private static final long SLOWEST_SWEEP = TimeUnit.SECONDS.toNanos(5);
    private static final long FASTEST_SWEEP = TimeUnit.MILLISECONDS.toNanos(20);

    private final UpstreamRegistry registry;
    private final EventLoop eventLoop;
    private final Connector connector;
    private final RequestEncoder encoder = new RequestEncoder();
    private final Map<UpstreamKey, Balancer> balancers = new HashMap<>();
    private final Map<Endpoint, EndpointPool> pools = new HashMap<>();
    private final long idleTimeout;
    private boolean sweeping;
    private boolean closed;

    LoopPools(UpstreamRegistry registry, EventLoop eventLoop, Connector connector) {
        this.registry = registry;
        this.eventLoop = eventLoop;
        this.connector = connector;
        this.idleTimeout = registry.settings().timeouts().upstreamIdle().toNanos();
    }

    UpstreamRegistry registry() {
        return registry;
    }

    EventLoop eventLoop() {
        return eventLoop;
    }

    RequestEncoder encoder() {
        return encoder;
    }

    ProxySettings.Limits limits() {
        return registry.settings().limits();
    }

    ProxyMetrics metrics() {
        return registry.metrics();
    }

    long connectTimeout() {
        return registry.settings().timeouts().upstreamConnect().toNanos();
    }

    long nanoTime() {
        return eventLoop.ticker().nanoTime();
    }

    boolean closed() {
        return closed;
    }

    Runnable open(Upstream upstream, @Nullable Endpoint avoid, UpstreamCall.Listener listener) {
        var attempt = new Attempt(this, avoid, listener);
        if (closed) {
            attempt.fail(ProxyError.DRAINING, null);
        } else {
            balancer(upstream).begin(attempt);
        }
        return attempt;
    }

    /** Makes a connection for {@code attempt}; the permit for it was taken. */
    void connect(EndpointPool pool, Attempt attempt) {
        pool.began();
        connector.connect(
                pool,
                new Connector.Result() {
                    @Override
                    public void connected(UpstreamConnection connection) {
                        pool.permits().connected();
                        metrics().upstreamOpened();
                        pool.ended();
                        if (attempt.over()) {
                            connection.offer();
                        } else {
                            connection.handOver(attempt);
                        }
                    }

                    @Override
                    public void failed(ProxyError why) {
                        pool.permits().failed();
                        metrics().upstreamConnectFailed();
                        pool.ended();
                        pool.released();
                        attempt.fail(why, pool.endpoint());
                    }
                });
    }

    EndpointPool pool(Endpoint endpoint) {
        return pools.computeIfAbsent(
                endpoint, key -> new EndpointPool(this, key, registry.permits(key)));
    }

    void forgetIfUnused(EndpointPool pool) {
        if (pool.unused() && pools.remove(pool.endpoint(), pool)) {
            registry.forget(pool.endpoint());
        }
    }

    /**
     * Brings what this loop uses in line with {@code intent}; costs nothing for what it does not.
     */
    void reconcile(ShardedMap<UpstreamKey, Upstream> intent) {
        // A copy: a listener that is told of a failure may open another call at once.
        for (Balancer balancer : List.copyOf(balancers.values())) {
            Upstream now = intent.get(balancer.upstream().key());
            if (now == null) {
                balancers.remove(balancer.upstream().key(), balancer);
                balancer.retire();
            } else {
                balancer.update(now);
            }
        }
    }

    void shedOne(Endpoint endpoint) {
        EndpointPool pool = pools.get(endpoint);
        if (pool != null) {
            pool.shedOne();
        }
    }

    /** No new calls; what is idle is closed, what is active ends by itself. */
    void close() {
        closed = true;
        List<Balancer> all = List.copyOf(balancers.values());
        balancers.clear();
        all.forEach(Balancer::retire);
        connector.close();
    }

    private Balancer balancer(Upstream upstream) {
        Balancer balancer = balancers.get(upstream.key());
        if (balancer == null) {
            balancer = new Balancer(this, upstream, registry.seed());
            balancers.put(upstream.key(), balancer);
            if (!sweeping) {
                sweeping = true;
                scheduleSweep();
            }
        } else {
            balancer.update(upstream);
        }
        return balancer;
    }

    private void scheduleSweep() {
        long period =
                idleTimeout == 0
                        ? SLOWEST_SWEEP
                        : Math.clamp(idleTimeout / 4, FASTEST_SWEEP, SLOWEST_SWEEP);
        var _ = eventLoop.schedule(this::sweep, period, TimeUnit.NANOSECONDS);
    }

    private void sweep() {
        if (idleTimeout > 0) {
            long deadline = nanoTime() - idleTimeout;
            for (EndpointPool pool : List.copyOf(pools.values())) {
                guarded(() -> pool.expire(deadline));
            }
        }
        for (Balancer balancer : List.copyOf(balancers.values())) {
            if (balancer.unusedSinceLastSweep()) {
                balancers.remove(balancer.upstream().key(), balancer);
                guarded(balancer::retire);
            }
        }
        sweeping = !balancers.isEmpty();
        if (sweeping) {
            scheduleSweep();
        }
    }

    /** What one pool throws is no reason to sweep none of the others, nor never again. */
    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (Throwable bug) {
            new Bugs(metrics()).accept(bug);
        }
    }
}

package dev.sallyport.proxy.upstream;

import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.upstream.AddressGuard;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.metric.ProxyMetrics;
import io.netty.channel.ChannelFactory;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.resolver.NameResolver;
import io.netty.util.concurrent.Ticker;
import java.net.InetAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The connections to all backends: pools that belong to one event loop each, and the bounds that
 * the loops share. Reconciled to the snapshot's upstreams; what belongs to an endpoint outlives
 * every change that keeps the endpoint.
 *
 * <p>Concurrency: {@link #open} on the exchange's loop, everything else from any thread.
 */
public final class UpstreamRegistry implements Upstreams, AutoCloseable {
    private final ProxySettings settings;
    private final ChannelFactory<? extends SocketChannel> sockets;
    private final Function<EventLoop, NameResolver<InetAddress>> names;
    private final AddressGuard guard;
    private final ProxyMetrics metrics;
    private final Map<EventLoop, LoopPools> loops = new ConcurrentHashMap<>();
    private final Map<Endpoint, Shared> shared = new ConcurrentHashMap<>();
    private final AtomicInteger seeds = new AtomicInteger();
    private volatile ShardedMap<UpstreamKey, Upstream> intent = ShardedMap.empty();

    /** What the loops share about an endpoint, and how many of them have a pool for it. */
    private record Shared(EndpointPermits permits, int pools) {}

    /**
     * Makes no connection yet.
     *
     * @param sockets channels that fit the event loops
     * @param names a resolver for the loop it is given, closed with the registry
     * @param guard which addresses may be connected to
     */
    public UpstreamRegistry(
            ProxySettings settings,
            ChannelFactory<? extends SocketChannel> sockets,
            Function<EventLoop, NameResolver<InetAddress>> names,
            AddressGuard guard,
            ProxyMetrics metrics) {
        this.settings = settings;
        this.sockets = sockets;
        this.names = names;
        this.guard = guard;
        this.metrics = metrics;
    }

    @Override
    public Runnable open(
            Upstream upstream,
            EventLoop loop,
            @Nullable Endpoint avoid,
            UpstreamCall.Listener listener) {
        return loops.computeIfAbsent(loop, this::poolsOf).open(upstream, avoid, listener);
    }

    /**
     * Brings pools in line with {@code upstreams}: connections to endpoints that are gone are
     * closed once they are idle. Returns at once; each loop does its part.
     */
    @SuppressWarnings("ReferenceEquality") // unchanged parts of a snapshot keep their identity
    public void reconcile(ShardedMap<UpstreamKey, Upstream> upstreams) {
        if (upstreams != intent) {
            intent = upstreams;
            onEachLoop(pools -> pools.reconcile(upstreams));
        }
    }

    /** No new calls; idle connections are closed now, the others when their call ends. */
    @Override
    public void close() {
        onEachLoop(LoopPools::close);
    }

    /**
     * The connections to the endpoints of {@code service}, those being made included. An endpoint
     * of two Services counts for both. Any thread.
     */
    public int connections(UpstreamKey service) {
        Upstream upstream = intent.get(service);
        int count = 0;
        if (upstream != null) {
            for (Endpoint endpoint : upstream.endpoints()) {
                Shared known = shared.get(endpoint);
                count += known == null ? 0 : known.permits().used();
            }
        }
        return count;
    }

    ProxySettings settings() {
        return settings;
    }

    ProxyMetrics metrics() {
        return metrics;
    }

    /** Each balancer of each loop starts elsewhere. */
    int seed() {
        return seeds.incrementAndGet() * 0x9e3779b9;
    }

    EndpointPermits permits(Endpoint endpoint) {
        return shared.merge(
                        endpoint,
                        new Shared(
                                new EndpointPermits(
                                        settings.limits().upstreamConnections(),
                                        Ticker.systemTicker()),
                                1),
                        (known, _) -> new Shared(known.permits(), known.pools() + 1))
                .permits();
    }

    void forget(Endpoint endpoint) {
        shared.computeIfPresent(
                endpoint,
                (_, known) ->
                        known.pools() == 1 ? null : new Shared(known.permits(), known.pools() - 1));
    }

    /** A pool found no permit: the other loops give up one idle connection each. */
    void shed(EndpointPool hungry) {
        onEachLoop(pools -> {
            if (pools != hungry.loop()) {
                pools.shedOne(hungry.endpoint());
            }
        });
    }

    private LoopPools poolsOf(EventLoop loop) {
        return new LoopPools(
                this,
                loop,
                new Connector(
                        loop,
                        sockets,
                        names,
                        guard,
                        settings.timeouts().upstreamConnect().toNanos(),
                        settings.limits().writeBuffer()));
    }

    private void onEachLoop(Consumer<LoopPools> action) {
        loops.forEach((loop, pools) -> {
            try {
                loop.execute(() -> action.accept(pools));
            } catch (RejectedExecutionException _) {
                // The loop is shut down, and with it all that it held.
            }
        });
    }
}

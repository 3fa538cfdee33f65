package dev.sallyport.proxy.upstream;

import dev.sallyport.model.upstream.AddressGuard;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.RawBackend;
import dev.sallyport.proxy.listen.Transport;
import dev.sallyport.proxy.metric.Metric;
import dev.sallyport.proxy.metric.ProxyMetrics;
import dev.sallyport.proxy.metric.Reading;
import io.netty.channel.ChannelFactory;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.resolver.InetNameResolver;
import io.netty.resolver.NameResolver;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A registry on event loops of its own, with names that a test invents. */
final class UpstreamFixture implements AutoCloseable {
    /** A name whose server does not answer. */
    static final String SILENT = "silent.test";

    final MultiThreadIoEventLoopGroup group;
    final List<EventLoop> loops = new ArrayList<>();
    final ProxyMetrics metrics = new ProxyMetrics();
    final Map<String, List<InetAddress>> names = new ConcurrentHashMap<>();
    final UpstreamRegistry registry;

    UpstreamFixture() {
        this(1, ProxySettings.DEFAULT, new AddressGuard(true));
    }

    UpstreamFixture(int threads, ProxySettings settings, AddressGuard guard) {
        this(threads, settings, guard, Transport.of(settings.transport()).sockets());
    }

    UpstreamFixture(
            int threads,
            ProxySettings settings,
            AddressGuard guard,
            ChannelFactory<? extends SocketChannel> sockets) {
        Transport transport = Transport.of(settings.transport());
        group = new MultiThreadIoEventLoopGroup(threads, transport.handlers());
        for (EventExecutor executor : group) {
            loops.add((EventLoop) executor);
        }
        registry = new UpstreamRegistry(settings, sockets, this::resolver, guard, metrics);
    }

    static ProxySettings settings(ProxySettings.Limits limits, ProxySettings.Timeouts timeouts) {
        ProxySettings base = ProxySettings.DEFAULT;
        return new ProxySettings(
                base.transport(),
                base.eventLoops(),
                limits,
                timeouts,
                base.forwarding(),
                base.hsts(),
                base.accessLog(),
                base.escapedSlashes());
    }

    static ProxySettings.Limits limits(int connections, int idle, int pending) {
        ProxySettings.Limits base = ProxySettings.Limits.DEFAULT;
        return new ProxySettings.Limits(
                base.connections(),
                base.connectionsPerClient(),
                base.requestsInFlight(),
                base.headerBytes(),
                base.headerCount(),
                base.uriBytes(),
                base.requestBodyBytes(),
                base.requestsPerConnection(),
                base.concurrentStreams(),
                base.streamWindow(),
                base.connectionWindow(),
                base.resetsPerHalfMinute(),
                base.controlFramesPerHalfMinute(),
                base.writeBuffer(),
                connections,
                idle,
                pending);
    }

    static ProxySettings.Timeouts timeouts(Duration connect, Duration idle) {
        ProxySettings.Timeouts base = ProxySettings.Timeouts.DEFAULT;
        return new ProxySettings.Timeouts(
                base.handshake(),
                base.header(),
                base.bodyIdle(),
                base.request(),
                base.keepAlive(),
                base.stalledWrite(),
                base.tunnelIdle(),
                connect,
                base.upstreamResponse(),
                idle,
                base.drainDelay(),
                base.drain());
    }

    static Endpoint endpoint(RawBackend backend) {
        return new Endpoint("127.0.0.1", backend.port());
    }

    static Upstream upstream(Endpoint... endpoints) {
        return new Upstream(new UpstreamKey("default", "shop", 80), List.of(endpoints));
    }

    static Upstream upstream(RawBackend backend) {
        return upstream(endpoint(backend));
    }

    <L extends UpstreamCall.Listener> L open(Upstream upstream, L listener) {
        open(loops.getFirst(), upstream, null, listener);
        return listener;
    }

    Runnable open(
            EventLoop loop,
            Upstream upstream,
            @Nullable Endpoint avoid,
            UpstreamCall.Listener listener) {
        return on(loop, () -> registry.open(upstream, loop, avoid, listener));
    }

    /** A GET to its end. */
    RecordingListener get(Upstream upstream, String target) {
        RecordingListener listener = open(upstream, RecordingListener.get(target));
        listener.outcome();
        settle();
        return listener;
    }

    <T> T on(EventLoop loop, java.util.concurrent.Callable<T> action) {
        return CompletableFuture.supplyAsync(
                        () -> {
                            try {
                                return action.call();
                            } catch (Exception e) {
                                throw new IllegalStateException(e);
                            }
                        },
                        loop)
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
    }

    /** What the loops had to do at this moment is done. */
    void settle() {
        for (EventLoop loop : loops) {
            on(loop, () -> true);
        }
    }

    double metric(Metric metric) {
        return metrics.read().families().stream()
                .filter(family -> family.metric() == metric)
                .flatMap(family -> family.samples().stream())
                .mapToDouble(sample ->
                        switch (sample) {
                            case Reading.Value value -> value.value();
                            case Reading.Distribution all -> all.count();
                        })
                .sum();
    }

    private NameResolver<InetAddress> resolver(EventLoop loop) {
        return new InetNameResolver(loop) {
            @Override
            protected void doResolve(String name, Promise<InetAddress> promise) {
                promise.setFailure(new UnknownHostException("only resolveAll is used"));
            }

            @Override
            protected void doResolveAll(String name, Promise<List<InetAddress>> promise) {
                if (name.equals(SILENT)) {
                    return; // no answer
                }
                List<InetAddress> found = names.get(name);
                if (found == null) {
                    promise.setFailure(new UnknownHostException(name));
                } else {
                    promise.setSuccess(found);
                }
            }
        };
    }

    @Override
    public void close() {
        registry.close();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
}

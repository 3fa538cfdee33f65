package dev.sallyport.proxy.upstream;

import dev.sallyport.model.upstream.AddressGuard;
import dev.sallyport.proxy.http.ProxyError;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.resolver.NameResolver;
import io.netty.resolver.NoopAddressResolverGroup;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes connections on one event loop: resolves the name where there is one, refuses addresses that
 * are nobody's backend, and tries all others one after the other within one deadline.
 */
final class Connector {
    private static final Logger LOG = LoggerFactory.getLogger(Connector.class);
    private static final long LEAST_PER_ADDRESS = TimeUnit.MILLISECONDS.toNanos(250);

    private final EventLoop loop;
    private final ChannelFactory<? extends Channel> sockets;
    private final Function<EventLoop, NameResolver<InetAddress>> names;
    private final AddressGuard guard;
    private final long timeout;
    private final WriteBufferWaterMark waterMark;
    private @Nullable NameResolver<InetAddress> resolver;
    private int turn;

    Connector(
            EventLoop loop,
            ChannelFactory<? extends Channel> sockets,
            Function<EventLoop, NameResolver<InetAddress>> names,
            AddressGuard guard,
            long timeout,
            int writeBuffer) {
        this.loop = loop;
        this.sockets = sockets;
        this.names = names;
        this.guard = guard;
        this.timeout = timeout;
        this.waterMark = new WriteBufferWaterMark(Math.max(1, writeBuffer / 2), writeBuffer);
    }

    /** Told once, on the loop. */
    interface Result {
        void connected(UpstreamConnection connection);

        void failed(ProxyError why);
    }

    /** May tell {@code result} before it returns. */
    void connect(EndpointPool pool, Result result) {
        String host = pool.endpoint().host();
        long deadline = timeout == 0 ? 0 : loop.ticker().nanoTime() + timeout;
        InetAddress literal = AddressGuard.literal(host);
        if (literal != null) {
            tryAddresses(pool, List.of(literal), deadline, result);
        } else {
            resolve(pool, resolver().resolveAll(host), deadline, result);
        }
    }

    /** A name server may take longer than a request can wait, and its answer is cached then. */
    private void resolve(
            EndpointPool pool, Future<List<InetAddress>> lookup, long deadline, Result result) {
        if (deadline == 0 || lookup.isDone()) {
            lookup.addListener((Future<List<InetAddress>> resolved) ->
                    resolved(pool, resolved, deadline, result));
            return;
        }
        Future<?> tooLate =
                loop.schedule(
                        () -> result.failed(ProxyError.CONNECT_TIMEOUT),
                        timeout,
                        TimeUnit.NANOSECONDS);
        lookup.addListener((Future<List<InetAddress>> resolved) -> {
            if (tooLate.cancel(false)) {
                resolved(pool, resolved, deadline, result);
            }
        });
    }

    void close() {
        if (resolver != null) {
            resolver.close();
            resolver = null;
        }
    }

    private NameResolver<InetAddress> resolver() {
        NameResolver<InetAddress> known = resolver;
        if (known == null) {
            known = names.apply(loop);
            resolver = known;
        }
        return known;
    }

    private void resolved(
            EndpointPool pool, Future<List<InetAddress>> resolved, long deadline, Result result) {
        if (!resolved.isSuccess()) {
            LOG.atDebug()
                    .addKeyValue("endpoint", pool.endpoint())
                    .setCause(resolved.cause())
                    .log("name not resolved");
            result.failed(ProxyError.CONNECT_FAILED);
            return;
        }
        List<InetAddress> addresses = new ArrayList<>(resolved.getNow());
        if (!addresses.isEmpty()) {
            // Each connection starts at another address, so that all of them get their share.
            Collections.rotate(addresses, Math.floorMod(turn++, addresses.size()));
        }
        tryAddresses(pool, addresses, deadline, result);
    }

    private void tryAddresses(
            EndpointPool pool, List<InetAddress> addresses, long deadline, Result result) {
        int port = pool.endpoint().port();
        List<InetAddress> allowed =
                addresses.stream().filter(address -> guard.allows(address, port)).toList();
        if (allowed.isEmpty()) {
            LOG.atDebug()
                    .addKeyValue("endpoint", pool.endpoint())
                    .addKeyValue("addresses", addresses)
                    .log("no address that may be connected to");
            result.failed(ProxyError.CONNECT_FAILED);
        } else {
            tryNext(pool, allowed, 0, deadline, result);
        }
    }

    private void tryNext(
            EndpointPool pool,
            List<InetAddress> addresses,
            int index,
            long deadline,
            Result result) {
        int left = addresses.size() - index;
        int millis = 0; // none
        if (deadline != 0) {
            long nanos = deadline - loop.ticker().nanoTime();
            if (nanos <= 0) {
                result.failed(ProxyError.CONNECT_TIMEOUT);
                return;
            }
            long share = left == 1 ? nanos : Math.max(nanos / left, LEAST_PER_ADDRESS);
            millis = Math.clamp(TimeUnit.NANOSECONDS.toMillis(share), 1, Integer.MAX_VALUE);
        }
        var address = new InetSocketAddress(addresses.get(index), pool.endpoint().port());
        bootstrap(pool, millis)
                .connect(address)
                .addListener((ChannelFuture connected) -> {
                    if (connected.isSuccess()) {
                        result.connected(
                                connected.channel().pipeline().get(UpstreamConnection.class));
                    } else if (left > 1) {
                        tryNext(pool, addresses, index + 1, deadline, result);
                    } else {
                        result.failed(
                                connected.cause() instanceof ConnectTimeoutException
                                        ? ProxyError.CONNECT_TIMEOUT
                                        : ProxyError.CONNECT_FAILED);
                    }
                });
    }

    private Bootstrap bootstrap(EndpointPool pool, int connectMillis) {
        return new Bootstrap()
                .group(loop)
                .channelFactory(sockets)
                .resolver(NoopAddressResolverGroup.INSTANCE)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectMillis)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark)
                // A failed write must not throw away an answer that is still to be read.
                .option(ChannelOption.AUTO_CLOSE, false)
                .handler(
                        new ChannelInitializer<Channel>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                channel.pipeline().addLast(new UpstreamConnection(pool, channel));
                            }
                        });
    }
}

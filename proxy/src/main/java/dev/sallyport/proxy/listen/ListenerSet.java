package dev.sallyport.proxy.listen;

import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.proxy.http.HttpServing;
import dev.sallyport.proxy.http2.Flood;
import dev.sallyport.proxy.http2.Http2Events;
import dev.sallyport.proxy.log.Seldom;
import dev.sallyport.proxy.metric.Bugs;
import dev.sallyport.proxy.metric.ProxyMetrics;
import dev.sallyport.tls.front.HandshakeFailure;
import dev.sallyport.tls.front.HandshakeLimits;
import dev.sallyport.tls.front.HandshakeListener;
import dev.sallyport.tls.front.TlsAcceptor;
import dev.sallyport.tls.front.TlsEstablished;
import dev.sallyport.tls.front.TlsFront;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.Ticker;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sockets that are bound, reconciled to the snapshot's listeners. A listener whose protocol or
 * name changes keeps its socket: no connection is refused in between. One that is removed closes
 * its socket; its connections go on.
 *
 * <p>One acceptor for each listener, on one of the event loops; connections are dealt to all loops
 * in turn. Not SO_REUSEPORT: it would let a second process take a share of the traffic by accident
 * instead of failing to bind, loses what is queued at a socket that closes, and spreads a few
 * long-lived HTTP/2 connections by chance.
 *
 * <p>Concurrency: {@link #reconcile} and {@link #close} by the caller of the data plane, one after
 * the other; the rest from any thread.
 */
public final class ListenerSet implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ListenerSet.class);
    private static final int BACKLOG = 4096; // the kernel takes the lesser of this and somaxconn
    private static final Duration BIND = Duration.ofSeconds(5);

    private final EventLoopGroup loops;
    private final Transport transport;
    private final TlsFront tls;
    private final Supplier<CertificateTable> certificates;
    private final HttpServing serving;
    private final ProxyMetrics metrics;
    private final OpenConnections connections;
    private final ConnectionLimits limits;
    private final Seldom worthTelling = new Seldom(Ticker.systemTicker(), Duration.ofMinutes(1));
    private volatile Map<Place, Bound> bound = Map.of();

    /** Where a socket is bound; those with a port of the system's choice are told by name. */
    private record Place(String address, int port, String name) {
        static Place of(Listener listener) {
            return new Place(
                    listener.address(),
                    listener.port(),
                    listener.port() == 0 ? listener.name() : "");
        }
    }

    /** A bound socket and what its connections are made of at present. */
    private static final class Bound {
        private final Channel channel;
        private volatile ClientPipeline pipeline;

        Bound(Channel channel, ClientPipeline pipeline) {
            this.channel = channel;
            this.pipeline = pipeline;
        }
    }

    /** Binds nothing yet. */
    public ListenerSet(
            EventLoopGroup loops,
            Transport transport,
            TlsFront tls,
            Supplier<CertificateTable> certificates,
            HttpServing serving,
            ProxyMetrics metrics,
            OpenConnections connections) {
        this.loops = loops;
        this.transport = transport;
        this.tls = tls;
        this.certificates = certificates;
        this.serving = serving;
        this.metrics = metrics;
        this.connections = connections;
        this.limits =
                new ConnectionLimits(
                        serving.settings().limits().connections(),
                        serving.settings().limits().connectionsPerClient());
    }

    /** Binds what is new, closes what is gone, and reports what could not be bound. */
    public List<Finding> reconcile(List<Listener> intent) {
        Map<Place, Listener> wanted = new LinkedHashMap<>();
        List<Finding> findings = new ArrayList<>();
        for (Listener listener : intent) {
            Listener first = wanted.putIfAbsent(Place.of(listener), listener);
            if (first != null) {
                findings.add(taken(listener, first));
            }
        }
        Map<Place, Bound> next = new LinkedHashMap<>();
        // First what is gone: what is new may want its port.
        bound.forEach((place, socket) -> {
            if (wanted.containsKey(place)) {
                next.put(place, socket);
            } else {
                unbind(socket);
            }
        });
        wanted.forEach((place, listener) -> {
            switch (serve(listener, next.get(place))) {
                case Attempt.Done<Bound>(Bound socket) -> next.put(place, socket);
                case Attempt.Failed<Bound>(Finding why) -> findings.add(why);
            }
        });
        bound = Map.copyOf(next);
        return findings;
    }

    /** The address that {@code listener} (by name) is bound to, with its real port; or null. */
    public @Nullable InetSocketAddress address(String listener) {
        for (Bound socket : bound.values()) {
            if (socket.pipeline.listener().name().equals(listener)) {
                return (InetSocketAddress) socket.channel.localAddress();
            }
        }
        return null;
    }

    /** The names of the listeners that are bound. */
    public List<String> names() {
        return bound.values().stream()
                .map(socket -> socket.pipeline.listener().name())
                .sorted()
                .toList();
    }

    /** Closes all sockets; connections go on. */
    @Override
    public void close() {
        bound.values().forEach(this::unbind);
        bound = Map.of();
    }

    /** What became of something that can fail for what a user wrote. */
    private sealed interface Attempt<T> {
        record Done<T>(T made) implements Attempt<T> {}

        record Failed<T>(Finding why) implements Attempt<T> {}
    }

    /** With a socket of its own, or by {@code socket}, which stays as it is where that fails. */
    private Attempt<Bound> serve(Listener listener, @Nullable Bound socket) {
        if (socket != null && socket.pipeline.listener().equals(listener)) {
            return new Attempt.Done<>(socket);
        }
        return switch (pipeline(listener)) {
            case Attempt.Failed<ClientPipeline>(Finding why) -> new Attempt.Failed<>(why);
            case Attempt.Done<ClientPipeline>(ClientPipeline pipeline) ->
                    socket == null ? bind(listener, pipeline) : hand(socket, pipeline);
        };
    }

    private Attempt<Bound> hand(Bound socket, ClientPipeline pipeline) {
        ClientPipeline before = socket.pipeline;
        socket.pipeline = pipeline;
        closeLater(before.tls());
        return new Attempt.Done<>(socket);
    }

    private Attempt<ClientPipeline> pipeline(Listener listener) {
        return switch (listener.protocol()) {
            case ListenerProtocol.Http() -> new Attempt.Done<>(pipeline(listener, null));
            case ListenerProtocol.Https(TlsPolicy policy) ->
                    switch (acceptor(listener, policy)) {
                        case Attempt.Done<TlsAcceptor>(TlsAcceptor acceptor) ->
                                new Attempt.Done<>(pipeline(listener, acceptor));
                        case Attempt.Failed<TlsAcceptor>(Finding why) -> new Attempt.Failed<>(why);
                    };
        };
    }

    private ClientPipeline pipeline(Listener listener, @Nullable TlsAcceptor acceptor) {
        return new ClientPipeline(
                listener, acceptor, serving, new Http2Counters(metrics), metrics, connections);
    }

    private Attempt<TlsAcceptor> acceptor(Listener listener, TlsPolicy policy) {
        Duration handshake = serving.settings().timeouts().handshake();
        try {
            return new Attempt.Done<>(
                    tls.acceptor(
                            policy,
                            certificates,
                            new HandshakeLimits(
                                    handshake.isZero()
                                            ? HandshakeLimits.DEFAULT.timeout()
                                            : handshake,
                                    HandshakeLimits.DEFAULT.maxHelloBytes()),
                            new HandshakeCounters(metrics)));
        } catch (IllegalArgumentException refused) {
            return new Attempt.Failed<>(
                    Finding.of(
                            Reason.LISTENER_NOT_BOUND,
                            ObjectRef.gateway(listener.name()),
                            "listener " + listener.name() + ": " + refused.getMessage(),
                            "Correct the listener's TLS policy."));
        }
    }

    private Attempt<Bound> bind(Listener listener, ClientPipeline pipeline) {
        Attempt<Bound> bound =
                switch (addressOf(listener)) {
                    case Attempt.Done<InetSocketAddress>(InetSocketAddress address) ->
                            bind(listener, address, pipeline);
                    case Attempt.Failed<InetSocketAddress>(Finding why) ->
                            new Attempt.Failed<>(why);
                };
        if (bound instanceof Attempt.Failed<Bound>) {
            closeLater(pipeline.tls());
        }
        return bound;
    }

    private Attempt<Bound> bind(
            Listener listener, InetSocketAddress address, ClientPipeline pipeline) {
        int writeBuffer = serving.settings().limits().writeBuffer();
        // The socket may accept before bind() has returned, hence a place to look the pipeline up.
        var holder = new java.util.concurrent.atomic.AtomicReference<@Nullable Bound>();
        ChannelFuture bind =
                new ServerBootstrap()
                        .group(loops, loops)
                        .channelFactory(transport.servers())
                        .option(ChannelOption.SO_BACKLOG, BACKLOG)
                        .option(ChannelOption.SO_REUSEADDR, true)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childOption(ChannelOption.SO_KEEPALIVE, true)
                        .childOption(
                                ChannelOption.WRITE_BUFFER_WATER_MARK,
                                new WriteBufferWaterMark(Math.max(1, writeBuffer / 2), writeBuffer))
                        .handler(
                                new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel server) {
                                        server.pipeline()
                                                .addLast(
                                                        new Acceptance(
                                                                limits,
                                                                metrics,
                                                                connections,
                                                                worthTelling));
                                    }
                                })
                        .childHandler(
                                new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel client) {
                                        Bound socket = holder.get();
                                        (socket == null ? pipeline : socket.pipeline)
                                                .install(client);
                                    }
                                })
                        .bind(address);
        boolean inTime = bind.awaitUninterruptibly(BIND.toNanos(), TimeUnit.NANOSECONDS);
        if (!inTime || !bind.isSuccess()) {
            var _ = bind.channel().close();
            return new Attempt.Failed<>(notBound(listener, inTime ? bind.cause() : null));
        }
        var socket = new Bound(bind.channel(), pipeline);
        holder.set(socket);
        LOG.atInfo()
                .addKeyValue("listener", listener.name())
                .addKeyValue("address", text(bind.channel()))
                .log("listening");
        return new Attempt.Done<>(socket);
    }

    /** {@code 127.0.0.1:8080}, {@code [::1]:8080}. */
    private static String text(Channel bound) {
        return bound.localAddress() instanceof InetSocketAddress address
                ? NetUtil.toSocketAddressString(address)
                : String.valueOf(bound.localAddress());
    }

    private void unbind(Bound socket) {
        LOG.atInfo()
                .addKeyValue("listener", socket.pipeline.listener().name())
                .addKeyValue("address", text(socket.channel))
                .log("listening no more");
        socket.channel.close().awaitUninterruptibly(BIND.toNanos(), TimeUnit.NANOSECONDS);
        closeLater(socket.pipeline.tls());
    }

    /** Handshakes that have begun may still ask the acceptor for its context. */
    private void closeLater(@Nullable TlsAcceptor acceptor) {
        if (acceptor == null) {
            return;
        }
        Duration handshake = serving.settings().timeouts().handshake().plusSeconds(1);
        var _ = loops.next().schedule(acceptor::close, handshake.toNanos(), TimeUnit.NANOSECONDS);
    }

    private static Attempt<InetSocketAddress> addressOf(Listener listener) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(listener.address());
        if (bytes == null) {
            return new Attempt.Failed<>(
                    Finding.of(
                            Reason.LISTENER_NOT_BOUND,
                            ObjectRef.gateway(listener.name()),
                            "address: " + listener.address() + " (expected: an IP address)",
                            "Write an IP address, for instance 0.0.0.0 or ::."));
        }
        try {
            return new Attempt.Done<>(
                    new InetSocketAddress(InetAddress.getByAddress(bytes), listener.port()));
        } catch (UnknownHostException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static Finding taken(Listener listener, Listener first) {
        return Finding.of(
                Reason.LISTENER_NOT_BOUND,
                ObjectRef.gateway(listener.name()),
                at(listener) + " belongs to listener " + first.name(),
                "Give each listener an address and port of its own.");
    }

    private static Finding notBound(Listener listener, @Nullable Throwable cause) {
        String why =
                cause == null || cause.getMessage() == null
                        ? "no answer from the system"
                        : cause.getMessage();
        return Finding.of(
                Reason.LISTENER_NOT_BOUND,
                ObjectRef.gateway(listener.name()),
                at(listener) + ": " + why,
                advice(listener, why));
    }

    private static String advice(Listener listener, String why) {
        if (why.contains("in use")) {
            return "Stop the process that listens there, or choose another port. It is tried again"
                    + " with each change.";
        }
        if (why.contains("ermission denied")) {
            return listener.port() < 1024
                    ? "Choose a port from 1024 on, or give the process the capability"
                            + " NET_BIND_SERVICE."
                    : "Allow the process to bind this address.";
        }
        return "Bind an address that this machine has, for instance 0.0.0.0.";
    }

    private static String at(Listener listener) {
        return (listener.address().indexOf(':') >= 0
                        ? "[" + listener.address() + "]"
                        : listener.address())
                + ":"
                + listener.port();
    }

    private record HandshakeCounters(ProxyMetrics metrics) implements HandshakeListener {
        @Override
        public void established(TlsEstablished outcome) {
            metrics.handshakeDone(outcome.version(), outcome.resumed());
        }

        @Override
        public void failed(HandshakeFailure reason) {
            metrics.handshakeFailed(reason);
        }
    }

    private record Http2Counters(ProxyMetrics metrics) implements Http2Events {
        @Override
        public void onStreamError(Http2Error error) {
            metrics.streamError(error);
        }

        @Override
        public void onConnectionError(Http2Error error) {
            metrics.connectionError(error);
        }

        @Override
        public void onFlood(Flood flood) {
            metrics.flooded(flood);
        }

        @Override
        public void onBug(Throwable cause) {
            new Bugs(metrics).accept(cause);
        }
    }
}

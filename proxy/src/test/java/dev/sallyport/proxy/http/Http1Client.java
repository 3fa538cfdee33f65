package dev.sallyport.proxy.http;

import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.route.WeightedBackend;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.ProxySettings;
import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * A client of an HTTP/1.1 connection in memory, with backends that the test plays and a clock that
 * the test moves.
 */
final class Http1Client implements AutoCloseable {
    static final UpstreamKey SHOP = new UpstreamKey("default", "shop", 80);
    static final ObjectRef ORIGIN = new ObjectRef("Ingress", "default", "shop");

    final RecordedUpstreams upstreams = new RecordedUpstreams();
    final RecordedObserver observer = new RecordedObserver();
    final List<Throwable> bugs = new ArrayList<>();
    final MockTicker ticker = Ticker.newMockTicker();
    final EmbeddedChannel channel;
    final ProxyExchanges exchanges;
    final ClientConnection connection;
    private final StringBuilder received = new StringBuilder();

    private Http1Client(Builder builder) {
        channel = EmbeddedChannel.builder().ticker(ticker).build();
        Deadlines deadlines = new Deadlines(bugs::add);
        exchanges =
                new ProxyExchanges(
                        builder.settings,
                        () -> builder.snapshot,
                        upstreams,
                        builder.admission,
                        observer,
                        deadlines,
                        InstantSource.fixed(Instant.parse("2026-11-23T10:00:00Z")),
                        () -> new SplittableRandom(1));
        Listener listener = new Listener("http", "0.0.0.0", 8080, new ListenerProtocol.Http());
        connection =
                new ClientConnection(
                        listener,
                        builder.remote,
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 8080),
                        "http/1.1",
                        builder.tls);
        Http1Connection.install(
                channel.pipeline(),
                connection,
                new HttpServing(builder.settings, exchanges, deadlines));
    }

    static Builder with() {
        return new Builder();
    }

    static Http1Client plain() {
        return new Builder().build();
    }

    /** Valid, except. */
    static final class Builder {
        private ProxySettings settings = ProxySettings.DEFAULT;
        private GatewaySnapshot snapshot = Http1Client.snapshot(forward("/"), Optional.empty());
        private InetSocketAddress remote = address("192.0.2.7");
        private ClientConnection.@Nullable Tls tls;
        private Admission admission = Admission.OPEN;

        Builder settings(ProxySettings changed) {
            settings = changed;
            return this;
        }

        Builder limits(ProxySettings.Limits changed) {
            settings =
                    new ProxySettings(
                            settings.transport(),
                            settings.eventLoops(),
                            changed,
                            settings.timeouts(),
                            settings.forwarding(),
                            settings.hsts(),
                            settings.accessLog(),
                            settings.escapedSlashes());
            return this;
        }

        Builder forwarding(ProxySettings.Forwarding changed) {
            settings =
                    new ProxySettings(
                            settings.transport(),
                            settings.eventLoops(),
                            settings.limits(),
                            settings.timeouts(),
                            changed,
                            settings.hsts(),
                            settings.accessLog(),
                            settings.escapedSlashes());
            return this;
        }

        Builder hsts() {
            settings =
                    new ProxySettings(
                            settings.transport(),
                            settings.eventLoops(),
                            settings.limits(),
                            settings.timeouts(),
                            settings.forwarding(),
                            Optional.of(new ProxySettings.Hsts(Duration.ofDays(1), true, false)),
                            settings.accessLog(),
                            settings.escapedSlashes());
            return this;
        }

        Builder snapshot(GatewaySnapshot changed) {
            snapshot = changed;
            return this;
        }

        Builder remote(String address) {
            remote = address(address);
            return this;
        }

        Builder tls(ClientConnection.Tls changed) {
            tls = changed;
            return this;
        }

        Builder admission(Admission changed) {
            admission = changed;
            return this;
        }

        Http1Client build() {
            return new Http1Client(this);
        }
    }

    private static InetSocketAddress address(String ip) {
        return new InetSocketAddress(NetUtil.createInetAddressFromIpAddressString(ip), 40000);
    }

    static Route forward(String prefix) {
        return new Route(
                new PathMatch.Prefix(prefix),
                new RouteAction.Forward(List.of(new WeightedBackend(SHOP, 1))),
                ORIGIN,
                Instant.EPOCH);
    }

    /** The host {@code shop.example} with these routes; anything else has none. */
    static GatewaySnapshot snapshot(List<Route> routes, Optional<HttpsRedirect> redirect) {
        return snapshot(routes, redirect, CertificateTable.EMPTY);
    }

    /** This route for every host. */
    static GatewaySnapshot anyHost(Route route) {
        return new GatewaySnapshot(
                1,
                List.of(),
                new RoutingTable(
                        HostTable.copyOf(Map.of()),
                        VirtualHost.of(List.of(route), Optional.empty(), Optional.empty()),
                        Optional.empty()),
                CertificateTable.EMPTY,
                ShardedMap.copyOf(
                        Map.of(SHOP, new Upstream(SHOP, List.of(RecordedUpstreams.ENDPOINT)))));
    }

    static GatewaySnapshot snapshot(Route route, Optional<HttpsRedirect> redirect) {
        return snapshot(List.of(route), redirect);
    }

    static GatewaySnapshot snapshot(
            List<Route> routes, Optional<HttpsRedirect> redirect, CertificateTable certificates) {
        VirtualHost shop = VirtualHost.of(routes, Optional.empty(), redirect);
        VirtualHost none = VirtualHost.of(List.of(), Optional.empty(), Optional.empty());
        Upstream upstream = new Upstream(SHOP, List.of(RecordedUpstreams.ENDPOINT));
        return new GatewaySnapshot(
                1,
                List.of(),
                new RoutingTable(
                        HostTable.copyOf(Map.of(Hostname.parse("shop.example"), shop)),
                        none,
                        Optional.empty()),
                certificates,
                ShardedMap.copyOf(Map.of(SHOP, upstream)));
    }

    /** Sends bytes, with {@code \n} to be read as CRLF. */
    Http1Client send(String lines) {
        return sendRaw(lines.replace("\n", "\r\n"));
    }

    Http1Client sendRaw(String bytes) {
        channel.writeInbound(TestBytes.of(bytes));
        channel.runPendingTasks();
        return this;
    }

    /** Everything received so far. */
    String received() {
        channel.runPendingTasks();
        for (ByteBuf data = channel.readOutbound(); data != null; data = channel.readOutbound()) {
            received.append(data.toString(StandardCharsets.ISO_8859_1));
            data.release();
        }
        return received.toString();
    }

    /** What came since the last call. */
    String receivedNow() {
        int before = received.length();
        return received().substring(before);
    }

    boolean isClosed() {
        channel.runPendingTasks();
        return !channel.isOpen();
    }

    /** Lets time pass, tick by tick. */
    void pass(Duration time) {
        long tick = DeadlineWheel.TICK.toMillis();
        for (long left = time.toMillis(); left > 0; left -= tick) {
            ticker.advanceMillis(tick);
            channel.runScheduledPendingTasks();
            channel.runPendingTasks();
        }
    }

    RecordedUpstreams.Call call() {
        return upstreams.last();
    }

    @Override
    public void close() {
        var _ = channel.close();
        channel.finishAndReleaseAll();
    }
}

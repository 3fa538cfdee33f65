package dev.sallyport.proxy;

import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.AddressGuard;
import dev.sallyport.proxy.drain.Drain;
import dev.sallyport.proxy.http.Admission;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.Deadlines;
import dev.sallyport.proxy.http.ExchangeObserver;
import dev.sallyport.proxy.http.ExchangeSummary;
import dev.sallyport.proxy.http.HttpServing;
import dev.sallyport.proxy.http.ProxyExchanges;
import dev.sallyport.proxy.listen.EventLoops;
import dev.sallyport.proxy.listen.ListenerSet;
import dev.sallyport.proxy.listen.OpenConnections;
import dev.sallyport.proxy.listen.Transport;
import dev.sallyport.proxy.log.AccessLog;
import dev.sallyport.proxy.log.Seldom;
import dev.sallyport.proxy.metric.Bugs;
import dev.sallyport.proxy.metric.ExchangeCounters;
import dev.sallyport.proxy.metric.Metric;
import dev.sallyport.proxy.metric.ProxyMetrics;
import dev.sallyport.proxy.metric.Reading;
import dev.sallyport.proxy.metric.ServiceCounters;
import dev.sallyport.proxy.upstream.DnsNames;
import dev.sallyport.proxy.upstream.UpstreamRegistry;
import dev.sallyport.tls.front.TlsFront;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.Ticker;
import io.netty.util.internal.PlatformDependent;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes traffic: event loops, listeners, TLS, exchanges, connections to backends, access log and
 * metrics, all serving the snapshot that was applied last.
 *
 * <p>Concurrency: {@link #apply} and {@link #proceed} by one thread; {@link #drain} and {@link
 * #close} by one thread, which may be another; everything else from any.
 */
public final class GatewayDataPlane implements DataPlane, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GatewayDataPlane.class);
    private static final Duration LOOPS = Duration.ofSeconds(5);
    private static final Duration TOLD = Duration.ofMinutes(1);

    private final ProxyMetrics metrics = new ProxyMetrics();
    private final SnapshotCell cell = new SnapshotCell();
    private final OpenConnections connections = new OpenConnections();
    private final EventLoopGroup loops;
    private final UpstreamRegistry upstreams;
    private final ListenerSet listeners;
    private final ServableCertificates certificates;
    private final @Nullable AccessLog accessLog;
    private final Drain drain;
    private List<Listener> intent = List.of();
    private List<Finding> unbound = List.of();

    /**
     * Starts the event loops; nothing is bound before the first snapshot.
     *
     * @param tls stays the caller's: close it after this
     * @param guard which addresses may be connected to
     * @throws dev.sallyport.proxy.listen.TransportUnavailable where the settings ask for a
     *     transport that cannot be used here
     * @throws IllegalArgumentException where a trusted block of the settings is none
     */
    public GatewayDataPlane(
            ProxySettings settings, TlsFront tls, AddressGuard guard, InstantSource clock) {
        Transport transport = Transport.of(settings.transport());
        loops = EventLoops.start(transport, settings.eventLoops(), metrics);
        upstreams =
                new UpstreamRegistry(
                        settings,
                        transport.sockets(),
                        new DnsNames(transport.datagrams(), transport.sockets()),
                        guard,
                        metrics);
        accessLog = AccessLog.start(settings.accessLog(), metrics);
        var counters = new ExchangeCounters(metrics);
        var deadlines = new Deadlines(new Bugs(metrics));
        var exchanges =
                new ProxyExchanges(
                        settings,
                        cell,
                        upstreams,
                        bounds(settings.limits()),
                        accessLog == null ? counters : new Both(counters, accessLog),
                        deadlines,
                        clock,
                        ThreadLocalRandom::current);
        listeners =
                new ListenerSet(
                        loops,
                        transport,
                        tls,
                        cell::certificates,
                        new HttpServing(settings, exchanges, deadlines),
                        metrics,
                        connections);
        certificates = new ServableCertificates(tls::refusal, tls::forget, Ticker.systemTicker());
        drain = new Drain(settings.timeouts(), listeners, connections, Ticker.systemTicker());
        metrics.gauge(Metric.NATIVE_CREDENTIALS, tls::credentialsAlive);
        metrics.counter(Metric.NATIVE_CREDENTIALS_CREATED, tls::credentialsCreated);
        metrics.counter(Metric.NATIVE_CREDENTIALS_FREED, tls::credentialsFreed);
        metrics.gauges(Metric.SERVICE_CONNECTIONS, this::serviceConnections);
        metrics.gauge(Metric.SNAPSHOT_VERSION, () -> cell.get().version());
        LOG.atInfo().addKeyValue("transport", transport.name()).log("event loops started");
    }

    private List<Reading.Value> serviceConnections() {
        return metrics.services().services().stream()
                .map(service ->
                        new Reading.Value(
                                ServiceCounters.labels(service), upstreams.connections(service)))
                .toList();
    }

    private Admission bounds(ProxySettings.Limits limits) {
        LongSupplier used =
                ByteBufAllocator.DEFAULT instanceof ByteBufAllocatorMetricProvider provider
                        ? provider.metric()::usedDirectMemory
                        : () -> 0;
        return new Bounds(
                limits.requestsInFlight(),
                metrics::requestsInFlight,
                PlatformDependent.maxDirectMemory(),
                used,
                new Seldom(Ticker.systemTicker(), TOLD));
    }

    /** Metrics first, so that whoever reads a line finds it counted. */
    private record Both(ExchangeObserver first, ExchangeObserver second)
            implements ExchangeObserver {
        @Override
        public void began(ClientConnection connection) {
            first.began(connection);
            second.began(connection);
        }

        @Override
        public void ended(ExchangeSummary summary) {
            first.ended(summary);
            second.ended(summary);
        }
    }

    @Override
    public Applied apply(GatewaySnapshot snapshot) {
        cell.publish(servable(snapshot));
        if (!drain.begun() && (!unbound.isEmpty() || !intent.equals(snapshot.listeners()))) {
            unbound = listeners.reconcile(snapshot.listeners());
            intent = snapshot.listeners();
        }
        upstreams.reconcile(snapshot.upstreams());
        metrics.services().retain(service -> snapshot.upstreams().get(service) != null);
        return applied();
    }

    /** Tries certificates with the native library for which there was no time. */
    @Override
    public Optional<Applied> proceed() {
        if (!certificates.hasUntried()) {
            return Optional.empty();
        }
        GatewaySnapshot before = cell.get();
        cell.publish(withCertificates(before, certificates.proceed())); // the same one mostly
        return Optional.of(applied());
    }

    private Applied applied() {
        List<Finding> findings = new ArrayList<>(unbound);
        findings.addAll(certificates.findings());
        findings.sort(Finding.ORDER);
        GatewaySnapshot current = cell.get();
        return new Applied(current.version(), current.certificates(), findings);
    }

    /** What is served: the snapshot applied last, without what could not be put in service. */
    public GatewaySnapshot current() {
        return cell.get();
    }

    /** What is counted. */
    public ProxyMetrics metrics() {
        return metrics;
    }

    /** The address that a listener (by name) is bound to, with its real port; null if it is not. */
    public @Nullable InetSocketAddress address(String listener) {
        return listeners.address(listener);
    }

    /** The names of the listeners that are bound. */
    public List<String> boundListeners() {
        return listeners.names();
    }

    /** The client connections that are open. */
    public int openConnections() {
        return connections.size();
    }

    /** Whether it is going down: not ready any more. */
    public boolean draining() {
        return drain.begun();
    }

    /** Skips what is left of the delay in which a draining data plane goes on accepting. */
    public void hurry() {
        drain.hurry();
    }

    /**
     * Ends connections in good order, as long as the settings allow, and closes the others. {@link
     * #close} is still to be called.
     *
     * @return how many had to be closed
     */
    public int drain() throws InterruptedException {
        return drain.run();
    }

    /** Closes everything at once: listeners, connections, event loops, access log. */
    @Override
    public void close() {
        listeners.close();
        connections.closeAll();
        upstreams.close();
        EventLoops.stop(loops, LOOPS);
        if (accessLog != null) {
            accessLog.close();
        }
    }

    private GatewaySnapshot servable(GatewaySnapshot snapshot) {
        return withCertificates(snapshot, certificates.serve(snapshot.certificates()));
    }

    @SuppressWarnings("ReferenceEquality") // unchanged parts of a snapshot keep their identity
    private static GatewaySnapshot withCertificates(
            GatewaySnapshot snapshot, CertificateTable served) {
        return served == snapshot.certificates()
                ? snapshot
                : new GatewaySnapshot(
                        snapshot.version(),
                        snapshot.listeners(),
                        snapshot.routes(),
                        served,
                        snapshot.upstreams());
    }
}

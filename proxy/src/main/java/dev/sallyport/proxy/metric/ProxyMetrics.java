package dev.sallyport.proxy.metric;

import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.http2.Flood;
import dev.sallyport.tls.front.HandshakeFailure;
import io.netty.handler.codec.http2.Http2Error;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/**
 * The data plane's counters. Adding is safe from any thread, takes no lock and looks nothing up by
 * name; {@link #read} sees everything at once and is for whoever exports it.
 */
public final class ProxyMetrics {

    /** The bounds on client connections. */
    public enum ConnectionLimit {
        TOTAL,
        CLIENT
    }

    /** A closed set, since clients may send any token; what is none of them is the last. */
    private static final String[] METHODS = {
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"
    };

    private static final String[] PROTOCOLS = {"http/1.1", "h2"};
    private static final String[] STATUSES = {"1xx", "2xx", "3xx", "4xx", "5xx"};
    private static final String[] VERSIONS = {"TLSv1.2", "TLSv1.3"};

    private final Map<Metric, LongAdder> plain = new EnumMap<>(Metric.class);
    private final Counters<ConnectionLimit> refused = new Counters<>(ConnectionLimit.class);
    private final LongAdder[] handshakes = adders(VERSIONS.length * 2);
    private final Counters<HandshakeFailure> handshakeFailures =
            new Counters<>(HandshakeFailure.class);
    private final Counters<Flood> floods = new Counters<>(Flood.class);
    private final Counters<Http2Error> streamErrors = new Counters<>(Http2Error.class);
    private final Counters<Http2Error> connectionErrors = new Counters<>(Http2Error.class);
    private final LongAdder[][] requests = new LongAdder[PROTOCOLS.length * STATUSES.length][];
    private final Counters<ProxyError> errors = new Counters<>(ProxyError.class);
    private final Histogram[] durations = new Histogram[PROTOCOLS.length * STATUSES.length];
    private final Histogram responses = new Histogram();
    private final ServiceCounters services = new ServiceCounters();
    private final List<Supplier<Reading.Family>> gauges = new CopyOnWriteArrayList<>();

    private final LongAdder connectionsOpen = plain(Metric.CONNECTIONS_OPEN);
    private final LongAdder connections = plain(Metric.CONNECTIONS);
    private final LongAdder acceptFailures = plain(Metric.ACCEPT_FAILURES);
    private final LongAdder inFlight = plain(Metric.REQUESTS_IN_FLIGHT);
    private final LongAdder requestBytes = plain(Metric.REQUEST_BYTES);
    private final LongAdder responseBytes = plain(Metric.RESPONSE_BYTES);
    private final LongAdder upstreamOpen = plain(Metric.UPSTREAM_CONNECTIONS_OPEN);
    private final LongAdder upstreamIdle = plain(Metric.UPSTREAM_CONNECTIONS_IDLE);
    private final LongAdder upstreamConnections = plain(Metric.UPSTREAM_CONNECTIONS);
    private final LongAdder upstreamReuses = plain(Metric.UPSTREAM_REUSES);
    private final LongAdder upstreamConnectFailures = plain(Metric.UPSTREAM_CONNECT_FAILURES);
    private final LongAdder upstreamDiscards = plain(Metric.UPSTREAM_DISCARDS);
    private final LongAdder upstreamBadResponses = plain(Metric.UPSTREAM_BAD_RESPONSES);
    private final LongAdder upstreamPending = plain(Metric.UPSTREAM_PENDING);
    private final LongAdder accessLogLines = plain(Metric.ACCESS_LOG_LINES);
    private final LongAdder accessLogDropped = plain(Metric.ACCESS_LOG_DROPPED);
    private final LongAdder bugs = plain(Metric.BUGS);

    /** All at zero. */
    public ProxyMetrics() {
        Arrays.setAll(durations, _ -> new Histogram());
        Arrays.setAll(requests, _ -> adders(METHODS.length));
    }

    /** A client connection was accepted. */
    public void connectionOpened() {
        connections.increment();
        connectionsOpen.increment();
    }

    /** A client connection that was accepted is closed. */
    public void connectionClosed() {
        connectionsOpen.decrement();
    }

    /** A client connection was closed at once. */
    public void connectionRefused(ConnectionLimit limit) {
        refused.increment(limit);
    }

    /** Accepting failed. */
    public void acceptFailed() {
        acceptFailures.increment();
    }

    /** A TLS handshake was completed. */
    public void handshakeDone(String version, boolean resumed) {
        int known = version.equals(VERSIONS[0]) ? 0 : 1;
        handshakes[known * 2 + (resumed ? 1 : 0)].increment();
    }

    /** A TLS handshake was not completed. */
    public void handshakeFailed(HandshakeFailure why) {
        handshakeFailures.increment(why);
    }

    /** An HTTP/2 connection was closed because its client asked for too much. */
    public void flooded(Flood flood) {
        floods.increment(flood);
    }

    /** An HTTP/2 stream was reset for an error of the client's. */
    public void streamError(Http2Error error) {
        streamErrors.increment(error);
    }

    /** An HTTP/2 connection was closed for an error of the client's. */
    public void connectionError(Http2Error error) {
        connectionErrors.increment(error);
    }

    /** The exchanges that have not ended; about right while others begin and end. */
    public long requestsInFlight() {
        return inFlight.sum();
    }

    /** An exchange began. */
    public void requestStarted() {
        inFlight.increment();
    }

    /**
     * An exchange ended.
     *
     * @param protocol {@code http/1.1} or {@code h2}
     * @param status what was answered or logged, 100 to 599
     * @param nanos from the head of the request to the end of the response
     */
    public void requestEnded(
            String protocol, String method, int status, long nanos, long bytesIn, long bytesOut) {
        inFlight.decrement();
        int wire = protocol.equals(PROTOCOLS[1]) ? 1 : 0;
        int statusClass = Math.clamp(status / 100 - 1, 0, STATUSES.length - 1);
        int cell = wire * STATUSES.length + statusClass;
        requests[cell][indexOf(method)].increment();
        durations[cell].record(nanos);
        if (bytesIn > 0) {
            requestBytes.add(bytesIn);
        }
        if (bytesOut > 0) {
            responseBytes.add(bytesOut);
        }
    }

    /** An exchange did not go as it should. */
    public void requestFailed(ProxyError why) {
        errors.increment(why);
    }

    /** A backend sent the head of its response. */
    public void upstreamAnswered(long nanos) {
        responses.record(nanos);
    }

    /** A connection to a backend was made. */
    public void upstreamOpened() {
        upstreamConnections.increment();
        upstreamOpen.increment();
    }

    /** A connection to a backend is closed. */
    public void upstreamClosed() {
        upstreamOpen.decrement();
    }

    /** A connection to a backend entered (+1) or left (-1) a pool. */
    public void upstreamIdle(int change) {
        upstreamIdle.add(change);
    }

    /** A request is sent on a pooled connection. */
    public void upstreamReused() {
        upstreamReuses.increment();
    }

    /** A connection to a backend could not be made. */
    public void upstreamConnectFailed() {
        upstreamConnectFailures.increment();
    }

    /** A connection was closed after its response instead of being pooled. */
    public void upstreamDiscarded() {
        upstreamDiscards.increment();
    }

    /** A response could not be parsed. */
    public void upstreamBadResponse() {
        upstreamBadResponses.increment();
    }

    /** A request began (+1) or ended (-1) to wait for a connection. */
    public void upstreamPending(int change) {
        upstreamPending.add(change);
    }

    /** A line of the access log was written. */
    public void accessLogWritten(long lines) {
        accessLogLines.add(lines);
    }

    /** A line of the access log was dropped. */
    public void accessLogDropped() {
        accessLogDropped.increment();
    }

    /** An exception that nobody expected. */
    public void bug() {
        bugs.increment();
    }

    /** What is counted for each Service. */
    public ServiceCounters services() {
        return services;
    }

    /** Adds a gauge without labels that is asked for at each reading. */
    public void gauge(Metric metric, DoubleSupplier value) {
        gauges.add(() ->
                new Reading.Family(
                        metric, List.of(new Reading.Value(List.of(), value.getAsDouble()))));
    }

    /** Adds a counter that somebody else counts and that is asked for at each reading. */
    public void counter(Metric metric, DoubleSupplier value) {
        gauge(metric, value);
    }

    /** Adds a gauge whose samples are asked for at each reading. */
    public void gauges(Metric metric, Supplier<List<Reading.Value>> samples) {
        gauges.add(() -> new Reading.Family(metric, List.copyOf(samples.get())));
    }

    /** Everything as it stands. Safe from any thread; not for event loops. */
    public Reading read() {
        List<Reading.Family> families = new ArrayList<>();
        plain.forEach((metric, adder) ->
                families.add(new Reading.Family(metric, List.of(value(adder, List.of())))));
        families.add(refused());
        families.add(handshakes());
        families.add(floods());
        families.add(http2Errors());
        families.add(requests());
        families.add(errors());
        families.add(durations());
        families.add(
                new Reading.Family(
                        Metric.UPSTREAM_RESPONSE_DURATION, List.of(responses.read(List.of()))));
        families.addAll(services.read());
        gauges.forEach(gauge -> families.add(gauge.get()));
        families.removeIf(family -> family.samples().isEmpty());
        families.sort(Comparator.comparing(Reading.Family::metric));
        return new Reading(families);
    }

    private Reading.Family refused() {
        List<Reading.Sample> samples = new ArrayList<>();
        for (ConnectionLimit limit : ConnectionLimit.values()) {
            samples.add(value(refused.of(limit), List.of(lower(limit))));
        }
        return new Reading.Family(Metric.CONNECTIONS_REFUSED, samples);
    }

    private Reading.Family handshakes() {
        List<Reading.Sample> samples = new ArrayList<>();
        for (int i = 0; i < handshakes.length; i++) {
            samples.add(
                    value(
                            handshakes[i],
                            List.of("ok", VERSIONS[i / 2], i % 2 == 1 ? "yes" : "no")));
        }
        for (HandshakeFailure why : HandshakeFailure.values()) {
            samples.add(value(handshakeFailures.of(why), List.of(lower(why), "", "")));
        }
        return new Reading.Family(Metric.TLS_HANDSHAKES, samples);
    }

    private Reading.Family floods() {
        List<Reading.Sample> samples = new ArrayList<>();
        for (Flood flood : Flood.values()) {
            samples.add(value(floods.of(flood), List.of(flood.word())));
        }
        return new Reading.Family(Metric.HTTP2_FLOODS, samples);
    }

    private Reading.Family http2Errors() {
        List<Reading.Sample> samples = new ArrayList<>();
        for (Http2Error error : Http2Error.values()) {
            samples.add(value(streamErrors.of(error), List.of("stream", lower(error))));
            samples.add(value(connectionErrors.of(error), List.of("connection", lower(error))));
        }
        return new Reading.Family(Metric.HTTP2_ERRORS, samples);
    }

    private Reading.Family requests() {
        List<Reading.Sample> samples = new ArrayList<>();
        for (int cell = 0; cell < requests.length; cell++) {
            for (int method = 0; method < METHODS.length; method++) {
                LongAdder count = requests[cell][method];
                if (count.sum() > 0) {
                    samples.add(
                            value(
                                    count,
                                    List.of(
                                            PROTOCOLS[cell / STATUSES.length],
                                            METHODS[method],
                                            STATUSES[cell % STATUSES.length])));
                }
            }
        }
        return new Reading.Family(Metric.REQUESTS, samples);
    }

    private Reading.Family errors() {
        List<Reading.Sample> samples = new ArrayList<>();
        for (ProxyError error : ProxyError.values()) {
            samples.add(value(errors.of(error), List.of(lower(error.side()), error.flag())));
        }
        return new Reading.Family(Metric.REQUEST_ERRORS, samples);
    }

    private Reading.Family durations() {
        List<Reading.Sample> samples = new ArrayList<>();
        for (int i = 0; i < durations.length; i++) {
            Reading.Distribution read =
                    durations[i].read(
                            List.of(PROTOCOLS[i / STATUSES.length], STATUSES[i % STATUSES.length]));
            if (read.count() > 0) {
                samples.add(read);
            }
        }
        return new Reading.Family(Metric.REQUEST_DURATION, samples);
    }

    private static int indexOf(String method) {
        for (int i = 0; i < METHODS.length - 1; i++) {
            if (METHODS[i].equals(method)) {
                return i;
            }
        }
        return METHODS.length - 1;
    }

    private LongAdder plain(Metric metric) {
        var adder = new LongAdder();
        plain.put(metric, adder);
        return adder;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static Reading.Value value(LongAdder adder, List<String> labels) {
        return new Reading.Value(labels, adder.sum());
    }

    private static LongAdder[] adders(int count) {
        var adders = new LongAdder[count];
        Arrays.setAll(adders, _ -> new LongAdder());
        return adders;
    }
}

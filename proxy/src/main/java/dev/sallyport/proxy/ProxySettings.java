package dev.sallyport.proxy;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What the data plane is configured with; fixed for the life of the process. The reason for each
 * default is in {@code docs/defaults.md}.
 *
 * @param transport which system interface the event loops use
 * @param eventLoops the number of event loops; 0 for one per processor
 * @param limits bounds on what clients and backends may make us hold
 * @param timeouts deadlines
 * @param forwarding whose forwarding fields are believed, and which are sent
 * @param hsts the Strict-Transport-Security field; empty to send none
 * @param accessLog where exchanges are logged
 * @param escapedSlashes what becomes of {@code %2F} and {@code %5C} in paths
 */
public record ProxySettings(
        Transport transport,
        int eventLoops,
        Limits limits,
        Timeouts timeouts,
        Forwarding forwarding,
        Optional<Hsts> hsts,
        AccessLogSettings accessLog,
        EscapedSlashes escapedSlashes) {

    /** All defaults. */
    public static final ProxySettings DEFAULT =
            new ProxySettings(
                    Transport.AUTO,
                    0,
                    Limits.DEFAULT,
                    Timeouts.DEFAULT,
                    Forwarding.DEFAULT,
                    Optional.empty(),
                    AccessLogSettings.DEFAULT,
                    EscapedSlashes.KEEP);

    /** The system interface of the event loops. */
    public enum Transport {
        /** Epoll where there is one, else NIO. */
        AUTO,
        EPOLL,
        IO_URING,
        NIO
    }

    /** What becomes of encoded slashes and backslashes in paths. */
    public enum EscapedSlashes {
        /** Passed on as they are; they separate no segments. */
        KEEP,
        /** Answered with 400. */
        REJECT
    }

    /**
     * Bounds. Sizes are bytes.
     *
     * @param connections client connections in all
     * @param connectionsPerClient client connections from one address (IPv6: one /64)
     * @param requestsInFlight exchanges at once, over all connections; 0 for no bound
     * @param headerBytes all header fields of a message, names, values and 32 for each
     * @param headerCount header fields of a message, each cookie crumb counted
     * @param uriBytes the request target
     * @param requestBodyBytes the request body; 0 for no bound
     * @param requestsPerConnection after so many the connection is closed in good order
     * @param concurrentStreams HTTP/2 streams of a connection
     * @param streamWindow HTTP/2 receive window of a stream, and the bound on request data in
     *     flight on HTTP/1.1
     * @param connectionWindow HTTP/2 receive window of a connection
     * @param resetsPerHalfMinute HTTP/2 streams that a client may reset or make us reset in 30 s
     * @param controlFramesPerHalfMinute HTTP/2 SETTINGS, PING and PRIORITY frames in 30 s
     * @param writeBuffer unsent bytes per connection, above which nothing more is read for it
     * @param upstreamConnections connections to one endpoint, over all event loops
     * @param upstreamIdle idle connections kept for one endpoint on one event loop
     * @param upstreamPending requests waiting for a connection to one upstream on one event loop
     */
    public record Limits(
            int connections,
            int connectionsPerClient,
            int requestsInFlight,
            int headerBytes,
            int headerCount,
            int uriBytes,
            long requestBodyBytes,
            long requestsPerConnection,
            int concurrentStreams,
            int streamWindow,
            int connectionWindow,
            int resetsPerHalfMinute,
            int controlFramesPerHalfMinute,
            int writeBuffer,
            int upstreamConnections,
            int upstreamIdle,
            int upstreamPending) {

        /** The defaults. */
        public static final Limits DEFAULT =
                new Limits(
                        50_000,
                        10_000,
                        50_000,
                        32 * 1024,
                        100,
                        8 * 1024,
                        0,
                        100_000,
                        128,
                        64 * 1024,
                        1024 * 1024,
                        200,
                        1_000,
                        64 * 1024,
                        1024,
                        1024,
                        1024);
    }

    /**
     * Deadlines. Zero means none.
     *
     * @param handshake from accept to the end of the TLS handshake
     * @param header from the first byte of a request head to its last, and from accept to the first
     *     request
     * @param bodyIdle between two pieces of a request body
     * @param request from the head of a request to the end of its response; WebSockets are exempt
     * @param keepAlive an idle client connection
     * @param stalledWrite a client that does not read what is sent to it
     * @param tunnelIdle a WebSocket without data in either direction
     * @param upstreamConnect making a connection to an endpoint
     * @param upstreamResponse from the end of the request to the head of the response, and between
     *     two pieces of body
     * @param upstreamIdle an idle connection in a pool
     * @param drainDelay how long a process that was told to stop goes on accepting, not ready
     * @param drain how long it then waits for exchanges to end
     */
    public record Timeouts(
            Duration handshake,
            Duration header,
            Duration bodyIdle,
            Duration request,
            Duration keepAlive,
            Duration stalledWrite,
            Duration tunnelIdle,
            Duration upstreamConnect,
            Duration upstreamResponse,
            Duration upstreamIdle,
            Duration drainDelay,
            Duration drain) {

        /** The defaults. */
        public static final Timeouts DEFAULT =
                new Timeouts(
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(30),
                        Duration.ofHours(1),
                        Duration.ofSeconds(75),
                        Duration.ofSeconds(30),
                        Duration.ofHours(1),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(30),
                        Duration.ZERO,
                        Duration.ofSeconds(30));
    }

    /**
     * Forwarding fields.
     *
     * @param trustedProxies CIDR blocks whose X-Forwarded fields and request ids are believed;
     *     anybody else's are dropped
     * @param forwarded whether to send the Forwarded field (RFC 7239) as well
     */
    public record Forwarding(List<String> trustedProxies, boolean forwarded) {
        /** Nobody is believed. */
        public static final Forwarding DEFAULT = new Forwarding(List.of(), false);

        public Forwarding {
            trustedProxies = List.copyOf(trustedProxies);
        }
    }

    /** Strict-Transport-Security, RFC 6797. */
    public record Hsts(Duration maxAge, boolean includeSubDomains, boolean preload) {}

    /**
     * The access log.
     *
     * @param format how a line looks
     * @param output {@code stdout}, {@code stderr} or a file to append to
     * @param queue lines that may wait for the writer; more are dropped and counted
     */
    public record AccessLogSettings(Format format, String output, int queue) {
        /** JSON lines to standard output. */
        public static final AccessLogSettings DEFAULT =
                new AccessLogSettings(Format.JSON, "stdout", 16 * 1024);

        /** How a line looks. */
        public enum Format {
            /** One JSON object a line. */
            JSON,
            /** NCSA's common format, with referer and user agent. */
            COMMON,
            /** Nothing is logged. */
            OFF
        }
    }
}

package dev.sallyport.proxy.metric;

import java.util.List;

/**
 * Every metric of the data plane: the one place for names, help and labels. A counter's name has no
 * {@code _total}: the exporter adds it.
 */
public enum Metric {
    CONNECTIONS_OPEN(Kind.GAUGE, "connections_open", "Client connections that are open."),
    CONNECTIONS(Kind.COUNTER, "connections", "Client connections that were accepted."),
    CONNECTIONS_REFUSED(
            Kind.COUNTER,
            "connections_refused",
            "Client connections that were closed at once, by the bound that was reached.",
            "limit"),
    ACCEPT_FAILURES(
            Kind.COUNTER,
            "accept_failures",
            "Failures to accept, for instance because no file descriptor was left."),
    TLS_HANDSHAKES(
            Kind.COUNTER,
            "tls_handshakes",
            "TLS handshakes: ok, or why not; version and resumed are empty where they failed.",
            "outcome",
            "version",
            "resumed"),
    HTTP2_FLOODS(
            Kind.COUNTER,
            "http2_floods",
            "HTTP/2 connections that were closed because their client asked for too much.",
            "kind"),
    HTTP2_ERRORS(
            Kind.COUNTER,
            "http2_errors",
            "HTTP/2 streams that were reset, and connections that were closed, for an error.",
            "scope",
            "error"),
    REQUESTS(
            Kind.COUNTER,
            "requests",
            "Exchanges that ended, by the status that was answered or logged.",
            "protocol",
            "method",
            "status"),
    REQUEST_ERRORS(
            Kind.COUNTER,
            "request_errors",
            "Exchanges that did not go as they should, by the access log's error flag.",
            "side",
            "flag"),
    REQUESTS_IN_FLIGHT(Kind.GAUGE, "requests_in_flight", "Exchanges that have not ended."),
    REQUEST_DURATION(
            Kind.HISTOGRAM,
            "request_duration_seconds",
            "From the head of a request to the end of its response.",
            "protocol",
            "status"),
    UPSTREAM_RESPONSE_DURATION(
            Kind.HISTOGRAM,
            "upstream_response_duration_seconds",
            "From having a connection to the head of the backend's response."),
    REQUEST_BYTES(Kind.COUNTER, "request_body_bytes", "Bytes of request bodies."),
    RESPONSE_BYTES(Kind.COUNTER, "response_body_bytes", "Bytes of response bodies."),
    UPSTREAM_CONNECTIONS_OPEN(
            Kind.GAUGE,
            "upstream_connections_open",
            "Connections to backends, idle ones included."),
    UPSTREAM_CONNECTIONS_IDLE(
            Kind.GAUGE,
            "upstream_connections_idle",
            "Connections to backends that wait in a pool."),
    UPSTREAM_CONNECTIONS(
            Kind.COUNTER, "upstream_connections", "Connections to backends that were made."),
    UPSTREAM_REUSES(
            Kind.COUNTER, "upstream_reuses", "Requests that were sent on a pooled connection."),
    UPSTREAM_CONNECT_FAILURES(
            Kind.COUNTER,
            "upstream_connect_failures",
            "Connections to backends that could not be made."),
    UPSTREAM_DISCARDS(
            Kind.COUNTER,
            "upstream_discards",
            "Connections to backends that were closed after a response instead of being pooled."),
    UPSTREAM_BAD_RESPONSES(
            Kind.COUNTER,
            "upstream_bad_responses",
            "Responses that could not be parsed or whose framing was ambiguous."),
    UPSTREAM_PENDING(
            Kind.GAUGE,
            "upstream_pending",
            "Requests that wait for a connection because every endpoint is at its bound."),
    SERVICE_REQUESTS(
            Kind.COUNTER,
            "service_requests",
            "Exchanges for a Service that ended, by the status that was answered or logged.",
            "namespace",
            "service",
            "port",
            "status"),
    SERVICE_ERRORS(
            Kind.COUNTER,
            "service_errors",
            "Exchanges for a Service that did not go as they should, by the access log's error flag.",
            "namespace",
            "service",
            "port",
            "flag"),
    SERVICE_RESPONSE_SECONDS(
            Kind.COUNTER,
            "service_response_seconds",
            "From having a connection to the head of the answer, all answers of a Service together.",
            "namespace",
            "service",
            "port"),
    SERVICE_CONNECTIONS(
            Kind.GAUGE,
            "service_connections",
            "Connections to the endpoints of a Service, idle ones and those being made included.",
            "namespace",
            "service",
            "port"),
    ACCESS_LOG_LINES(Kind.COUNTER, "access_log_lines", "Lines that the access log has written."),
    ACCESS_LOG_DROPPED(
            Kind.COUNTER,
            "access_log_dropped",
            "Lines that were dropped because the writer could not keep up or failed."),
    EVENT_LOOP_LAG(
            Kind.GAUGE,
            "event_loop_lag_seconds",
            "How late the last timer of an event loop ran.",
            "loop"),
    DIRECT_MEMORY(Kind.GAUGE, "direct_memory_bytes", "Direct memory held by the buffer allocator."),
    NATIVE_CREDENTIALS(
            Kind.GAUGE, "native_credentials", "Certificates that the native library holds."),
    NATIVE_CREDENTIALS_CREATED(
            Kind.COUNTER,
            "native_credentials_created",
            "Certificates that were given to the native library."),
    NATIVE_CREDENTIALS_FREED(
            Kind.COUNTER,
            "native_credentials_freed",
            "Certificates that the native library gave back."),
    SNAPSHOT_VERSION(Kind.GAUGE, "snapshot_version", "The version of the snapshot in service."),
    BUGS(Kind.COUNTER, "bugs", "Exceptions that nobody expected; each closed one connection.");

    /** How a metric behaves. */
    public enum Kind {
        COUNTER,
        GAUGE,
        HISTOGRAM
    }

    private final Kind kind;
    private final String word;
    private final String help;
    private final String labels;

    Metric(Kind kind, String word, String help, String... labels) {
        this.kind = kind;
        this.word = word;
        this.help = help;
        this.labels = String.join(",", labels);
    }

    /** How it behaves. */
    public Kind kind() {
        return kind;
    }

    /** For instance {@code sallyport_connections}; a counter is exported with {@code _total}. */
    public String exportedName() {
        return "sallyport_" + word;
    }

    /** One sentence for people. */
    public String help() {
        return help;
    }

    /** Label names, in the order of the samples' values. */
    public List<String> labels() {
        return labels.isEmpty() ? List.of() : List.of(labels.split(",", -1));
    }
}

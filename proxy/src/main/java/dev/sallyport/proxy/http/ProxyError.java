package dev.sallyport.proxy.http;

/**
 * Why an exchange did not go as it should: a value, never an exception. Each names the side at
 * fault, the status that the client is answered with while there is still a head to send, and the
 * short flag that access log and metrics show.
 */
public enum ProxyError {
    /** The request cannot be parsed, or its framing is ambiguous. */
    BAD_REQUEST(Side.DOWNSTREAM, 400, "bad_request"),
    /** The method cannot be proxied (CONNECT without a protocol, TRACE). */
    METHOD_NOT_ALLOWED(Side.DOWNSTREAM, 405, "method_not_allowed"),
    /** The head did not arrive in time. */
    HEADER_TIMEOUT(Side.DOWNSTREAM, 408, "header_timeout"),
    /** The body stalled. */
    BODY_TIMEOUT(Side.DOWNSTREAM, 408, "body_timeout"),
    /** The body is larger than allowed. */
    BODY_TOO_LARGE(Side.DOWNSTREAM, 413, "body_too_large"),
    /** The request target is longer than allowed. */
    URI_TOO_LONG(Side.DOWNSTREAM, 414, "uri_too_long"),
    /** An expectation other than 100-continue. */
    EXPECTATION_FAILED(Side.DOWNSTREAM, 417, "expectation_failed"),
    /**
     * The authority is not in the certificate scope of the connection (RFC 9110 section 15.5.20).
     */
    MISDIRECTED(Side.DOWNSTREAM, 421, "misdirected"),
    /** The header fields are too many or too large. */
    HEADERS_TOO_LARGE(Side.DOWNSTREAM, 431, "headers_too_large"),
    /** The client closed or reset before the response was complete. */
    CLIENT_GONE(Side.DOWNSTREAM, 499, "client_gone"),
    /** The client does not read. */
    CLIENT_STALLED(Side.DOWNSTREAM, 499, "client_stalled"),

    /** No route matches. */
    NO_ROUTE(Side.GATEWAY, 404, "no_route"),
    /** The route's Service has no endpoint, or does not exist. */
    NO_ENDPOINT(Side.GATEWAY, 503, "no_endpoint"),
    /** A bound of the gateway's own is reached: connections, pending requests, memory. */
    OVERLOADED(Side.GATEWAY, 503, "overloaded"),
    /** The gateway is going down. */
    DRAINING(Side.GATEWAY, 503, "draining"),
    /** The deadline of the whole request passed. */
    REQUEST_TIMEOUT(Side.GATEWAY, 504, "request_timeout"),
    /** A bug of ours. */
    INTERNAL(Side.GATEWAY, 500, "internal"),

    /** No connection to the endpoint: refused, unreachable, a name that does not resolve. */
    CONNECT_FAILED(Side.UPSTREAM, 502, "connect_failed"),
    /** The connection to the endpoint was not made in time. */
    CONNECT_TIMEOUT(Side.UPSTREAM, 504, "connect_timeout"),
    /** The backend did not answer in time. */
    RESPONSE_TIMEOUT(Side.UPSTREAM, 504, "response_timeout"),
    /** The backend closed or reset before it answered. */
    UPSTREAM_RESET(Side.UPSTREAM, 502, "upstream_reset"),
    /** The backend's answer cannot be parsed, or its framing is ambiguous. */
    BAD_RESPONSE(Side.UPSTREAM, 502, "bad_response"),
    /** The backend stopped in the middle of the body: the client's stream is aborted. */
    RESPONSE_TRUNCATED(Side.UPSTREAM, 502, "response_truncated");

    /** Whose fault it is. */
    public enum Side {
        DOWNSTREAM,
        GATEWAY,
        UPSTREAM
    }

    private final Side side;
    private final int status;
    private final String flag;

    ProxyError(Side side, int status, String flag) {
        this.side = side;
        this.status = status;
        this.flag = flag;
    }

    /** Whose fault it is. */
    public Side side() {
        return side;
    }

    /** The status to answer with, or to log where there is nobody to answer (499). */
    public int status() {
        return status;
    }

    /** The word for access log and metrics. */
    public String flag() {
        return flag;
    }
}

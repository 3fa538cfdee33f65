package dev.sallyport.tls.front;

/** Why a connection to a TLS port did not get to a handshake's end. */
public enum HandshakeFailure {
    /** The first bytes were not TLS. */
    NOT_TLS,
    /** The first bytes were a plain HTTP request; it was answered with 400. */
    PLAIN_HTTP,
    /** The ClientHello is larger than allowed. */
    HELLO_TOO_LARGE,
    /** The ClientHello does not parse, or holds what no ClientHello may hold. */
    HELLO_MALFORMED,
    /** No certificate for the name, and no default. */
    NAME_UNKNOWN,
    /** Client and gateway have no application protocol in common. */
    NO_APPLICATION_PROTOCOL,
    /** Client and gateway have no version, cipher suite, group or signature algorithm in common. */
    NO_COMMON_PARAMETERS,
    /** The client's certificate is missing, did not verify or has expired since. */
    CLIENT_CERTIFICATE,
    /**
     * The client ended the handshake with an alert, for instance since it trusts another issuer.
     */
    CLIENT_REFUSED,
    /** The connection was closed, by the client or since the listener closes. */
    CLOSED,
    /** The handshake was not complete in time. */
    TIMEOUT,
    /** The certificate could not be loaded: a fault on this side. */
    CREDENTIAL,
    /** Anything else that the protocol forbids. */
    PROTOCOL
}

package dev.sallyport.tls.front;

/** Is told how handshakes end, on the connection's event loop; must not block. */
public interface HandshakeListener {

    /** Hears nothing. */
    HandshakeListener NONE =
            new HandshakeListener() {
                @Override
                public void established(TlsEstablished outcome) {}

                @Override
                public void failed(HandshakeFailure reason) {}
            };

    /** A handshake is complete; just before the event goes down the pipeline. */
    void established(TlsEstablished outcome);

    /** A handshake failed, at most once for a connection; it is being closed. */
    void failed(HandshakeFailure reason);
}

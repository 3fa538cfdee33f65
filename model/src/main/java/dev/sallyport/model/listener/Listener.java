package dev.sallyport.model.listener;

/**
 * A port that the data plane binds.
 *
 * @param name unique, for logs, metrics and findings
 * @param address an IP address to bind, for instance {@code 0.0.0.0} or {@code ::}
 * @param port 0 to 65535; 0 lets the system choose
 * @param protocol what is spoken
 */
public record Listener(String name, String address, int port, ListenerProtocol protocol) {
    public Listener {
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port: " + port + " (expected: 0–65535)");
        }
    }

    /** Whether TLS is terminated here. */
    public boolean secure() {
        return protocol instanceof ListenerProtocol.Https;
    }
}

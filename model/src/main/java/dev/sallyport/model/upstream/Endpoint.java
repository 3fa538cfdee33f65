package dev.sallyport.model.upstream;

import java.util.Comparator;

/**
 * One address behind an upstream.
 *
 * @param host an IP address, or the DNS name of an ExternalName Service, which the data plane
 *     resolves
 * @param port 1 to 65535
 */
public record Endpoint(String host, int port) {

    /** By host, then port. */
    public static final Comparator<Endpoint> ORDER =
            Comparator.comparing(Endpoint::host).thenComparingInt(Endpoint::port);

    public Endpoint {
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("port: " + port + " (expected: 1–65535)");
        }
    }

    /** {@code 10.0.0.7:8080}; IPv6 addresses in brackets. */
    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}

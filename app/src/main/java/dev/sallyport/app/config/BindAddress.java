package dev.sallyport.app.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * An address to listen on, or to ask.
 *
 * @param host an IP address without brackets, for instance {@code 0.0.0.0} or {@code ::1}
 * @param port 0 to 65535; 0 lets the system choose
 */
public record BindAddress(String host, int port) {
    private static final String FORM =
            "an IP address and a port of 0–65535, such as 0.0.0.0:8443 or [::]:8443";

    public BindAddress {
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port: " + port + " (expected: 0–65535)");
        }
    }

    /**
     * Reads {@code 0.0.0.0:8443}, {@code [::]:8443} or {@code localhost:9090}.
     *
     * @throws IllegalArgumentException with the expected form
     */
    public static BindAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException(FORM);
        }
        String digits = text.substring(colon + 1);
        if (digits.isEmpty()
                || digits.length() > 5
                || !digits.chars().allMatch(c -> c >= '0' && c <= '9')
                || Integer.parseInt(digits) > 65535) {
            throw new IllegalArgumentException(FORM);
        }
        return new BindAddress(host(text.substring(0, colon)), Integer.parseInt(digits));
    }

    /** For the socket API. */
    public InetSocketAddress toSocketAddress() {
        return new InetSocketAddress(InetAddress.ofLiteral(host), port);
    }

    /** {@code 0.0.0.0:8443}; IPv6 addresses in brackets. */
    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }

    private static String host(String written) {
        if (written.equals("localhost")) {
            return "127.0.0.1";
        }
        boolean bracketed = written.startsWith("[") && written.endsWith("]");
        String literal = bracketed ? written.substring(1, written.length() - 1) : written;
        if (bracketed != literal.indexOf(':') >= 0) {
            throw new IllegalArgumentException(FORM);
        }
        try {
            // Refuses names without asking DNS for them.
            var _ = InetAddress.ofLiteral(literal);
        } catch (IllegalArgumentException notAnAddress) {
            throw new IllegalArgumentException(FORM, notAnAddress);
        }
        return literal;
    }
}

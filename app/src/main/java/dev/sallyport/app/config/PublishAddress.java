package dev.sallyport.app.config;

import dev.sallyport.model.name.Hostname;
import java.net.InetAddress;

/**
 * Where clients reach the gateway, as the status of an Ingress says it.
 *
 * @param text an IP address without brackets, or a host name in lower case
 * @param ip whether it is an IP address
 */
public record PublishAddress(String text, boolean ip) {
    /** What is taken. */
    static final String FORM = "IP address or host name";

    /**
     * Reads {@code 192.0.2.1}, {@code 2001:db8::1} or {@code edge.example.com}.
     *
     * @throws IllegalArgumentException with the expected form
     */
    static PublishAddress parse(String text) {
        if (isLiteral(text)) {
            return new PublishAddress(text, true);
        }
        if (Hostname.tryParse(text).orElse(null) instanceof Hostname.Exact name) {
            return new PublishAddress(name.text(), false);
        }
        throw new IllegalArgumentException(FORM);
    }

    private static boolean isLiteral(String text) {
        try {
            var _ = InetAddress.ofLiteral(text);
            return true;
        } catch (IllegalArgumentException aName) {
            return false;
        }
    }

    /** As it is written. */
    @Override
    public String toString() {
        return text;
    }
}

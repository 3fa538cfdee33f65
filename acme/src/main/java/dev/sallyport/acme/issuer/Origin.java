package dev.sallyport.acme.issuer;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Optional;

/**
 * Scheme, host and port of an HTTPS URL.
 *
 * @param host in lower case
 * @param port 1–65535
 */
public record Origin(String host, int port) {

    /** Of a URL; empty where it is not HTTPS, names no host, or carries user information. */
    public static Optional<Origin> of(URI url) {
        if (!"https".equalsIgnoreCase(url.getScheme())
                || url.getHost() == null
                || url.getHost().isEmpty()
                || url.getRawUserInfo() != null) {
            return Optional.empty();
        }
        int port = url.getPort() < 0 ? 443 : url.getPort();
        return port < 1 || port > 65_535
                ? Optional.empty()
                : Optional.of(new Origin(url.getHost().toLowerCase(Locale.ROOT), port));
    }

    /** Reads {@code https://host[:port]}. */
    static Optional<Origin> parse(String text) {
        try {
            URI url = new URI(text);
            String path = url.getRawPath(); // null for mailto: and its like
            boolean bare = path != null && (path.isEmpty() || path.equals("/"));
            return bare && url.getRawQuery() == null && url.getRawFragment() == null
                    ? of(url)
                    : Optional.empty();
        } catch (URISyntaxException notAUrl) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return "https://" + host + (port == 443 ? "" : ":" + port);
    }
}

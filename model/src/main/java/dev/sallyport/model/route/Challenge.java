package dev.sallyport.model.route;

import org.jspecify.annotations.Nullable;

/**
 * What an ACME server asks for to have a name proven to it (HTTP-01, RFC 8555 section 8.3).
 *
 * @param host normalised; {@link #ANY_HOST} for whatever host, as certificates for IP addresses
 *     need it
 * @param token as the server chose it
 */
public record Challenge(String host, String token) {
    /** In place of a host: whatever host. */
    public static final String ANY_HOST = "";

    /** Where tokens are asked for. */
    private static final String PREFIX = "/.well-known/acme-challenge/";

    /** Those in use have 43 characters. */
    private static final int MAX_TOKEN = 256;

    public Challenge {
        if (!isToken(token, 0)) {
            throw new IllegalArgumentException(
                    "token: "
                            + token
                            + " (expected: 1–"
                            + MAX_TOKEN
                            + " letters, digits, '-' and '_')");
        }
    }

    /** The path that is asked for. */
    public String path() {
        return PREFIX + token;
    }

    /**
     * The token that {@code path} (without query) asks for: all of the one segment below the
     * prefix. Null for every other path, at the cost of looking at its second character.
     */
    public static @Nullable String tokenOf(String path) {
        return path.startsWith(PREFIX) && isToken(path, PREFIX.length())
                ? path.substring(PREFIX.length())
                : null;
    }

    /** "It MUST NOT contain any characters outside the base64url alphabet." */
    private static boolean isToken(String text, int from) {
        int length = text.length() - from;
        if (length < 1 || length > MAX_TOKEN) {
            return false;
        }
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean fits =
                    (c >= 'a' && c <= 'z')
                            || (c >= 'A' && c <= 'Z')
                            || (c >= '0' && c <= '9')
                            || c == '-'
                            || c == '_';
            if (!fits) {
                return false;
            }
        }
        return true;
    }
}

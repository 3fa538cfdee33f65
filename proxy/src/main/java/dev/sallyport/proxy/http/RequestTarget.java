package dev.sallyport.proxy.http;

import dev.sallyport.model.route.NormalPath;
import dev.sallyport.proxy.ProxySettings.EscapedSlashes;
import org.jspecify.annotations.Nullable;

/**
 * A request target in origin form with its path normalised, once: what is routed is what is
 * forwarded, so that the gateway and a backend never disagree on what a path means.
 *
 * <p>The path is brought into its {@linkplain NormalPath normal form}, which rules are written in
 * as well; refused is what has none, a fragment, and a query with control characters or bytes
 * beyond ASCII. The query is passed on byte for byte.
 */
public final class RequestTarget {

    /** The asterisk form: OPTIONS for the server as a whole. */
    public static final RequestTarget ASTERISK = new RequestTarget("*", "*", "*");

    private final String original;
    private final String path;
    private final String forwarded;

    private RequestTarget(String original, String path, String forwarded) {
        this.original = original;
        this.path = path;
        this.forwarded = forwarded;
    }

    /** Null where {@code text} is no path with optional query, or must be refused. */
    public static @Nullable RequestTarget parse(String text, EscapedSlashes escapedSlashes) {
        if (text.isEmpty() || text.charAt(0) != '/') {
            return null;
        }
        int query = text.indexOf('?');
        int pathEnd = query < 0 ? text.length() : query;
        for (int i = pathEnd; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c <= ' ' || c >= 0x7f || c == '#') {
                return null;
            }
        }
        String rawPath = pathEnd == text.length() ? text : text.substring(0, pathEnd);
        if (escapedSlashes == EscapedSlashes.REJECT && hasEscapedSlash(rawPath)) {
            return null;
        }
        String path = NormalPath.of(rawPath);
        if (path == null) {
            return null;
        }
        String forwarded = path.equals(rawPath) ? text : path + text.substring(pathEnd);
        return new RequestTarget(text, path, forwarded);
    }

    /** Path and query as the client sent them. */
    public String original() {
        return original;
    }

    /** The normalised path, which routes are matched with. */
    public String path() {
        return path;
    }

    /**
     * The normalised path and the query to the letter; the same object as {@link #original} where
     * nothing changed.
     */
    public String forwarded() {
        return forwarded;
    }

    @Override
    public String toString() {
        return original;
    }

    private static boolean hasEscapedSlash(String path) {
        for (int i = path.indexOf('%'); i >= 0; i = path.indexOf('%', i + 1)) {
            if (path.regionMatches(true, i, "%2f", 0, 3)
                    || path.regionMatches(true, i, "%5c", 0, 3)) {
                return true;
            }
        }
        return false;
    }
}

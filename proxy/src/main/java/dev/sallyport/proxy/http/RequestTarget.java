package dev.sallyport.proxy.http;

import dev.sallyport.proxy.ProxySettings.EscapedSlashes;
import org.jspecify.annotations.Nullable;

/**
 * A request target in origin form with its path normalised, once: what is routed is what is
 * forwarded, so that the gateway and a backend never disagree on what a path means.
 *
 * <ul>
 *   <li>Escapes of unreserved characters are decoded, other escapes get upper-case digits (RFC 3986
 *       section 6.2.2).
 *   <li>Dot segments are removed (RFC 3986 section 5.2.4), escaped ones too; a path that climbs
 *       above the root is refused.
 *   <li>Refused as well: {@code %00} and malformed escapes, raw backslashes, control characters,
 *       fragments, bytes beyond ASCII, and {@code ..;} segments, which some backends take for dot
 *       segments with a parameter.
 *   <li>Empty segments stay. The query is passed on byte for byte.
 * </ul>
 */
public final class RequestTarget {

    /** The asterisk form: OPTIONS for the server as a whole. */
    public static final RequestTarget ASTERISK = new RequestTarget("*", "*", "*");

    private static final String HEX = "0123456789ABCDEF";

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
        int pathEnd = text.length();
        boolean plain = true;
        for (int i = 0; i < pathEnd; i++) {
            char c = text.charAt(i);
            if (c <= ' ' || c >= 0x7f || c == '\\' || c == '#') {
                return null;
            }
            if (c == '?') {
                pathEnd = i;
            } else if (c == '%' || (c == '.' && text.charAt(i - 1) == '/')) {
                plain = false;
            }
        }
        for (int i = pathEnd; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c <= ' ' || c >= 0x7f || c == '#') {
                return null;
            }
        }
        String rawPath = pathEnd == text.length() ? text : text.substring(0, pathEnd);
        String path = plain ? rawPath : normalise(rawPath, escapedSlashes);
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

    private static @Nullable String normalise(String raw, EscapedSlashes escapedSlashes) {
        String decoded = decodeUnreserved(raw, escapedSlashes);
        return decoded == null ? null : removeDotSegments(decoded);
    }

    private static @Nullable String decodeUnreserved(String raw, EscapedSlashes escapedSlashes) {
        if (raw.indexOf('%') < 0) {
            return raw;
        }
        StringBuilder out = new StringBuilder(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c != '%') {
                out.append(c);
                continue;
            }
            int value =
                    i + 2 < raw.length()
                            ? hex(raw.charAt(i + 1)) << 4 | hex(raw.charAt(i + 2))
                            : -1;
            boolean slash = value == '/' || value == '\\';
            if (value <= 0 || (slash && escapedSlashes == EscapedSlashes.REJECT)) {
                return null;
            }
            if (isUnreserved(value)) {
                out.append((char) value);
            } else {
                out.append('%').append(HEX.charAt(value >> 4)).append(HEX.charAt(value & 15));
            }
            i += 2;
        }
        return out.toString();
    }

    private static @Nullable String removeDotSegments(String path) {
        if (!path.contains("/.")) {
            return path;
        }
        StringBuilder out = new StringBuilder(path.length());
        int start = 0; // of a segment, at its slash
        while (start < path.length()) {
            int next = path.indexOf('/', start + 1);
            int end = next < 0 ? path.length() : next;
            int dots = leadingDots(path, start + 1, end);
            int length = end - start - 1;
            if (length == dots && (dots == 1 || dots == 2)) {
                if (dots == 2) {
                    if (out.isEmpty()) {
                        return null; // above the root
                    }
                    out.setLength(out.lastIndexOf("/"));
                }
                if (next < 0) {
                    out.append('/');
                }
            } else if ((dots == 1 || dots == 2) && startsParameter(path, start + 1 + dots)) {
                return null;
            } else {
                out.append(path, start, end);
            }
            start = end;
        }
        return out.toString();
    }

    private static int leadingDots(String path, int from, int to) {
        int i = from;
        while (i < to && path.charAt(i) == '.') {
            i++;
        }
        return i - from;
    }

    private static boolean startsParameter(String path, int at) {
        return path.startsWith(";", at) || path.startsWith("%3B", at);
    }

    private static boolean isUnreserved(int c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '-'
                || c == '.'
                || c == '_'
                || c == '~';
    }

    /** The value of a hexadecimal digit; negative where it is none. */
    private static int hex(char c) {
        if (c >= '0' && c <= '9') {
            return c - '0';
        }
        int letter = c | 0x20;
        return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
    }
}

package dev.sallyport.model.route;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The one form of a path: requests are brought into it before they are routed and forwarded, rules
 * before they are compared, so that the two never disagree on what a path is. It is a path as RFC
 * 3986 has it, and normal by its section 6.2.2:
 *
 * <ul>
 *   <li>Escapes of unreserved characters are decoded, other escapes get upper-case digits.
 *   <li>What clients send although no URI can hold it ({@code " < > [ ] ^ ` { | }}) is escaped.
 *   <li>Dot segments are removed (section 5.2.4), escaped ones too.
 *   <li>Empty segments stay, escaped slashes too.
 * </ul>
 */
public final class NormalPath {
    private static final String HEX = "0123456789ABCDEF";
    private static final byte REFUSED = 0;
    private static final byte ESCAPED = 1;
    private static final byte KEPT = 2;
    private static final byte UNRESERVED = 3;

    /** What becomes of each ASCII character; {@code %} is a matter of its own. */
    private static final byte[] KINDS = kinds();

    private NormalPath() {}

    /**
     * The normal form of {@code path}; the same object where nothing changes.
     *
     * @param path of a request target, without query
     * @return null where it does not start with a slash, climbs above the root, has {@code %00}, a
     *     malformed escape, a backslash, a control character, a space, {@code ?}, {@code #} or a
     *     character beyond ASCII, or a segment such as {@code ..;}, which some backends take for a
     *     dot segment with a parameter
     */
    public static @Nullable String of(String path) {
        String escaped = normaliseEscapes(path);
        return escaped == null ? null : removeDotSegments(escaped);
    }

    /**
     * What a person wrote as a path, as clients send it: what no URI can hold is percent-encoded as
     * UTF-8; what is there of escapes stays.
     */
    static String escape(String written) {
        byte[] octets = written.getBytes(StandardCharsets.UTF_8);
        var out = new StringBuilder(octets.length);
        for (byte octet : octets) {
            append(out, octet & 0xff, octet >= 0 && KINDS[octet] >= KEPT);
        }
        return out.toString();
    }

    /** As {@link #of}, with the dot segments still there. */
    static @Nullable String normaliseEscapes(String path) {
        if (path.isEmpty() || path.charAt(0) != '/') {
            return null;
        }
        for (int i = 1; i < path.length(); i++) {
            char c = path.charAt(i);
            if (c >= KINDS.length || KINDS[c] == REFUSED) {
                return null;
            }
            if (c == '%' || KINDS[c] == ESCAPED) {
                return normaliseEscapes(path, i);
            }
        }
        return path;
    }

    private static @Nullable String normaliseEscapes(String path, int from) {
        var out = new StringBuilder(path.length() + 16).append(path, 0, from);
        for (int i = from; i < path.length(); i++) {
            char c = path.charAt(i);
            if (c >= KINDS.length || KINDS[c] == REFUSED) {
                return null;
            }
            if (c == '%') {
                int octet =
                        i + 2 < path.length()
                                ? hex(path.charAt(i + 1)) << 4 | hex(path.charAt(i + 2))
                                : -1;
                if (octet <= 0) {
                    return null;
                }
                append(out, octet, octet < KINDS.length && KINDS[octet] == UNRESERVED);
                i += 2;
            } else {
                append(out, c, KINDS[c] != ESCAPED);
            }
        }
        return out.toString();
    }

    /** Null where the path climbs above the root, or has what some take for a dot segment. */
    private static @Nullable String removeDotSegments(String path) {
        if (!path.contains("/.")) {
            return path;
        }
        var out = new StringBuilder(path.length());
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
        return out.length() == path.length() ? path : out.toString();
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

    private static void append(StringBuilder out, int octet, boolean plain) {
        if (plain) {
            out.append((char) octet);
        } else {
            out.append('%').append(HEX.charAt(octet >> 4)).append(HEX.charAt(octet & 15));
        }
    }

    /** The value of a hexadecimal digit; negative where it is none. */
    private static int hex(char c) {
        return c < 0x80 ? Character.digit(c, 16) : -1;
    }

    private static byte[] kinds() {
        var kinds = new byte[0x80];
        for (char c = '!'; c < 0x7f; c++) {
            kinds[c] = isUnreserved(c) ? UNRESERVED : ESCAPED;
        }
        for (char c : "/:@!$&'()*+,;=%".toCharArray()) {
            kinds[c] = KEPT; // RFC 3986 section 3.3, pchar
        }
        for (char c : "\\?#".toCharArray()) {
            kinds[c] = REFUSED;
        }
        return kinds;
    }

    /** RFC 3986 section 2.3. */
    private static boolean isUnreserved(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || "-._~".indexOf(c) >= 0;
    }
}

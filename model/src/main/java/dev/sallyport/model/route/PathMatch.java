package dev.sallyport.model.route;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HexFormat;

/**
 * What a request's path must look like. Paths are case-sensitive and compared as normalised text.
 */
public sealed interface PathMatch {

    /**
     * Kubernetes Ingress: "precedence will be given first to the longest matching path. If two
     * paths are still equally matched, precedence will be given to paths with an exact path type
     * over prefix path type."
     */
    Comparator<PathMatch> PRECEDENCE =
            Comparator.comparingInt((PathMatch match) -> match.path().length())
                    .reversed()
                    .thenComparing(match -> match instanceof Prefix)
                    .thenComparing(PathMatch::path);

    /**
     * The path as it is compared: starts with a slash; a prefix other than {@code /} does not end
     * with one.
     */
    String path();

    /** Whether a request for {@code requestPath} (without query) is meant. */
    boolean matches(String requestPath);

    /** The whole path, to the letter. */
    record Exact(String path) implements PathMatch {
        public Exact {
            path = normalise(path);
        }

        @Override
        public boolean matches(String requestPath) {
            return path.equals(requestPath);
        }
    }

    /**
     * Whole path segments from the start: {@code /foo} means {@code /foo}, {@code /foo/} and {@code
     * /foo/bar}, not {@code /foobar}. A trailing slash is dropped, as Kubernetes asks for.
     */
    record Prefix(String path) implements PathMatch {
        public Prefix {
            path = normalise(path);
            int end = path.length();
            while (end > 1 && path.charAt(end - 1) == '/') {
                end--;
            }
            path = path.substring(0, end);
        }

        @Override
        public boolean matches(String requestPath) {
            int length = path.length();
            return length == 1
                    || (requestPath.startsWith(path)
                            && (requestPath.length() == length
                                    || requestPath.charAt(length) == '/'));
        }
    }

    /**
     * The form in which requests' paths are compared, RFC 3986 section 6.2.2: what a URI cannot
     * hold is percent-encoded as UTF-8, encoded unreserved characters are decoded, hexadecimal
     * digits are upper case.
     *
     * @throws IllegalArgumentException with a text for the path's author, where no request can have
     *     it
     */
    private static String normalise(String written) {
        if (written.isEmpty() || written.charAt(0) != '/') {
            throw new IllegalArgumentException(
                    "path: " + written + " (expected: an absolute path, starting with '/')");
        }
        byte[] bytes = written.getBytes(StandardCharsets.UTF_8);
        var out = new StringBuilder(bytes.length);
        for (int i = 0; i < bytes.length; i++) {
            int c = bytes[i] & 0xFF;
            if (c == '%') {
                int value = i + 2 < bytes.length ? hex(bytes[i + 1]) << 4 | hex(bytes[i + 2]) : -1;
                if (value <= 0) {
                    throw new IllegalArgumentException(
                            "path: "
                                    + written
                                    + " (expected: '%' before two hexadecimal digits, not 00)");
                }
                i += 2;
                append(out, value, isUnreserved(value));
            } else {
                append(out, c, isUnreserved(c) || "/:@!$&'()*+,;=".indexOf(c) >= 0);
            }
        }
        String path = out.toString();
        if ((path + "/").contains("/./") || (path + "/").contains("/../")) {
            throw new IllegalArgumentException("path: " + written + " (expected: no dot segments)");
        }
        return path;
    }

    private static void append(StringBuilder out, int octet, boolean plain) {
        if (plain) {
            out.append((char) octet);
        } else {
            out.append('%').append(HexFormat.of().withUpperCase().toHexDigits((byte) octet));
        }
    }

    private static int hex(byte digit) {
        return HexFormat.isHexDigit(digit) ? HexFormat.fromHexDigit(digit) : -1;
    }

    /** RFC 3986 section 2.3. */
    private static boolean isUnreserved(int c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || "-._~".indexOf(c) >= 0;
    }
}

package dev.sallyport.model.route;

import java.util.Comparator;

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
     * The {@linkplain NormalPath form} in which requests' paths are compared. What no URI can hold
     * is percent-encoded as UTF-8 first, so that people may write {@code /café}.
     *
     * @throws IllegalArgumentException with a text for the path's author, where no request can have
     *     it
     */
    private static String normalise(String written) {
        if (written.isEmpty() || written.charAt(0) != '/') {
            throw new IllegalArgumentException(
                    "path: " + written + " (expected: an absolute path, starting with '/')");
        }
        String escaped = NormalPath.normaliseEscapes(NormalPath.escape(written));
        if (escaped == null) {
            throw new IllegalArgumentException(
                    "path: " + written + " (expected: '%' before two hexadecimal digits, not 00)");
        }
        if (!escaped.equals(NormalPath.of(escaped))) {
            throw new IllegalArgumentException("path: " + written + " (expected: no dot segments)");
        }
        return escaped;
    }
}

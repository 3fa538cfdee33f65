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
            requireAbsolute(path);
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
            requireAbsolute(path);
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

    private static void requireAbsolute(String path) {
        if (path.isEmpty() || path.charAt(0) != '/') {
            throw new IllegalArgumentException(
                    "path: " + path + " (expected: an absolute path, starting with '/')");
        }
    }
}

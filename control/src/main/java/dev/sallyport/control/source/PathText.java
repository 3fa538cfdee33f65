package dev.sallyport.control.source;

import java.nio.file.Path;

/** How paths are written in findings. */
final class PathText {
    private static final char UNDECODABLE = '\uFFFD';

    private PathText() {}

    /**
     * The path as a user would type it. Where its bytes are no text in the encoding of the locale
     * (in the POSIX locale, all that is not ASCII), they are written as in a URI: two such names
     * must not look the same.
     */
    static String of(Path path) {
        String text = path.toString();
        return text.indexOf(UNDECODABLE) < 0 ? text : path.toUri().getRawPath();
    }
}

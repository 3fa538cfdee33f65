package dev.sallyport.app.config;

/**
 * Where a log goes.
 *
 * @param text {@code stdout}, {@code stderr} or a file's path
 */
public record LogTarget(String text) {
    static final LogTarget STANDARD_OUTPUT = new LogTarget("stdout");
    static final String FORM = "stdout, stderr or path";

    /** Whether the text names a stream of the process, not a file. */
    static boolean isStream(String text) {
        return text.equals("stdout") || text.equals("stderr");
    }

    @Override
    public String toString() {
        return text;
    }
}

package dev.sallyport.app.config;

/**
 * What is wrong with one key.
 *
 * @param source where it was written
 * @param key the whole key, for instance {@code limits.header-bytes}; empty where the file itself
 *     is at fault
 * @param message what is wrong, with what was expected
 */
public record Problem(Source source, String key, String message) {

    /** {@code gateway.yaml:12: listeners.admin: 70000 (expected: …)}. */
    @Override
    public String toString() {
        return key.isEmpty() ? source + ": " + message : source + ": " + key + ": " + message;
    }
}

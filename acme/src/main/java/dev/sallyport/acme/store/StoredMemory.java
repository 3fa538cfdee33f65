package dev.sallyport.acme.store;

/**
 * What whoever decides about certificates has to know after a restart: what failed, and what was
 * asked of the CAs lately. Nothing in it is secret, and nothing is lost for ever with it.
 *
 * @param text lines, which only their writer understands; at most {@link #MOST} characters of ASCII
 *     and others
 */
public record StoredMemory(String text) {
    /** Fits a file of ours, and an object of Kubernetes. */
    public static final int MOST = 128 * 1024;

    public StoredMemory {
        if (text.length() > MOST) {
            throw new IllegalArgumentException(
                    "memory: " + text.length() + " characters (expected: at most " + MOST + ")");
        }
    }
}

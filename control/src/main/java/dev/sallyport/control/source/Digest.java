package dev.sallyport.control.source;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Tells contents from other contents: half of a SHA-256. */
record Digest(long high, long low) {
    /** Of no contents. */
    static final Digest NONE = new Digest(0, 0);

    static Digest of(byte[] contents) {
        try {
            ByteBuffer sum = ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(contents));
            return new Digest(sum.getLong(), sum.getLong());
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }
}

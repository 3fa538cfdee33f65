package dev.sallyport.model.certificate;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.function.Function;

/**
 * Key material: cannot be printed, compares in constant time, is wiped when told. Not a record,
 * whose accessor and {@code toString} would give it away.
 */
public final class SensitiveBytes {
    private final byte[] bytes;

    private SensitiveBytes(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Holds a copy of {@code bytes}; wiping the original is the caller's. */
    public static SensitiveBytes copyOf(byte[] bytes) {
        return new SensitiveBytes(bytes.clone());
    }

    /**
     * Lends a copy to {@code use} and wipes it afterwards.
     *
     * @return what {@code use} returns, which must not hold on to the array
     */
    public <R> R use(Function<byte[], R> use) {
        byte[] lent = bytes.clone();
        try {
            return use.apply(lent);
        } finally {
            Arrays.fill(lent, (byte) 0);
        }
    }

    /** The number of bytes. */
    public int length() {
        return bytes.length;
    }

    /** Overwrites the bytes with zeros. The owner calls it when nobody can use them any more. */
    public void wipe() {
        Arrays.fill(bytes, (byte) 0);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SensitiveBytes that && MessageDigest.isEqual(bytes, that.bytes);
    }

    /** Constant, since any hash of a key tells something about it. */
    @Override
    public int hashCode() {
        return SensitiveBytes.class.hashCode();
    }

    @Override
    public String toString() {
        return "SensitiveBytes[" + bytes.length + " bytes]";
    }
}

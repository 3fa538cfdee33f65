package dev.sallyport.acme.issuer;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A short name for what is too long, or too secret, to be one. */
public final class Fingerprint {
    private Fingerprint() {}

    /**
     * The first bytes of the SHA-256 of all parts, one after the other, in hexadecimal.
     *
     * @param bytes how many; 1–32
     */
    public static String of(int bytes, byte[]... parts) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                sha256.update(part);
            }
            return HexFormat.of().formatHex(sha256.digest(), 0, bytes);
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }
}

package dev.sallyport.control.stored;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/**
 * How the frames of a file are sealed: AES-256-GCM with a key of the file's own, a nonce of the
 * frame's place and of whether it is the last (the STREAM construction of Hoang, Reyhanitabar,
 * Rogaway and Vizár, 2015), and the header as associated data. Frames can thus not be changed,
 * dropped, repeated, reordered, taken from another file, or cut off at the end.
 */
final class Seal {
    /** What a frame may hold. */
    static final int MOST_BYTES = 8 << 20;

    /** By how much a sealed frame is longer. */
    static final int TAG_BYTES = 16;

    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 8 * TAG_BYTES;

    private Seal() {}

    /**
     * The cipher for one frame.
     *
     * @param mode of {@link Cipher}
     * @param number of the frame, from 0
     */
    static Cipher cipher(int mode, SecretKey key, byte[] header, int number, boolean last)
            throws GeneralSecurityException {
        ByteBuffer nonce = ByteBuffer.allocate(NONCE_BYTES);
        nonce.position(NONCE_BYTES - Integer.BYTES - 1);
        nonce.putInt(number).put((byte) (last ? 1 : 0));
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce.array()));
        cipher.updateAAD(header);
        return cipher;
    }
}

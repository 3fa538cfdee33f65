package dev.sallyport.control.stored;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;

/**
 * Writes a header and sealed frames. Confined to one thread; closing the stream is the caller's.
 */
final class SealedWriter {
    private final DataOutputStream out;
    private final SecretKey key;
    private final byte[] header;
    private int number;

    /** Writes the header. */
    SealedWriter(OutputStream out, StoreKey key, Instant asOf, SecureRandom random)
            throws IOException {
        byte[] salt = new byte[SealHeader.SALT_BYTES];
        random.nextBytes(salt);
        this.out = new DataOutputStream(out);
        this.key = key.forFile(salt);
        this.header = new SealHeader(key.id(), HexFormat.of().formatHex(salt), asOf).encoded();
        out.write(header);
    }

    /**
     * Writes a frame. Without {@link #end} behind the last one the file cannot be read.
     *
     * @param plain its first {@code length} bytes are the frame; wiping them is the caller's
     */
    void frame(byte[] plain, int length) throws IOException {
        write(plain, length, false);
    }

    /** Writes the frame that says that nothing is missing. */
    void end() throws IOException {
        write(new byte[0], 0, true);
        out.flush();
    }

    private void write(byte[] plain, int length, boolean last) throws IOException {
        if (length > Seal.MOST_BYTES) {
            throw new IllegalArgumentException(
                    "frame: " + length + " bytes (expected: at most " + Seal.MOST_BYTES + ")");
        }
        try {
            Cipher cipher = Seal.cipher(Cipher.ENCRYPT_MODE, key, header, number++, last);
            byte[] sealed = cipher.doFinal(plain, 0, length);
            out.writeInt(last ? ~sealed.length : sealed.length);
            out.write(sealed);
        } catch (GeneralSecurityException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }
}

package dev.sallyport.control.stored;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/**
 * Reads what {@link SealedWriter} wrote. A frame that it hands out is as it was written; that all
 * of them were there is known when {@link #next} has answered null. Confined to one thread.
 */
final class SealedReader {
    private final DataInputStream in;
    private final SealHeader header;
    private final byte[] encodedHeader;
    private final SecretKey key;
    private int number;
    private boolean ended;

    /**
     * Reads the header.
     *
     * @throws Refused where the file is something else, or sealed with another key
     */
    SealedReader(InputStream in, StoreKey key) throws IOException, Refused {
        this.in = new DataInputStream(in);
        this.header = SealHeader.read(in);
        if (!header.keyId().equals(key.id())) {
            throw new Refused(
                    "sealed with the key " + header.keyId() + " (expected: " + key.id() + ")",
                    "Give the key that it was written with, or let it be replaced once the API server"
                            + " has answered.");
        }
        this.encodedHeader = header.encoded();
        this.key = key.forFile(header.saltBytes());
    }

    /** What the file says of itself. */
    SealHeader header() {
        return header;
    }

    /**
     * The next frame, the reader's to wipe; null behind the last one.
     *
     * @throws Refused where the file is not as it was written
     */
    byte @Nullable [] next() throws IOException, Refused {
        if (ended) {
            return null;
        }
        try {
            int prefix = in.readInt();
            ended = prefix < 0;
            int length = ended ? ~prefix : prefix;
            if (length < Seal.TAG_BYTES || length > Seal.MOST_BYTES + Seal.TAG_BYTES) {
                throw damaged();
            }
            byte[] sealed = in.readNBytes(length);
            if (sealed.length < length) {
                throw new EOFException();
            }
            byte[] plain =
                    Seal.cipher(Cipher.DECRYPT_MODE, key, encodedHeader, number++, ended)
                            .doFinal(sealed);
            if (!ended) {
                return plain;
            }
            if (in.read() >= 0) {
                throw Refused.damaged("it goes on behind its end");
            }
            return null;
        } catch (EOFException _) {
            throw Refused.damaged("it ends in the middle");
        } catch (AEADBadTagException _) {
            throw damaged();
        } catch (GeneralSecurityException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }

    private Refused damaged() {
        return Refused.damaged("frame " + number + " is damaged");
    }
}

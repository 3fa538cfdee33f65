package dev.sallyport.control.stored;

import dev.sallyport.model.certificate.SensitiveBytes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The secret that stored states are sealed with: 32 random bytes, from which a key is derived for
 * each file. Cannot be printed. Immutable.
 */
public final class StoreKey {
    /** As long as the key of the cipher. */
    public static final int BYTES = 32;

    /** How to make one. */
    private static final String EXPECTED =
            "(expected: 32 random bytes as they are, in hexadecimal or in base64; make them with:"
                    + " openssl rand -base64 32)";

    private static final int LARGEST_FILE = 1024;
    private static final Set<PosixFilePermission> TOO_OPEN =
            EnumSet.of(
                    PosixFilePermission.GROUP_WRITE,
                    PosixFilePermission.OTHERS_READ,
                    PosixFilePermission.OTHERS_WRITE);

    private final SensitiveBytes secret;

    private StoreKey(byte[] secret) {
        this.secret = SensitiveBytes.copyOf(secret);
    }

    /** The file holds no key that may be used. The message says why and what is expected. */
    public static final class Unusable extends Exception {
        private static final long serialVersionUID = 1;

        Unusable(String message) {
            super(message);
        }
    }

    /**
     * Reads the key from a file that nobody else may read, such as that of a mounted Secret.
     *
     * @throws Unusable where there is none, or where others know it
     */
    public static StoreKey read(Path file) throws Unusable {
        byte[] contents = new byte[0];
        try {
            requireClosed(file);
            try (InputStream in = Files.newInputStream(file)) {
                contents = in.readNBytes(LARGEST_FILE + 1);
            }
            return parse(contents);
        } catch (NoSuchFileException _) {
            throw new Unusable("no such file " + EXPECTED);
        } catch (AccessDeniedException _) {
            throw new Unusable(
                    "permission denied (expected: readable by this process; in a Pod, set fsGroup and"
                            + " the volume's defaultMode: 0440)");
        } catch (IOException failed) {
            throw new Unusable("cannot be read: " + failed.getMessage());
        } finally {
            Arrays.fill(contents, (byte) 0);
        }
    }

    /**
     * Takes the key out of a file's contents.
     *
     * @throws Unusable where it is something else, or surely not random
     */
    static StoreKey parse(byte[] contents) throws Unusable {
        byte[] secret = decode(contents);
        try {
            if (secret.length != BYTES) {
                throw new Unusable(
                        contents.length
                                + " bytes that are no key of 32 bytes "
                                + EXPECTED); // never what they are
            }
            if (isConstant(secret)) {
                throw new Unusable("one byte again and again " + EXPECTED);
            }
            return new StoreKey(secret);
        } finally {
            Arrays.fill(secret, (byte) 0);
        }
    }

    /** Tells the keys of files apart without telling anything of them: 16 digits. */
    String id() {
        byte[] id = derive(new byte[0], "sallyport stored state, key id", 8);
        return HexFormat.of().formatHex(id);
    }

    /**
     * The key of one file.
     *
     * @param salt random, and never used again
     */
    SecretKey forFile(byte[] salt) {
        byte[] key = derive(salt, "sallyport stored state, format 1", BYTES);
        try {
            return new SecretKeySpec(key, "AES");
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    @Override
    public String toString() {
        return "StoreKey[" + id() + "]";
    }

    private byte[] derive(byte[] salt, String info, int length) {
        return secret.use(bytes -> {
            try {
                return KDF.getInstance("HKDF-SHA256")
                        .deriveData(
                                HKDFParameterSpec.ofExtract()
                                        .addIKM(bytes)
                                        .addSalt(salt)
                                        .thenExpand(
                                                info.getBytes(StandardCharsets.US_ASCII), length));
            } catch (GeneralSecurityException missingFromTheJdk) {
                throw new IllegalStateException(missingFromTheJdk);
            }
        });
    }

    /** A key that others can read protects nothing; one that they can write is theirs. */
    private static void requireClosed(Path file) throws IOException, Unusable {
        PosixFileAttributeView view =
                Files.getFileAttributeView(file, PosixFileAttributeView.class);
        if (view == null) {
            return; // a file system without such permissions
        }
        Set<PosixFilePermission> permissions = view.readAttributes().permissions();
        Set<PosixFilePermission> wrong = EnumSet.copyOf(TOO_OPEN);
        wrong.retainAll(permissions);
        if (!wrong.isEmpty()) {
            throw new Unusable(
                    "mode "
                            + PosixFilePermissions.toString(permissions)
                            + " (expected: nothing for others; chmod 400 "
                            + file
                            + ", or in a Pod the volume's defaultMode: 0440 with an fsGroup)");
        }
    }

    private static byte[] decode(byte[] contents) {
        if (contents.length == BYTES && !isText(contents)) {
            return contents.clone();
        }
        byte[] text = stripped(contents);
        try {
            // 32 characters are a password, or a key of half the length: of neither kind below.
            return switch (text.length) {
                case 2 * BYTES -> hexadecimal(text);
                case 43, 44 -> base64(text);
                default -> new byte[0];
            };
        } catch (IllegalArgumentException neither) {
            return new byte[0];
        } finally {
            Arrays.fill(text, (byte) 0);
        }
    }

    private static byte[] hexadecimal(byte[] text) {
        byte[] bytes = new byte[text.length / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] =
                    (byte)
                            (HexFormat.fromHexDigit(text[2 * i]) << 4
                                    | HexFormat.fromHexDigit(text[2 * i + 1]));
        }
        return bytes;
    }

    private static byte[] base64(byte[] text) {
        for (byte b : text) {
            if (b == '-' || b == '_') {
                return Base64.getUrlDecoder().decode(text);
            }
        }
        return Base64.getDecoder().decode(text);
    }

    /** Random bytes are all printable once in 10¹³ times. */
    private static boolean isText(byte[] bytes) {
        for (byte b : bytes) {
            if (b < ' ' && b != '\n' && b != '\r' && b != '\t') {
                return false;
            }
        }
        return true;
    }

    private static boolean isConstant(byte[] bytes) {
        for (byte b : bytes) {
            if (b != bytes[0]) {
                return false;
            }
        }
        return true;
    }

    private static byte[] stripped(byte[] bytes) {
        int from = 0;
        int to = bytes.length;
        while (from < to && bytes[from] <= ' ' && bytes[from] >= 0) {
            from++;
        }
        while (to > from && bytes[to - 1] <= ' ' && bytes[to - 1] >= 0) {
            to--;
        }
        return Arrays.copyOfRange(bytes, from, to);
    }
}

package dev.sallyport.control.stored;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * What a stored state says of itself in clear text, so that people can see what it is; every frame
 * is sealed together with it.
 *
 * <pre>
 * sallyport last known good state
 * format: 1
 * cipher: AES-256-GCM
 * key: 0123456789abcdef
 * salt: (64 digits)
 * as of: 2026-06-01T00:00:00Z
 * (an empty line)
 * </pre>
 *
 * @param keyId which key it was sealed with
 * @param salt from which and the key the file's own key comes, in hexadecimal
 * @param asOf when all of it was known to be so
 */
record SealHeader(String keyId, String salt, Instant asOf) {
    static final int SALT_BYTES = 32;

    private static final String TITLE = "sallyport last known good state\n";
    private static final int LONGEST = 512;

    /** As it stands in the file. */
    byte[] encoded() {
        return (TITLE
                        + "format: 1\ncipher: AES-256-GCM\nkey: "
                        + keyId
                        + "\nsalt: "
                        + salt
                        + "\nas of: "
                        + asOf
                        + "\n\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** The salt itself. */
    byte[] saltBytes() {
        return HexFormat.of().parseHex(salt);
    }

    /**
     * Reads a header and nothing behind it.
     *
     * @throws Refused where there is another file, or another format
     */
    static SealHeader read(InputStream in) throws IOException, Refused {
        byte[] bytes = new byte[LONGEST];
        int length = 0;
        while (length < 2 || bytes[length - 1] != '\n' || bytes[length - 2] != '\n') {
            int next = length < LONGEST ? in.read() : -1;
            if (next < 0) {
                throw foreign();
            }
            bytes[length++] = (byte) next;
        }
        byte[] written = Arrays.copyOf(bytes, length);
        String text = new String(written, StandardCharsets.US_ASCII);
        if (!text.startsWith(TITLE)) {
            throw foreign();
        }
        String[] lines = text.split("\n", -1);
        String format = value(lines, 1, "format");
        if (!format.equals("1")) {
            throw new Refused(
                    "format: " + format + " (expected: 1)",
                    "It was written by another version; the file is replaced once the API server has"
                            + " answered.");
        }
        SealHeader header;
        try {
            header =
                    new SealHeader(
                            value(lines, 3, "key"),
                            value(lines, 4, "salt"),
                            Instant.parse(value(lines, 5, "as of")));
            if (header.saltBytes().length != SALT_BYTES
                    || !Arrays.equals(header.encoded(), written)) {
                throw Refused.damaged("its header is damaged");
            }
        } catch (DateTimeException | IllegalArgumentException malformed) {
            throw Refused.damaged("its header is damaged");
        }
        return header;
    }

    private static String value(String[] lines, int index, String name) throws Refused {
        if (index >= lines.length || !lines[index].startsWith(name + ": ")) {
            throw Refused.damaged("its header is damaged");
        }
        return lines[index].substring(name.length() + 2);
    }

    private static Refused foreign() {
        return new Refused(
                "not a stored state",
                "Name a file of the gateway's own in kubernetes.last-known-good.file; it replaces what"
                        + " is there.");
    }
}

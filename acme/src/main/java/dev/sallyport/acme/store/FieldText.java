package dev.sallyport.acme.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Named fields as lines of text, with a checksum as the last: {@code name: value} for words, {@code
 * name:: base64} for bytes. Bytes all the way, since a {@code String} with a key could not be
 * wiped. The checksum finds damage, not forgery: who can write the file has the keys anyway.
 */
final class FieldText {
    private static final String CHECKSUM = "sha256";

    private final Map<String, List<byte[]>> fields = new LinkedHashMap<>();

    /** The text cannot be read as fields; says why, and nothing of its contents. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1;

        Malformed(String message) {
            super(message);
        }
    }

    /** Adds a word: one line, no control characters. */
    FieldText put(String name, String value) {
        if (value.chars().anyMatch(c -> c < ' ')) {
            throw new IllegalArgumentException(name + ": control characters");
        }
        return put(name, value.getBytes(UTF_8), false);
    }

    /** Adds bytes, which are copied. */
    FieldText put(String name, byte[] value) {
        return put(name, value, true);
    }

    private FieldText put(String name, byte[] value, boolean encoded) {
        fields.computeIfAbsent(encoded ? name + ":" : name, _ -> new ArrayList<>())
                .add(encoded ? Base64.getEncoder().encode(value) : value.clone());
        return this;
    }

    /** The word of a name. */
    String word(String name) throws Malformed {
        return optionalWord(name).orElseThrow(() -> new Malformed("lacks " + name));
    }

    /** The word of a name, if it is there. */
    Optional<String> optionalWord(String name) {
        List<byte[]> values = fields.getOrDefault(name, List.of());
        return values.isEmpty()
                ? Optional.empty()
                : Optional.of(new String(values.getFirst(), UTF_8));
    }

    /** All words of a name. */
    List<String> words(String name) {
        return fields.getOrDefault(name, List.of()).stream()
                .map(value -> new String(value, UTF_8))
                .toList();
    }

    /** The bytes of a name; the caller's to wipe. */
    byte[] bytes(String name) throws Malformed {
        List<byte[]> all = allBytes(name);
        if (all.isEmpty()) {
            throw new Malformed("lacks " + name);
        }
        return all.getFirst();
    }

    /** All bytes of a name; the caller's to wipe. */
    List<byte[]> allBytes(String name) throws Malformed {
        List<byte[]> all = new ArrayList<>();
        for (byte[] value : fields.getOrDefault(name + ":", List.of())) {
            try {
                all.add(Base64.getDecoder().decode(value));
            } catch (IllegalArgumentException notBase64) {
                throw new Malformed(name + " is not base64");
            }
        }
        return all;
    }

    /** Whether there are bytes of a name. */
    boolean hasBytes(String name) {
        return fields.containsKey(name + ":");
    }

    /** The text; the caller's to wipe. */
    byte[] write() {
        var out = new Wiped();
        fields.forEach((name, values) -> {
            for (byte[] value : values) {
                out.writeBytes((name + ": ").getBytes(UTF_8));
                out.writeBytes(value);
                out.write('\n');
            }
        });
        byte[] sum = checksum(out.bytes(), out.size());
        out.writeBytes((CHECKSUM + ": ").getBytes(UTF_8));
        out.writeBytes(sum);
        out.write('\n');
        byte[] text = out.toByteArray();
        out.wipe();
        return text;
    }

    /** Reads a text. */
    static FieldText read(byte[] text) throws Malformed {
        var read = new FieldText();
        int from = 0;
        while (from < text.length) {
            int end = from;
            while (end < text.length && text[end] != '\n') {
                end++;
            }
            if (end == text.length) {
                throw new Malformed("ends in the middle of a line");
            }
            int colon = from;
            while (colon < end && text[colon] != ' ') {
                colon++;
            }
            if (colon - 1 <= from || colon >= end || text[colon - 1] != ':') {
                throw new Malformed("has a line that is no field");
            }
            String name = new String(text, from, colon - 1 - from, UTF_8);
            byte[] value = Arrays.copyOfRange(text, colon + 1, end);
            if (name.equals(CHECKSUM)) {
                if (end + 1 != text.length || !Arrays.equals(value, checksum(text, from))) {
                    throw new Malformed("does not have the checksum that it was written with");
                }
                return read;
            }
            read.fields.computeIfAbsent(name, _ -> new ArrayList<>()).add(value);
            from = end + 1;
        }
        throw new Malformed("has no checksum: it was cut off");
    }

    /** Overwrites what is held. */
    void wipe() {
        fields.values().forEach(values -> values.forEach(value -> Arrays.fill(value, (byte) 0)));
    }

    private static byte[] checksum(byte[] text, int length) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(text, 0, length);
            return HexFormat.of().formatHex(sha.digest()).getBytes(UTF_8);
        } catch (NoSuchAlgorithmException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }

    /** A stream whose buffers do not stay behind with a key in them. */
    private static final class Wiped extends ByteArrayOutputStream {
        Wiped() {
            super(64 * 1024);
        }

        byte[] bytes() {
            return buf;
        }

        void wipe() {
            Arrays.fill(buf, (byte) 0);
        }
    }
}

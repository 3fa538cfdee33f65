package dev.sallyport.app.config;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A number of bytes.
 *
 * @param bytes 0 or more
 */
public record ByteSize(long bytes) {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,15}) ?(B|KiB|MiB|GiB)?");

    public ByteSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("size: " + bytes + " (expected: 0 or more)");
        }
    }

    /** So many KiB. */
    static ByteSize kibibytes(long count) {
        return new ByteSize(count << 10);
    }

    /** So many MiB. */
    static ByteSize mebibytes(long count) {
        return new ByteSize(count << 20);
    }

    /**
     * Reads {@code 4096}, {@code 64KiB} or {@code 1MiB}.
     *
     * @throws IllegalArgumentException with the expected form
     */
    static ByteSize parse(String text) {
        var matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("a size such as 4096, 64KiB or 1MiB");
        }
        String unit = matcher.group(2) == null ? "B" : matcher.group(2);
        int shift =
                switch (unit.toLowerCase(Locale.ROOT)) {
                    case "kib" -> 10;
                    case "mib" -> 20;
                    case "gib" -> 30;
                    default -> 0;
                };
        long count = Long.parseLong(matcher.group(1));
        if (count > Long.MAX_VALUE >> shift) {
            throw new IllegalArgumentException("a size such as 4096, 64KiB or 1MiB");
        }
        return new ByteSize(count << shift);
    }

    /** The number of bytes, for what counts in int; the key's range makes sure that it fits. */
    int toInt() {
        return Math.toIntExact(bytes);
    }

    /** {@code 64KiB}: the largest unit that loses nothing. */
    @Override
    public String toString() {
        if (bytes == 0) {
            return "0";
        }
        if (bytes % (1L << 30) == 0) {
            return (bytes >> 30) + "GiB";
        }
        if (bytes % (1L << 20) == 0) {
            return (bytes >> 20) + "MiB";
        }
        return bytes % (1L << 10) == 0 ? (bytes >> 10) + "KiB" : bytes + "B";
    }
}

package dev.sallyport.proxy.http2;

import io.netty.util.AsciiString;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The fields of the latest response heads of a connection, by position. One response looks much
 * like the next: what was seen at the same place is used again, with its name in lower case and its
 * hash known. What is new is copied, because HPACK's table keeps it, and it may be a few bytes of a
 * large array.
 */
final class FieldMemo {
    private static final int POSITIONS = 32; // a power of two
    private static final int LONGEST = 256;

    private final @Nullable AsciiString[] namesAsSent = new @Nullable AsciiString[POSITIONS];
    private final @Nullable AsciiString[] names = new @Nullable AsciiString[POSITIONS];
    private final @Nullable AsciiString[] values = new @Nullable AsciiString[POSITIONS];

    /** {@code name} in lower case. */
    AsciiString name(int position, CharSequence name) {
        int slot = position & (POSITIONS - 1);
        AsciiString seen = namesAsSent[slot];
        AsciiString lower = names[slot];
        if (seen != null && lower != null && same(seen, name)) {
            return lower;
        }
        AsciiString copy = compact(name);
        AsciiString lowered = copy.toLowerCase();
        if (copy.length() <= LONGEST) {
            namesAsSent[slot] = copy;
            names[slot] = lowered;
        }
        return lowered;
    }

    /** {@code value}, or what equals it. */
    AsciiString value(int position, CharSequence value) {
        int slot = position & (POSITIONS - 1);
        AsciiString seen = values[slot];
        if (seen != null && same(seen, value)) {
            return seen;
        }
        AsciiString copy = compact(value);
        if (copy.length() <= LONGEST) {
            values[slot] = copy;
        }
        return copy;
    }

    private static boolean same(AsciiString seen, CharSequence text) {
        int length = seen.length();
        if (text.length() != length) {
            return false;
        }
        if (text instanceof AsciiString ascii) {
            return Arrays.equals(
                    seen.array(),
                    seen.arrayOffset(),
                    seen.arrayOffset() + length,
                    ascii.array(),
                    ascii.arrayOffset(),
                    ascii.arrayOffset() + length);
        }
        for (int i = 0; i < length; i++) {
            if (seen.charAt(i) != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static AsciiString compact(CharSequence text) {
        if (text instanceof AsciiString ascii) {
            return ascii.isEntireArrayUsed()
                    ? ascii
                    : new AsciiString(ascii.array(), ascii.arrayOffset(), ascii.length(), true);
        }
        return new AsciiString(text);
    }
}

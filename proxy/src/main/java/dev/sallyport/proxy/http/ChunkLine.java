package dev.sallyport.proxy.http;

import dev.sallyport.proxy.filter.FieldSyntax;
import io.netty.buffer.ByteBuf;

/**
 * The line before a chunk, RFC 9112 section 7.1: a size in hexadecimal digits and perhaps
 * extensions, which are ignored but must be well formed. Blanks, which the RFC calls bad, are
 * refused.
 *
 * <p>One grammar for both directions: what a backend says is passed on in chunks of our own, but
 * where it is unclear where its response ends, so is where the next one begins.
 */
public final class ChunkLine {
    private static final int MAX_DIGITS = 15; // of a positive long

    private ChunkLine() {}

    /**
     * The size, or -1 where the line is wrong.
     *
     * @param lf the index of the LF at its end
     */
    public static long parse(ByteBuf in, int start, int lf) {
        int digits = digits(in, start, lf);
        int end = lf - 1;
        boolean framed = end >= start && in.getByte(end) == '\r';
        if (!framed || digits == 0 || digits > MAX_DIGITS) {
            return -1;
        }
        if (!areExtensions(in, start + digits, end)) {
            return -1;
        }
        long size = 0;
        for (int i = start; i < start + digits; i++) {
            size = size << 4 | hex(in.getByte(i));
        }
        return size;
    }

    /** How many digits the line starts with. */
    static int digits(ByteBuf in, int start, int lf) {
        int i = start;
        while (i < lf && hex(in.getByte(i)) >= 0) {
            i++;
        }
        return i - start;
    }

    /** chunk-ext = *( ";" chunk-ext-name [ "=" chunk-ext-val ] ). */
    private static boolean areExtensions(ByteBuf in, int from, int end) {
        int i = from;
        while (i < end) {
            if (in.getByte(i) != ';') {
                return false;
            }
            int nameEnd = tokenEnd(in, i + 1, end);
            if (nameEnd == i + 1) {
                return false;
            }
            i = nameEnd;
            if (i < end && in.getByte(i) == '=') {
                int valueEnd = valueEnd(in, i + 1, end);
                if (valueEnd <= i + 1) {
                    return false;
                }
                i = valueEnd;
            }
        }
        return true;
    }

    private static int tokenEnd(ByteBuf in, int from, int end) {
        int i = from;
        while (i < end && FieldSyntax.isTokenCharacter(in.getByte(i))) {
            i++;
        }
        return i;
    }

    private static int valueEnd(ByteBuf in, int from, int end) {
        if (from >= end || in.getByte(from) != '"') {
            return tokenEnd(in, from, end);
        }
        for (int i = from + 1; i < end; i++) {
            byte b = in.getByte(i);
            if (b == '"') {
                return i + 1;
            }
            if (b == '\\') {
                i++; // whatever it is, it is no end of the string
            }
            if (i >= end || isControl(in.getByte(i))) {
                return -1;
            }
        }
        return -1;
    }

    private static boolean isControl(byte b) {
        return (b >= 0 && b < ' ' && b != '\t') || b == 0x7f;
    }

    private static int hex(byte b) {
        if (b >= '0' && b <= '9') {
            return b - '0';
        }
        int letter = b | 0x20;
        return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
    }
}

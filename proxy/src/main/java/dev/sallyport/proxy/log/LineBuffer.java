package dev.sallyport.proxy.log;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;

/**
 * The bytes of lines that are not written yet. Text becomes bytes here at once: a line is made many
 * thousand times a second, and each copy of it shows. Confined to the writer's thread.
 */
final class LineBuffer {
    private byte[] bytes;
    private int size;

    LineBuffer(int capacity) {
        bytes = new byte[capacity];
    }

    /** What is held, from 0 to {@link #size}; not a copy. */
    byte[] bytes() {
        return bytes;
    }

    int size() {
        return size;
    }

    void clear() {
        size = 0;
    }

    /** An ASCII character. */
    LineBuffer append(char c) {
        ensure(1);
        bytes[size++] = (byte) c;
        return this;
    }

    /** Bytes as they are. */
    LineBuffer append(byte[] text) {
        ensure(text.length);
        System.arraycopy(text, 0, bytes, size, text.length);
        size += text.length;
        return this;
    }

    /** ASCII text of our own: nothing is escaped. */
    LineBuffer append(String text) {
        int length = text.length();
        ensure(length);
        for (int i = 0; i < length; i++) {
            bytes[size++] = (byte) text.charAt(i);
        }
        return this;
    }

    /**
     * Text of anybody's from {@code from} up to the first character that must be escaped: a quote,
     * a backslash, whatever is no printable ASCII.
     *
     * @return where that is, or the text's length
     */
    int appendPlain(String text, int from) {
        int length = text.length();
        ensure(length - from);
        int at = from;
        for (; at < length; at++) {
            char c = text.charAt(at);
            if (c < ' ' || c >= 0x7f || c == '"' || c == '\\') {
                break;
            }
            bytes[size++] = (byte) c;
        }
        return at;
    }

    /** In decimal digits. */
    LineBuffer append(long value) {
        if (value < 0) {
            return append(Long.toString(value));
        }
        int digits = 1;
        for (long rest = value; rest >= 10; rest /= 10) {
            digits++;
        }
        ensure(digits);
        long rest = value;
        for (int i = size + digits - 1; i >= size; i--) {
            bytes[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        size += digits;
        return this;
    }

    /** Three digits. */
    LineBuffer appendThousandths(int value) {
        ensure(3);
        bytes[size++] = (byte) ('0' + value / 100);
        bytes[size++] = (byte) ('0' + value / 10 % 10);
        bytes[size++] = (byte) ('0' + value % 10);
        return this;
    }

    @Override
    public String toString() {
        return new String(bytes, 0, size, US_ASCII);
    }

    private void ensure(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}

package dev.sallyport.proxy.filter;

import io.netty.util.AsciiString;

/**
 * The syntax of header fields, RFC 9110 section 5, one for requests, responses and both protocols.
 */
public final class FieldSyntax {
    private static final int MAX_DIGITS = 18;
    private static final boolean[] TOKEN = new boolean[128];

    static {
        for (char c = '!'; c < 0x7f; c++) {
            TOKEN[c] = "\"(),/:;<=>?@[\\]{}".indexOf(c) < 0;
        }
    }

    private FieldSyntax() {}

    /** Whether {@code c} may be in a token. */
    public static boolean isTokenCharacter(int c) {
        return c >= 0 && c < 128 && TOKEN[c];
    }

    /**
     * A length as Content-Length has it, RFC 9110 section 8.6: {@code 1*DIGIT}, and no more of them
     * than a long is sure to hold; else -1.
     */
    public static long length(AsciiString value) {
        int digits = value.length();
        if (digits == 0 || digits > MAX_DIGITS) {
            return -1;
        }
        long length = 0;
        for (int i = 0; i < digits; i++) {
            int digit = value.byteAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            length = length * 10 + digit;
        }
        return length;
    }

    /** Whether {@code text} is a token: a field name. */
    public static boolean isName(CharSequence text) {
        int length = text.length();
        for (int i = 0; i < length; i++) {
            if (!isTokenCharacter(text.charAt(i))) {
                return false;
            }
        }
        return length > 0;
    }

    /** Whether {@code text} can be a field value: no control characters but tabs, no wide ones. */
    public static boolean isValue(CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c < ' ' && c != '\t') || c == 0x7f || c > 0xff) {
                return false;
            }
        }
        return true;
    }
}

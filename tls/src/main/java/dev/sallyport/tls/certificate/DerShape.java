package dev.sallyport.tls.certificate;

/**
 * A look at the outline of a DER value before any parser sees it: one SEQUENCE, definite lengths
 * that fit into each other, and no deep nesting. Parsers recurse, and some allocate what a length
 * announces.
 */
final class DerShape {
    private static final int DEEPEST = 24; // a certificate with name constraints needs about 12
    private static final int SEQUENCE = 0x30;
    private static final int CONSTRUCTED = 0x20;
    private static final int HIGH_TAG_NUMBER = 0x1f;

    private DerShape() {}

    /** Whether {@code der} is one SEQUENCE that fills it, with sound insides. */
    static boolean isSound(byte[] der) {
        if (der.length < 2 || der[0] != SEQUENCE) {
            return false;
        }
        int[] ends = new int[DEEPEST]; // of the open constructed values
        int depth = 0;
        ends[0] = der.length;
        int at = 0;
        while (at < der.length) {
            int tag = der[at++] & 0xff;
            if ((tag & HIGH_TAG_NUMBER) == HIGH_TAG_NUMBER) {
                return false; // neither X.509 nor PKCS#8 has such tags
            }
            if (at >= ends[depth]) {
                return false;
            }
            int length = der[at++];
            if (length < 0) {
                int bytes = length & 0x7f;
                if (bytes < 1 || bytes > 3 || bytes > ends[depth] - at) {
                    return false; // indefinite, or longer than anything allowed here
                }
                length = 0;
                for (int i = 0; i < bytes; i++) {
                    length = (length << 8) | (der[at++] & 0xff);
                }
            }
            if (length > ends[depth] - at) {
                return false;
            }
            if (depth == 0 && at + length != der.length) {
                return false;
            }
            if ((tag & CONSTRUCTED) != 0 && length > 0) {
                if (++depth == DEEPEST) {
                    return false;
                }
                ends[depth] = at + length;
            } else {
                at += length;
            }
            while (depth > 0 && at == ends[depth]) {
                depth--;
            }
        }
        return depth == 0;
    }
}

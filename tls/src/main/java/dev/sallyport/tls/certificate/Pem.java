package dev.sallyport.tls.certificate;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * RFC 7468 texts, read liberally: anything may stand before, between and after the blocks (byte
 * order marks, what {@code openssl x509 -text} prints), line ends may be of any kind and lines of
 * any length. Bytes all the way, since a {@code String} with a key could not be wiped.
 */
final class Pem {
    private static final byte[] BEGIN = "-----BEGIN ".getBytes(US_ASCII);
    private static final byte[] DASHES = "-----".getBytes(US_ASCII);
    private static final int LONGEST_LABEL = 64;

    private Pem() {}

    /**
     * A block.
     *
     * @param label for instance {@code CERTIFICATE}
     * @param body what stands between its BEGIN and END lines; empty where the END is missing
     */
    record Block(String label, Optional<byte[]> body) {

        /** Whether RFC 1421 headers say that it is encrypted, as OpenSSL's own key format does. */
        boolean encrypted() {
            return body.isPresent()
                    && indexOf(body.get(), "Proc-Type".getBytes(US_ASCII), 0) >= 0
                    && indexOf(body.get(), "ENCRYPTED".getBytes(US_ASCII), 0) >= 0;
        }

        /** The bytes that the body stands for; empty where it is not base64. */
        Optional<byte[]> der() {
            if (body.isEmpty()) {
                return Optional.empty();
            }
            byte[] digits = digits(body.get());
            try {
                byte[] der = Base64.getDecoder().decode(digits);
                return der.length == 0 ? Optional.empty() : Optional.of(der);
            } catch (IllegalArgumentException notBase64) {
                return Optional.empty();
            } finally {
                Arrays.fill(digits, (byte) 0);
            }
        }

        void wipe() {
            body.ifPresent(bytes -> Arrays.fill(bytes, (byte) 0));
        }

        @Override
        public String toString() {
            return "Block[" + label + "]";
        }
    }

    /** The blocks of a text, in order. No byte is looked at more than a few times. */
    static List<Block> blocks(byte[] text) {
        List<Block> blocks = new ArrayList<>();
        int begin = indexOf(text, BEGIN, 0);
        while (begin >= 0) {
            int next = indexOf(text, BEGIN, begin + BEGIN.length);
            int limit = next < 0 ? text.length : next;
            String label = label(text, begin + BEGIN.length, limit);
            if (!label.isEmpty()) {
                int from = begin + BEGIN.length + label.length() + DASHES.length;
                byte[] tail = ("-----END " + label + "-----").getBytes(US_ASCII);
                int end = indexOf(text, tail, from, limit);
                blocks.add(
                        new Block(
                                label,
                                end < 0
                                        ? Optional.empty()
                                        : Optional.of(Arrays.copyOfRange(text, from, end))));
            }
            begin = next;
        }
        return blocks;
    }

    /** One block as PEM; the base64 digits of {@code der} are not kept anywhere else. */
    static byte[] write(String label, byte[] der) {
        byte[] digits = Base64.getMimeEncoder(64, new byte[] {'\n'}).encode(der);
        byte[] head = ("-----BEGIN " + label + "-----\n").getBytes(US_ASCII);
        byte[] tail = ("\n-----END " + label + "-----\n").getBytes(US_ASCII);
        byte[] pem = Arrays.copyOf(head, head.length + digits.length + tail.length);
        System.arraycopy(digits, 0, pem, head.length, digits.length);
        System.arraycopy(tail, 0, pem, head.length + digits.length, tail.length);
        Arrays.fill(digits, (byte) 0);
        return pem;
    }

    static int indexOf(byte[] text, byte[] what, int from) {
        return indexOf(text, what, from, text.length);
    }

    private static int indexOf(byte[] text, byte[] what, int from, int limit) {
        int last = limit - what.length;
        for (int i = from; i <= last; i++) {
            if (text[i] == what[0]
                    && Arrays.equals(text, i, i + what.length, what, 0, what.length)) {
                return i;
            }
        }
        return -1;
    }

    private static String label(byte[] text, int from, int limit) {
        int end = from;
        while (end < limit && end - from <= LONGEST_LABEL && text[end] != '-') {
            if (text[end] < ' ' || text[end] > 'Z') {
                return "";
            }
            end++;
        }
        boolean closed =
                end + DASHES.length <= limit
                        && Arrays.equals(text, end, end + DASHES.length, DASHES, 0, DASHES.length);
        return closed ? new String(text, from, end - from, US_ASCII) : "";
    }

    /** The body without white space and without RFC 1421 headers. */
    private static byte[] digits(byte[] body) {
        int from = afterHeaders(body);
        byte[] digits = new byte[body.length - from];
        int count = 0;
        for (int i = from; i < body.length; i++) {
            if (body[i] < 0 || body[i] > ' ') {
                digits[count++] = body[i];
            }
        }
        byte[] exact = Arrays.copyOf(digits, count);
        Arrays.fill(digits, (byte) 0);
        return exact;
    }

    /** Headers are lines with a colon, up to an empty line. */
    private static int afterHeaders(byte[] body) {
        if (indexOf(body, new byte[] {':'}, 0) < 0) {
            return 0;
        }
        boolean lineEmpty = false;
        for (int i = indexOf(body, new byte[] {':'}, 0); i < body.length; i++) {
            if (body[i] == '\n') {
                if (lineEmpty) {
                    return i + 1;
                }
                lineEmpty = true;
            } else if (body[i] != '\r') {
                lineEmpty = false;
            }
        }
        return 0;
    }
}

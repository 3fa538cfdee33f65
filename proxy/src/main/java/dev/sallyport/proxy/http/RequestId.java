package dev.sallyport.proxy.http;

import java.nio.charset.StandardCharsets;
import java.util.random.RandomGenerator;

/** Names a request in logs here and behind us. */
final class RequestId {
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private RequestId() {}

    /** 128 random bits as 32 hexadecimal digits: unlike any other, but no secret. */
    static String random(RandomGenerator random) {
        byte[] text = new byte[32];
        write(text, 0, random.nextLong());
        write(text, 16, random.nextLong());
        return new String(text, StandardCharsets.ISO_8859_1);
    }

    private static void write(byte[] text, int at, long bits) {
        for (int i = 0; i < 16; i++) {
            text[at + i] = HEX[(int) (bits >>> (60 - 4 * i)) & 15];
        }
    }
}

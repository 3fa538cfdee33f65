package dev.sallyport.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Random;
import java.util.zip.CRC32;

/** Large bodies that need no memory: one block of noise, again and again. */
final class Block {

    /** The bytes of a block: 1 MiB. */
    static final int SIZE = 1024 * 1024;

    private static final byte[] NOISE = new byte[SIZE];

    static {
        new Random(4711).nextBytes(NOISE);
    }

    private Block() {}

    /** Writes so many blocks. */
    static void write(OutputStream out, int blocks) throws IOException {
        for (int i = 0; i < blocks; i++) {
            out.write(NOISE);
        }
    }

    /** {@code bytes checksum} of so many blocks. */
    static String sum(int blocks) {
        var sum = new CRC32();
        for (int i = 0; i < blocks; i++) {
            sum.update(NOISE);
        }
        return (long) blocks * SIZE + " " + Long.toHexString(sum.getValue());
    }

    /** {@code bytes checksum} of a stream, read to its end. */
    static String sum(InputStream in) throws IOException {
        var sum = new CRC32();
        byte[] buffer = new byte[64 * 1024];
        long bytes = 0;
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            sum.update(buffer, 0, count);
            bytes += count;
        }
        return bytes + " " + Long.toHexString(sum.getValue());
    }
}

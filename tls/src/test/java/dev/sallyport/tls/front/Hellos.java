package dev.sallyport.tls.front;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** ClientHellos from bytes. */
final class Hellos {
    private final ByteArrayOutputStream extensions = new ByteArrayOutputStream();

    private Hellos() {}

    static Hellos hello() {
        return new Hellos();
    }

    static byte[] withoutExtensions() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {3, 3});
        out.writeBytes(new byte[32]); // random
        out.write(0); // session id
        out.writeBytes(new byte[] {0, 4, 0x13, 1, (byte) 0xc0, 0x2b});
        out.writeBytes(new byte[] {1, 0}); // compression
        return out.toByteArray();
    }

    Hellos extension(int type, byte[] data) {
        extensions.writeBytes(two(type));
        extensions.writeBytes(two(data.length));
        extensions.writeBytes(data);
        return this;
    }

    Hellos name(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.ISO_8859_1);
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        data.writeBytes(two(bytes.length + 3));
        data.write(0);
        data.writeBytes(two(bytes.length));
        data.writeBytes(bytes);
        return extension(0, data.toByteArray());
    }

    Hellos protocols(String... names) {
        ByteArrayOutputStream list = new ByteArrayOutputStream();
        for (String name : names) {
            list.write(name.length());
            list.writeBytes(name.getBytes(StandardCharsets.ISO_8859_1));
        }
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        data.writeBytes(two(list.size()));
        data.writeBytes(list.toByteArray());
        return extension(16, data.toByteArray());
    }

    /** Without the message header. */
    byte[] body() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(withoutExtensions());
        out.writeBytes(two(extensions.size()));
        out.writeBytes(extensions.toByteArray());
        return out.toByteArray();
    }

    /** With the message header. */
    byte[] message() {
        return message(body());
    }

    static byte[] message(byte[] body) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(1);
        out.write(body.length >> 16);
        out.writeBytes(two(body.length));
        out.writeBytes(body);
        return out.toByteArray();
    }

    static byte[] record(byte[] fragment) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {22, 3, 1});
        out.writeBytes(two(fragment.length));
        out.writeBytes(fragment);
        return out.toByteArray();
    }

    /** A message in records of so many bytes. */
    static byte[] records(byte[] message, int size) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] piece : pieces(message, size)) {
            out.writeBytes(record(piece));
        }
        return out.toByteArray();
    }

    static List<byte[]> pieces(byte[] bytes, int size) {
        List<byte[]> pieces = new ArrayList<>();
        for (int at = 0; at < bytes.length; at += size) {
            pieces.add(Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + size)));
        }
        return pieces;
    }

    private static byte[] two(int number) {
        return new byte[] {(byte) (number >> 8), (byte) number};
    }
}

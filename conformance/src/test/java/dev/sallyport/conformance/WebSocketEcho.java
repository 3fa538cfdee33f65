package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/** A WebSocket server (RFC 6455) that sends every frame back; other requests it answers 426. */
final class WebSocketEcho implements Backend.Handler {

    private static final String MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int CLOSE = 8;

    @Override
    public void handle(Request request, Reply reply) throws IOException {
        String key = request.first("sec-websocket-key").orElse("");
        if (key.isEmpty() || !request.first("upgrade").orElse("").equalsIgnoreCase("websocket")) {
            reply.send(426, "a WebSocket server\n");
            return;
        }
        reply.raw(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Accept: "
                        + accept(key)
                        + "\r\n\r\n");
        echo(request.in(), reply.out());
        reply.close();
    }

    /** The answer to a key, RFC 6455 section 4.2.2. */
    static String accept(String key) {
        try {
            return Base64.getEncoder()
                    .encodeToString(
                            MessageDigest.getInstance("SHA-1")
                                    .digest((key + MAGIC).getBytes(US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-1", e);
        }
    }

    private static void echo(InputStream from, OutputStream out) throws IOException {
        var in = new DataInputStream(from);
        int opcode = 0;
        while (opcode != CLOSE) {
            int first = in.readUnsignedByte();
            opcode = first & 0x0f;
            byte[] payload = payload(in);
            out.write(first);
            if (payload.length < 126) {
                out.write(payload.length);
            } else if (payload.length < 65_536) {
                out.write(new byte[] {126, (byte) (payload.length >> 8), (byte) payload.length});
            } else {
                out.write(127);
                for (int shift = 56; shift >= 0; shift -= 8) {
                    out.write((int) ((long) payload.length >> shift));
                }
            }
            out.write(payload);
            out.flush();
        }
    }

    private static byte[] payload(DataInputStream in) throws IOException {
        int second = in.readUnsignedByte();
        long length = second & 0x7f;
        if (length == 126) {
            length = in.readUnsignedShort();
        } else if (length == 127) {
            length = in.readLong();
        }
        byte[] mask = new byte[4];
        if ((second & 0x80) != 0) {
            in.readFully(mask);
        }
        byte[] payload = in.readNBytes(Math.toIntExact(length));
        for (int i = 0; i < payload.length; i++) {
            payload[i] ^= mask[i % 4];
        }
        return payload;
    }
}

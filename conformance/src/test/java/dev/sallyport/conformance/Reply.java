package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;

/** What a backend answers; each call writes to the wire at once. */
final class Reply {

    private final OutputStream out;
    private boolean closed;

    Reply(OutputStream out) {
        this.out = out;
    }

    /** A whole response. Fields are lines without their end: {@code "X-Colour: blue"}. */
    void send(int status, byte[] body, String... fields) throws IOException {
        raw(head(status, fields) + "Content-Length: " + body.length + "\r\n\r\n");
        out.write(body);
        out.flush();
    }

    /** A whole response with a text. */
    void send(int status, String body, String... fields) throws IOException {
        send(status, body.getBytes(UTF_8), fields);
    }

    /** Bytes as they are, ISO 8859-1. */
    void raw(String bytes) throws IOException {
        out.write(bytes.getBytes(ISO_8859_1));
        out.flush();
    }

    /** The head of a response without the empty line at its end. */
    static String head(int status, String... fields) {
        var head = new StringBuilder("HTTP/1.1 ").append(status).append(" Status\r\n");
        for (String field : fields) {
            head.append(field).append("\r\n");
        }
        return head.toString();
    }

    /** The connection's bytes. */
    OutputStream out() {
        return out;
    }

    /** The connection is closed once the handler returns. */
    void close() {
        closed = true;
    }

    boolean closed() {
        return closed;
    }
}

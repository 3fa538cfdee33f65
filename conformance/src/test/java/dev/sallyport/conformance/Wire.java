package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * HTTP/1.1 framing as RFC 9112 has it and not a bit more: a backend that reads with it notices
 * whatever a gateway gets wrong.
 */
final class Wire {

    private static final int LINE_LIMIT = 256 * 1024;

    private Wire() {}

    /**
     * A line with its CRLF; empty at the end of the stream.
     *
     * @throws ProtocolViolation on a bare CR or LF
     */
    static String line(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        for (int octet = in.read(); ; octet = in.read()) {
            switch (octet) {
                case -1 -> {
                    if (line.size() == 0) {
                        return "";
                    }
                    throw new EOFException("in a line: " + line.toString(ISO_8859_1));
                }
                case '\r' -> {
                    if (in.read() != '\n') {
                        throw new ProtocolViolation("bare CR after: " + line.toString(ISO_8859_1));
                    }
                    return line.toString(ISO_8859_1) + "\r\n";
                }
                case '\n' ->
                        throw new ProtocolViolation("bare LF after: " + line.toString(ISO_8859_1));
                default -> {
                    line.write(octet);
                    if (line.size() > LINE_LIMIT) {
                        throw new ProtocolViolation("line too long");
                    }
                }
            }
        }
    }

    /** The lines of a head up to its empty line; empty at the end of the stream. */
    static List<String> head(InputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line = line(in); !line.equals("\r\n"); line = line(in)) {
            if (line.isEmpty()) {
                if (lines.isEmpty()) {
                    return lines;
                }
                throw new EOFException("in a head: " + lines);
            }
            lines.add(line.substring(0, line.length() - 2));
        }
        if (lines.isEmpty()) {
            throw new ProtocolViolation("an empty line where a head should begin");
        }
        return lines;
    }

    static Request.Field field(String line) throws ProtocolViolation {
        int colon = line.indexOf(':');
        if (colon <= 0 || line.charAt(colon - 1) == ' ' || Character.isWhitespace(line.charAt(0))) {
            throw new ProtocolViolation("not a field: " + line);
        }
        return new Request.Field(line.substring(0, colon), line.substring(colon + 1).strip());
    }

    /** Something arrived that RFC 9112 forbids. */
    static final class ProtocolViolation extends IOException {
        private static final long serialVersionUID = 1L;

        ProtocolViolation(String message) {
            super(message);
        }
    }

    /** A body of so many bytes. */
    static final class Sized extends InputStream {
        private final InputStream in;
        private long left;

        Sized(InputStream in, long length) {
            this.in = in;
            this.left = length;
        }

        @Override
        public int read() throws IOException {
            if (left == 0) {
                return -1;
            }
            int octet = in.read();
            if (octet < 0) {
                throw new EOFException("body is " + left + " bytes short");
            }
            left--;
            return octet;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (left == 0) {
                return -1;
            }
            int count = in.read(target, offset, (int) Math.min(length, left));
            if (count < 0) {
                throw new EOFException("body is " + left + " bytes short");
            }
            left -= count;
            return count;
        }
    }

    /** A chunked body; its trailer fields are there at its end. */
    static final class Chunked extends InputStream {
        private final InputStream in;
        private final List<Request.Field> trailers;
        private long left;
        private boolean first = true;
        private boolean ended;

        Chunked(InputStream in, List<Request.Field> trailers) {
            this.in = in;
            this.trailers = trailers;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (ended || (left == 0 && !nextChunk())) {
                return -1;
            }
            int count = in.read(target, offset, (int) Math.min(length, left));
            if (count < 0) {
                throw new EOFException("chunk is " + left + " bytes short");
            }
            left -= count;
            return count;
        }

        private boolean nextChunk() throws IOException {
            if (!first && !present(line(in)).equals("\r\n")) {
                throw new ProtocolViolation("no CRLF after a chunk");
            }
            first = false;
            String size = present(line(in));
            if (!size.matches("[0-9A-Fa-f]{1,15}\r\n")) {
                throw new ProtocolViolation("chunk size: " + size.strip());
            }
            left = Long.parseLong(size.strip(), 16);
            if (left > 0) {
                return true;
            }
            ended = true;
            for (String line = line(in); !line.equals("\r\n"); line = line(in)) {
                if (line.isEmpty()) {
                    throw new EOFException("in trailers");
                }
                trailers.add(field(line.substring(0, line.length() - 2)));
            }
            return false;
        }

        /** A connection that ends between two chunks is an upload given up, not a violation. */
        private static String present(String line) throws EOFException {
            if (line.isEmpty()) {
                throw new EOFException("between chunks");
            }
            return line;
        }
    }
}

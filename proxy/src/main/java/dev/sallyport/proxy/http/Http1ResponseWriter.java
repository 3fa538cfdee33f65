package dev.sallyport.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes HTTP/1.1 response heads, field sections and chunk framing to a buffer. */
final class Http1ResponseWriter {
    private static final int CRLF = '\r' << 8 | '\n';
    private static final int COLON = ':' << 8 | ' ';
    private static final byte[] CONTENT_LENGTH = ascii("content-length: ");
    private static final byte[] CHUNKED = ascii("transfer-encoding: chunked\r\n");
    private static final byte[] CLOSE = ascii("connection: close\r\n");
    private static final byte[] WEB_SOCKET = ascii("connection: Upgrade\r\nupgrade: websocket\r\n");
    private static final byte[] LAST_CHUNK = ascii("0\r\n");
    private static final byte[] HEX = ascii("0123456789abcdef");
    private static final byte[] @Nullable [] STATUS_LINES = new byte[1000][];

    static {
        for (int status = 100; status < STATUS_LINES.length; status++) {
            HttpResponseStatus known = HttpResponseStatus.valueOf(status);
            boolean named = known.codeClass().contains(status) && !isMadeUp(known);
            STATUS_LINES[status] =
                    ascii(
                            "HTTP/1.1 "
                                    + status
                                    + " "
                                    + (named ? known.reasonPhrase() : "")
                                    + "\r\n");
        }
    }

    private Http1ResponseWriter() {}

    static void statusLine(ByteBuf out, int status) {
        byte[] line = STATUS_LINES[status];
        if (line == null) {
            throw new IllegalArgumentException("status: " + status + " (expected: 100–999)");
        }
        out.writeBytes(line);
    }

    static void fields(ByteBuf out, HttpHeaders headers) {
        for (Iterator<Map.Entry<CharSequence, CharSequence>> fields =
                        headers.iteratorCharSequence();
                fields.hasNext(); ) {
            Map.Entry<CharSequence, CharSequence> field = fields.next();
            text(out, field.getKey());
            out.writeShort(COLON);
            text(out, field.getValue());
            out.writeShort(CRLF);
        }
    }

    static void contentLength(ByteBuf out, long length) {
        out.writeBytes(CONTENT_LENGTH);
        decimal(out, length);
        out.writeShort(CRLF);
    }

    static void chunked(ByteBuf out) {
        out.writeBytes(CHUNKED);
    }

    static void close(ByteBuf out) {
        out.writeBytes(CLOSE);
    }

    static void webSocket(ByteBuf out) {
        out.writeBytes(WEB_SOCKET);
    }

    static void crlf(ByteBuf out) {
        out.writeShort(CRLF);
    }

    /** The line before the data of a chunk. */
    static void chunkSize(ByteBuf out, int size) {
        int shift = (31 - Integer.numberOfLeadingZeros(size)) / 4 * 4;
        for (; shift >= 0; shift -= 4) {
            out.writeByte(HEX[(size >>> shift) & 15]);
        }
        out.writeShort(CRLF);
    }

    static void lastChunk(ByteBuf out) {
        out.writeBytes(LAST_CHUNK);
    }

    private static void text(ByteBuf out, CharSequence text) {
        if (text instanceof AsciiString ascii) {
            ByteBufUtil.copy(ascii, out);
        } else {
            out.writeCharSequence(text, StandardCharsets.ISO_8859_1);
        }
    }

    private static void decimal(ByteBuf out, long number) {
        long divisor = 1;
        while (number / divisor >= 10) {
            divisor *= 10;
        }
        for (; divisor > 0; divisor /= 10) {
            out.writeByte('0' + (int) (number / divisor % 10));
        }
    }

    /** Netty makes up a reason for a status it does not know. */
    private static boolean isMadeUp(HttpResponseStatus status) {
        return status.reasonPhrase().contains("(");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}

package dev.sallyport.proxy.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes request heads, each into one buffer. Nothing of the client's bytes is passed on as it
 * came: a character that could end a line or a token is refused here once more, whatever codec the
 * request came through. One encoder for one event loop.
 */
final class RequestEncoder {
    private static final AsciiString VERSION = AsciiString.cached(" HTTP/1.1\r\n");
    private static final AsciiString CHUNKED = AsciiString.cached("transfer-encoding: chunked\r\n");
    private static final AsciiString LENGTH = AsciiString.cached("content-length: ");
    private static final AsciiString UPGRADE =
            AsciiString.cached("connection: Upgrade\r\nupgrade: websocket\r\n");
    private static final int INITIAL = 2 * 1024;
    private static final int KEPT = 64 * 1024;

    private byte[] scratch = new byte[INITIAL];
    private int size;
    private boolean clean;

    /**
     * The head as bytes.
     *
     * @param target path and query, or {@code *}
     * @param contentLength 0 without a body, -1 for chunked
     * @return null where a character is not allowed in its place
     */
    @Nullable ByteBuf encode(
            ByteBufAllocator allocator,
            String method,
            String target,
            HttpHeaders headers,
            long contentLength,
            boolean webSocket) {
        size = 0;
        clean = !method.isEmpty() && !target.isEmpty();
        word(method);
        one(' ');
        word(target);
        raw(VERSION);
        fields(headers);
        if (webSocket) {
            raw(UPGRADE);
        } else if (contentLength < 0) {
            raw(CHUNKED);
        } else if (contentLength > 0 || announcesEmptyBody(method)) {
            raw(LENGTH);
            word(Long.toString(contentLength));
            endLine();
        }
        endLine();
        ByteBuf encoded = clean ? allocator.ioBuffer(size).writeBytes(scratch, 0, size) : null;
        if (scratch.length > KEPT) {
            scratch = new byte[INITIAL];
        }
        return encoded;
    }

    /** Trailer fields with the last chunk before them; null as for {@link #encode}. */
    @Nullable ByteBuf encodeTrailers(ByteBufAllocator allocator, HttpHeaders trailers) {
        size = 0;
        clean = true;
        one('0');
        endLine();
        fields(trailers);
        endLine();
        return clean ? allocator.ioBuffer(size).writeBytes(scratch, 0, size) : null;
    }

    private void fields(HttpHeaders headers) {
        Iterator<Map.Entry<CharSequence, CharSequence>> fields = headers.iteratorCharSequence();
        while (fields.hasNext()) {
            Map.Entry<CharSequence, CharSequence> field = fields.next();
            CharSequence name = field.getKey();
            if (framesOrConnects(name)) {
                continue;
            }
            clean &= name.length() > 0 && AsciiString.indexOf(name, ':', 0) < 0;
            word(name);
            one(':');
            one(' ');
            value(field.getValue());
            endLine();
        }
    }

    /**
     * RFC 9110 section 8.6: a user agent "SHOULD send Content-Length in a request when the method
     * defines a meaning for enclosed content", also for an empty one.
     */
    private static boolean announcesEmptyBody(String method) {
        return method.equals("POST") || method.equals("PUT") || method.equals("PATCH");
    }

    /** The fields that are the connection's own: this class writes them, nobody else. */
    private static boolean framesOrConnects(CharSequence name) {
        return switch (name.length()) {
            case 7 -> AsciiString.contentEqualsIgnoreCase(name, "upgrade");
            case 10 ->
                    AsciiString.contentEqualsIgnoreCase(name, "connection")
                            || AsciiString.contentEqualsIgnoreCase(name, "keep-alive");
            case 14 -> AsciiString.contentEqualsIgnoreCase(name, "content-length");
            case 17 -> AsciiString.contentEqualsIgnoreCase(name, "transfer-encoding");
            default -> false;
        };
    }

    /** A method, a target, a name, a number: neither white space nor controls. */
    private void word(CharSequence text) {
        write(text, false);
    }

    /** A field's value: no controls but HTAB. */
    private void value(CharSequence text) {
        write(text, true);
    }

    private void write(CharSequence text, boolean value) {
        int length = text.length();
        room(length);
        byte[] to = scratch;
        int at = size;
        boolean good = true;
        if (text instanceof AsciiString ascii) {
            byte[] from = ascii.array();
            int offset = ascii.arrayOffset();
            for (int i = 0; i < length; i++) {
                byte b = from[offset + i];
                good &= allowed(b & 0xff, value);
                to[at++] = b;
            }
        } else {
            for (int i = 0; i < length; i++) {
                char c = text.charAt(i);
                good &= c <= 0xff && allowed(c, value);
                to[at++] = (byte) c;
            }
        }
        size = at;
        clean &= good;
    }

    private static boolean allowed(int c, boolean value) {
        return (c > ' ' && c != 0x7f) || (value && (c == ' ' || c == '\t'));
    }

    private void raw(AsciiString text) {
        room(text.length());
        System.arraycopy(text.array(), text.arrayOffset(), scratch, size, text.length());
        size += text.length();
    }

    private void one(char c) {
        room(1);
        scratch[size++] = (byte) c;
    }

    private void endLine() {
        room(2);
        scratch[size++] = '\r';
        scratch[size++] = '\n';
    }

    private void room(int bytes) {
        if (scratch.length - size < bytes) {
            scratch = Arrays.copyOf(scratch, Math.max(scratch.length * 2, size + bytes));
        }
    }
}

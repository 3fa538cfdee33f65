package dev.sallyport.proxy.upstream;

import dev.sallyport.proxy.filter.FieldSyntax;
import dev.sallyport.proxy.http.ChunkLine;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;

/**
 * Reads HTTP/1.1 responses strictly (RFC 9112): whatever two parsers could understand differently
 * is refused, since the next response on the connection belongs to somebody else.
 *
 * <p>Pulled: {@link #next} takes from the input what it needs and says what it found; so a call may
 * be cancelled between two events. One parser for one connection.
 */
final class ResponseParser {

    /** What {@link #next} found. */
    enum Event {
        /** Nothing yet: call again with the same bytes and more. */
        NEED_MORE,
        /** {@link #status} and {@link #headers} of an interim response. */
        INFORMATIONAL,
        /** {@link #status}, {@link #headers}, {@link #contentLength}, {@link #ended}. */
        HEAD,
        /** {@link #takeData} and {@link #ended}. */
        DATA,
        /** {@link #headers} are the trailers; the response ended. */
        TRAILERS,
        /** 101 for a WebSocket: the bytes that follow are not HTTP. */
        SWITCHED,
        /** Cannot be parsed, see {@link #problem}; the connection is of no use any more. */
        BAD
    }

    private enum State {
        HEAD,
        FIXED,
        UNTIL_CLOSE,
        CHUNK_SIZE,
        CHUNK_DATA,
        CHUNK_END,
        TRAILERS,
        DONE,
        SWITCHED,
        BAD
    }

    private static final int MAX_INFORMATIONAL = 10;
    private static final int MAX_CHUNK_LINE = 256;
    private static final AsciiString CONTENT_LENGTH = AsciiString.cached("content-length");
    private static final AsciiString TRANSFER_ENCODING = AsciiString.cached("transfer-encoding");
    private static final AsciiString CONNECTION = AsciiString.cached("connection");
    private static final AsciiString UPGRADE = AsciiString.cached("upgrade");
    private static final AsciiString CHUNKED = AsciiString.cached("chunked");

    private final int maxBytes;
    private final int maxFields;

    private State state = State.DONE;
    private boolean toHead;
    private boolean webSocket;
    private int informational;
    private int scanned; // bytes of an incomplete head that hold no line end
    private int lineStart;

    private int status;
    private HttpHeaders headers = noHeaders();
    private long contentLength;
    private long remaining;
    private ByteBuf data = Unpooled.EMPTY_BUFFER;
    private boolean ended;
    private boolean persistent;
    private String problem = "";

    // Of the head that is being read.
    private boolean http10;
    private boolean chunked;
    private boolean lengthSeen;
    private boolean close;
    private boolean upgradeToWebSocket;
    private boolean connectionUpgrade;

    ResponseParser(int maxBytes, int maxFields) {
        this.maxBytes = maxBytes;
        this.maxFields = maxFields;
    }

    /**
     * Gets ready for a response.
     *
     * @param head whether the request's method is HEAD
     * @param upgrade whether a WebSocket was asked for
     */
    void expect(boolean head, boolean upgrade) {
        state = State.HEAD;
        toHead = head;
        webSocket = upgrade;
        informational = 0;
        scanned = 0;
        lineStart = 0;
        ended = false;
        persistent = true;
    }

    /** Takes the next event from {@code in}, which is read as far as it was understood. */
    Event next(ByteBuf in) {
        return switch (state) {
            case HEAD -> head(in);
            case FIXED -> fixed(in);
            case UNTIL_CLOSE -> untilClose(in);
            case CHUNK_SIZE -> chunkSize(in);
            case CHUNK_DATA -> chunkData(in);
            case CHUNK_END -> chunkEnd(in);
            case TRAILERS -> trailers(in);
            case DONE -> bad("bytes after the end of the response");
            case SWITCHED -> Event.SWITCHED;
            case BAD -> Event.BAD;
        };
    }

    /** Whether the end of the connection is the end of the body. */
    boolean endsWithConnection() {
        return state == State.UNTIL_CLOSE;
    }

    int status() {
        return status;
    }

    /** Without framing fields; the caller owns them. */
    HttpHeaders headers() {
        return headers;
    }

    /** As announced; -1 where it was not. */
    long contentLength() {
        return contentLength;
    }

    /** The piece of body; the caller owns it. */
    ByteBuf takeData() {
        ByteBuf taken = data;
        data = Unpooled.EMPTY_BUFFER;
        return taken;
    }

    /** Whether the event was the response's last. */
    boolean ended() {
        return ended;
    }

    /** Whether the backend lets the connection serve another request. */
    boolean persistent() {
        return persistent;
    }

    /** What is wrong, for the debug log; never a part of the response. */
    String problem() {
        return problem;
    }

    private Event head(ByteBuf in) {
        int end = endOfFields(in, maxBytes);
        if (end == NOT_YET) {
            return Event.NEED_MORE;
        }
        if (end == MALFORMED) {
            return Event.BAD;
        }
        byte[] bytes = new byte[end];
        in.readBytes(bytes);
        int fields = statusLine(bytes);
        if (fields < 0) {
            return Event.BAD;
        }
        resetFraming();
        if (!fields(bytes, fields, false)) {
            return Event.BAD;
        }
        return status < 200 ? interim() : finalHead();
    }

    private void resetFraming() {
        chunked = false;
        lengthSeen = false;
        close = false;
        upgradeToWebSocket = false;
        connectionUpgrade = false;
        contentLength = -1;
    }

    private Event interim() {
        if (chunked || contentLength > 0) {
            return bad("an interim response with a body");
        }
        if (status == 101) {
            if (!webSocket) {
                return bad("101 that nobody asked for");
            }
            if (!upgradeToWebSocket || !connectionUpgrade || http10) {
                return bad("101 to something else than a WebSocket");
            }
            state = State.SWITCHED;
            persistent = false;
            return Event.SWITCHED;
        }
        if (++informational > MAX_INFORMATIONAL) {
            return bad("too many interim responses");
        }
        return Event.INFORMATIONAL;
    }

    private Event finalHead() {
        if (http10 && chunked) {
            // RFC 9112 section 6.1: "faulty" framing, "even if a Content-Length is present".
            return bad("transfer-encoding in an HTTP/1.0 response");
        }
        if (chunked && lengthSeen) {
            return bad("content-length and transfer-encoding");
        }
        // HTTP/1.0 keep-alive was never specified; a WebSocket that was denied is not worth it.
        persistent = !close && !http10 && !webSocket;
        if (status == 204 && (chunked || contentLength > 0)) {
            return bad("204 with a body");
        }
        ended = false;
        if (toHead || status == 204 || status == 304) {
            return endHead();
        }
        if (chunked) {
            state = State.CHUNK_SIZE;
        } else if (contentLength == 0) {
            return endHead();
        } else if (contentLength > 0) {
            remaining = contentLength;
            state = State.FIXED;
        } else {
            persistent = false;
            state = State.UNTIL_CLOSE;
        }
        return Event.HEAD;
    }

    private Event endHead() {
        ended = true;
        state = State.DONE;
        return Event.HEAD;
    }

    private Event fixed(ByteBuf in) {
        int length = (int) Math.min(remaining, in.readableBytes());
        if (length == 0) {
            return Event.NEED_MORE;
        }
        data = in.readRetainedSlice(length);
        remaining -= length;
        if (remaining == 0) {
            ended = true;
            state = State.DONE;
        }
        return Event.DATA;
    }

    private Event untilClose(ByteBuf in) {
        if (!in.isReadable()) {
            return Event.NEED_MORE;
        }
        data = in.readRetainedSlice(in.readableBytes());
        return Event.DATA;
    }

    /** {@code chunk-size [ chunk-ext ] CRLF}, RFC 9112 section 7.1. */
    private Event chunkSize(ByteBuf in) {
        int start = in.readerIndex();
        int readable = Math.min(in.readableBytes(), MAX_CHUNK_LINE);
        int lf = in.indexOf(start, start + readable, (byte) '\n');
        if (lf < 0) {
            return readable < MAX_CHUNK_LINE
                    ? Event.NEED_MORE
                    : bad("a chunk header that is too long");
        }
        long size = ChunkLine.parse(in, start, lf);
        if (size < 0) {
            return bad("a malformed chunk header");
        }
        in.readerIndex(lf + 1);
        if (size == 0) {
            state = State.TRAILERS;
            scanned = 0;
            lineStart = 0;
            return trailers(in);
        }
        remaining = size;
        state = State.CHUNK_DATA;
        return chunkData(in);
    }

    private Event chunkData(ByteBuf in) {
        int length = (int) Math.min(remaining, in.readableBytes());
        if (length == 0) {
            return Event.NEED_MORE;
        }
        data = in.readRetainedSlice(length);
        remaining -= length;
        if (remaining == 0) {
            state = State.CHUNK_END;
            endWithData(in);
        }
        return Event.DATA;
    }

    /** The usual case: the last chunk follows in the same read, so that the end goes with data. */
    private void endWithData(ByteBuf in) {
        int at = in.readerIndex();
        if (in.readableBytes() >= 7
                && in.getInt(at) == 0x0d0a300d
                && in.getMedium(at + 4) == 0x0a0d0a) {
            in.skipBytes(7);
            ended = true;
            state = State.DONE;
        }
    }

    private Event chunkEnd(ByteBuf in) {
        if (in.readableBytes() < 2) {
            return in.isReadable() && in.getByte(in.readerIndex()) != '\r'
                    ? bad("a chunk without CRLF after it")
                    : Event.NEED_MORE;
        }
        if (in.readShort() != 0x0d0a) {
            return bad("a chunk without CRLF after it");
        }
        state = State.CHUNK_SIZE;
        return chunkSize(in);
    }

    private Event trailers(ByteBuf in) {
        int start = in.readerIndex();
        if (scanned == 0 && in.readableBytes() >= 2 && in.getShort(start) == 0x0d0a) {
            in.skipBytes(2);
            headers = noHeaders();
        } else {
            int end = endOfFields(in, maxBytes);
            if (end == NOT_YET) {
                return Event.NEED_MORE;
            }
            if (end == MALFORMED) {
                return Event.BAD;
            }
            byte[] bytes = new byte[end];
            in.readBytes(bytes);
            if (!fields(bytes, 0, true)) {
                return Event.BAD;
            }
        }
        ended = true;
        state = State.DONE;
        if (headers.isEmpty()) {
            data = Unpooled.EMPTY_BUFFER;
            return Event.DATA;
        }
        return Event.TRAILERS;
    }

    private static final int NOT_YET = -1;
    private static final int MALFORMED = -2;

    /**
     * The length of the lines up to the empty one and with it. Remembers how far it looked, so that
     * a head that trickles in costs no more than one that comes at once.
     */
    private int endOfFields(ByteBuf in, int bound) {
        int start = in.readerIndex();
        int limit = Math.min(in.readableBytes(), bound);
        while (true) {
            int lf = in.indexOf(start + scanned, start + limit, (byte) '\n');
            if (lf < 0) {
                scanned = limit;
                if (limit < bound) {
                    return NOT_YET;
                }
                bad("fields that are too large");
                return MALFORMED;
            }
            int line = start + lineStart;
            if (lf == line || in.getByte(lf - 1) != '\r') {
                bad("a line that ends with LF alone");
                return MALFORMED;
            }
            scanned = lf + 1 - start;
            lineStart = scanned;
            if (lf == line + 1) {
                scanned = 0;
                lineStart = 0;
                return lf + 1 - start;
            }
        }
    }

    /**
     * {@code HTTP-version SP status-code SP [ reason-phrase ]}; many leave out the second SP.
     *
     * @return where the fields start, or -1
     */
    private int statusLine(byte[] bytes) {
        int end = 0;
        while (bytes[end] != '\n') {
            end++;
        }
        end--;
        if (end < 12
                || bytes[0] != 'H'
                || bytes[1] != 'T'
                || bytes[2] != 'T'
                || bytes[3] != 'P'
                || bytes[4] != '/'
                || bytes[5] != '1'
                || bytes[6] != '.'
                || (bytes[7] != '0' && bytes[7] != '1')
                || bytes[8] != ' ') {
            bad("a malformed status line");
            return -1;
        }
        http10 = bytes[7] == '0';
        int code = 0;
        for (int i = 9; i < 12; i++) {
            int digit = bytes[i] - '0';
            if (digit < 0 || digit > 9) {
                bad("a malformed status code");
                return -1;
            }
            code = code * 10 + digit;
        }
        if (code < 100 || code > 599 || (end > 12 && bytes[12] != ' ')) {
            bad("a status code out of range");
            return -1;
        }
        for (int i = 12; i < end; i++) {
            if (isControl(bytes[i])) {
                bad("a control character in the reason phrase");
                return -1;
            }
        }
        status = code;
        return end + 2;
    }

    private boolean fields(byte[] bytes, int from, boolean trailer) {
        headers = noHeaders();
        int at = from;
        int count = 0;
        int size = 0;
        while (at < bytes.length - 2) {
            if (++count > maxFields) {
                return refuse("too many fields");
            }
            int nameEnd = at;
            while (FieldSyntax.isTokenCharacter(bytes[nameEnd])) {
                nameEnd++;
            }
            // Also refuses obs-fold, a line that starts with white space, and "name :".
            if (nameEnd == at || bytes[nameEnd] != ':') {
                return refuse("a malformed field name");
            }
            int valueStart = nameEnd + 1;
            while (isBlank(bytes[valueStart])) {
                valueStart++;
            }
            int lineEnd = valueStart;
            while (!isControl(bytes[lineEnd])) {
                lineEnd++;
            }
            if (bytes[lineEnd] != '\r' || bytes[lineEnd + 1] != '\n') {
                return refuse("a control character in a field value");
            }
            int valueEnd = lineEnd;
            while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) {
                valueEnd--;
            }
            size += nameEnd - at + valueEnd - valueStart + 32;
            if (size > maxBytes) {
                return refuse("fields that are too large");
            }
            var name = new AsciiString(bytes, at, nameEnd - at, false);
            var value = new AsciiString(bytes, valueStart, valueEnd - valueStart, false);
            if (!field(name, value, trailer)) {
                return false;
            }
            at = lineEnd + 2;
        }
        return true;
    }

    /** Notes what frames the message and keeps the rest. */
    private boolean field(AsciiString name, AsciiString value, boolean trailer) {
        switch (name.length()) {
            case 7 -> {
                if (!trailer && name.contentEqualsIgnoreCase(UPGRADE)) {
                    upgradeToWebSocket = value.contentEqualsIgnoreCase("websocket");
                }
            }
            case 10 -> {
                if (!trailer && name.contentEqualsIgnoreCase(CONNECTION)) {
                    connectionOptions(value);
                }
            }
            case 14 -> {
                if (name.contentEqualsIgnoreCase(CONTENT_LENGTH)) {
                    return trailer || length(value);
                }
            }
            case 17 -> {
                if (name.contentEqualsIgnoreCase(TRANSFER_ENCODING)) {
                    return trailer || coding(value);
                }
            }
            default -> {}
        }
        headers.add(name, value);
        return true;
    }

    private boolean length(AsciiString value) {
        if (lengthSeen) {
            return refuse("two content-length fields");
        }
        lengthSeen = true;
        long parsed = FieldSyntax.length(value);
        if (parsed < 0) {
            return refuse("a malformed content-length");
        }
        contentLength = parsed;
        return true;
    }

    /** We ask for no other coding (no TE field), so nothing else is understood. */
    private boolean coding(AsciiString value) {
        if (chunked || !value.contentEqualsIgnoreCase(CHUNKED)) {
            return refuse("a transfer-encoding other than chunked");
        }
        chunked = true;
        return true;
    }

    private void connectionOptions(AsciiString value) {
        int start = 0;
        int length = value.length();
        for (int i = 0; i <= length; i++) {
            if (i < length && value.byteAt(i) != ',') {
                continue;
            }
            AsciiString option = value.subSequence(start, i, false).trim();
            close |= option.contentEqualsIgnoreCase("close");
            connectionUpgrade |= option.contentEqualsIgnoreCase(UPGRADE);
            start = i + 1;
        }
    }

    private Event bad(String why) {
        problem = why;
        state = State.BAD;
        persistent = false;
        return Event.BAD;
    }

    private boolean refuse(String why) {
        bad(why);
        return false;
    }

    /** Names and values were validated here, as bytes. */
    private static HttpHeaders noHeaders() {
        return DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    /** CTL but for HTAB; bytes above 0x7f are obs-text. */
    private static boolean isControl(byte b) {
        return (b >= 0 && b < ' ' && b != '\t') || b == 0x7f;
    }
}

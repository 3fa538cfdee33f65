package dev.sallyport.proxy.http2;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * What HPACK reads a response's fields from: the status, the length, and HTTP fields with their
 * names in lower case and without those that mean something on one HTTP/1.1 connection only. One
 * for each connection, filled anew for each header block, which is read once.
 */
final class ResponseFields extends FieldBlock {
    private static final AsciiString STATUS = Http2Headers.PseudoHeaderName.STATUS.value();
    private static final Iterator<Map.Entry<CharSequence, CharSequence>> NONE =
            Collections.emptyIterator();

    private Iterator<Map.Entry<CharSequence, CharSequence>> fields = NONE;
    private @Nullable CharSequence status;
    private @Nullable CharSequence length;
    private boolean webSocket;
    private final Cursor cursor = new Cursor();

    /**
     * A response head.
     *
     * @param contentLength not sent if negative
     */
    ResponseFields head(int code, HttpHeaders headers, long contentLength) {
        status = HttpResponseStatus.valueOf(code).codeAsText();
        length = contentLength < 0 ? null : Long.toString(contentLength);
        webSocket = false;
        fields = headers.iteratorCharSequence();
        return this;
    }

    /** The head that accepts a WebSocket, RFC 8441 section 5. */
    ResponseFields webSocketHead(HttpHeaders headers) {
        ResponseFields filled = head(200, headers, -1);
        webSocket = true;
        return filled;
    }

    /** Trailer fields. */
    ResponseFields trailers(HttpHeaders headers) {
        status = null;
        length = null;
        webSocket = false;
        fields = headers.iteratorCharSequence();
        return this;
    }

    /** Lets go of what it was filled with. */
    void letGo() {
        fields = NONE;
    }

    @Override
    public Iterator<Map.Entry<CharSequence, CharSequence>> iterator() {
        cursor.advance();
        return cursor;
    }

    private static CharSequence lowerCase(CharSequence name) {
        return name instanceof AsciiString ascii
                ? ascii.toLowerCase()
                : AsciiString.of(name).toLowerCase();
    }

    /** RFC 9113 section 8.2.2; and content-length, which the stream knows better. */
    private boolean isEndToEnd(CharSequence lower) {
        int size = lower.length();
        if (size == 0 || lower.charAt(0) == ':') {
            return false;
        }
        return switch (size) {
            case 7 -> !AsciiString.contentEquals(lower, HttpHeaderNames.UPGRADE);
            case 10 ->
                    !AsciiString.contentEquals(lower, HttpHeaderNames.CONNECTION)
                            && !AsciiString.contentEquals(lower, "keep-alive");
            case 14 -> !AsciiString.contentEquals(lower, HttpHeaderNames.CONTENT_LENGTH);
            case 16 -> !AsciiString.contentEquals(lower, "proxy-connection");
            case 17 -> !AsciiString.contentEquals(lower, HttpHeaderNames.TRANSFER_ENCODING);
            case 20 ->
                    !webSocket
                            || !AsciiString.contentEquals(
                                    lower, HttpHeaderNames.SEC_WEBSOCKET_ACCEPT);
            default -> true;
        };
    }

    /** The fields one by one: iterator and entry at once, so that no object is made for either. */
    private final class Cursor
            implements Iterator<Map.Entry<CharSequence, CharSequence>>,
                    Map.Entry<CharSequence, CharSequence> {
        private @Nullable CharSequence nextName;
        private @Nullable CharSequence nextValue;
        private CharSequence name = "";
        private CharSequence value = "";

        @Override
        public boolean hasNext() {
            return nextName != null;
        }

        @Override
        public Map.Entry<CharSequence, CharSequence> next() {
            CharSequence readName = nextName;
            CharSequence readValue = nextValue;
            if (readName == null || readValue == null) {
                throw new NoSuchElementException();
            }
            name = readName;
            value = readValue;
            advance();
            return this;
        }

        @Override
        public CharSequence getKey() {
            return name;
        }

        @Override
        public CharSequence getValue() {
            return value;
        }

        @Override
        public CharSequence setValue(CharSequence newValue) {
            throw new UnsupportedOperationException("fields: read only");
        }

        void advance() {
            if (status != null) {
                nextName = STATUS;
                nextValue = status;
                status = null;
                return;
            }
            if (length != null) {
                nextName = HttpHeaderNames.CONTENT_LENGTH;
                nextValue = length;
                length = null;
                return;
            }
            while (fields.hasNext()) {
                Map.Entry<CharSequence, CharSequence> field = fields.next();
                CharSequence lower = lowerCase(field.getKey());
                if (isEndToEnd(lower)) {
                    nextName = lower;
                    nextValue = field.getValue();
                    return;
                }
            }
            nextName = null;
            nextValue = null;
        }
    }
}

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

    /** Where the memo keeps trailers, so that they do not displace what heads say. */
    private static final int TRAILERS_FROM = 16;

    private static final Iterator<Map.Entry<CharSequence, CharSequence>> NONE =
            Collections.emptyIterator();

    private Iterator<Map.Entry<CharSequence, CharSequence>> fields = NONE;
    private @Nullable CharSequence status;
    private @Nullable CharSequence length;
    private boolean webSocket;
    private final Cursor cursor = new Cursor();
    private final FieldMemo memo = new FieldMemo();
    private int position;
    private long lastLength = -1;
    private @Nullable AsciiString lastLengthText;

    /**
     * A response head.
     *
     * @param contentLength not sent if negative
     */
    ResponseFields head(int code, HttpHeaders headers, long contentLength) {
        status = HttpResponseStatus.valueOf(code).codeAsText();
        length = contentLength < 0 ? null : text(contentLength);
        webSocket = false;
        position = 0;
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
        position = TRAILERS_FROM;
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

    private AsciiString text(long contentLength) {
        AsciiString text = lastLengthText;
        if (text == null || lastLength != contentLength) {
            text = new AsciiString(Long.toString(contentLength));
            lastLength = contentLength;
            lastLengthText = text;
        }
        return text;
    }

    /** RFC 9113 section 8.2.2; and content-length, which the stream knows better. */
    private boolean isEndToEnd(AsciiString lower) {
        int size = lower.length();
        if (size == 0 || lower.charAt(0) == ':') {
            return false;
        }
        return switch (size) {
            case 7 -> !lower.contentEquals(HttpHeaderNames.UPGRADE);
            case 10 ->
                    !lower.contentEquals(HttpHeaderNames.CONNECTION)
                            && !lower.contentEquals("keep-alive");
            case 14 -> !lower.contentEquals(HttpHeaderNames.CONTENT_LENGTH);
            case 16 -> !lower.contentEquals("proxy-connection");
            case 17 -> !lower.contentEquals(HttpHeaderNames.TRANSFER_ENCODING);
            case 20 -> !webSocket || !lower.contentEquals(HttpHeaderNames.SEC_WEBSOCKET_ACCEPT);
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
                int at = position++;
                AsciiString lower = memo.name(at, field.getKey());
                if (isEndToEnd(lower)) {
                    nextName = lower;
                    nextValue =
                            FrameOutput.isSensitive(lower)
                                    ? field.getValue() // HPACK does not keep it, nor do we
                                    : memo.value(at, field.getValue());
                    return;
                }
            }
            nextName = null;
            nextValue = null;
        }
    }
}

package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.filter.FieldSyntax;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one header block of a client, request head or trailers, as HPACK yields them: each
 * is checked, counted and put where it belongs at once. A fault is remembered, not thrown, since
 * the block must be decoded to its end for the sake of the compression state. What is over the
 * bounds is not kept.
 */
final class RequestFields extends FieldBlock {

    /** How far over its bounds a block must be to be an attack and not a large cookie. */
    private static final int ABUSE_FACTOR = 4;

    /** RFC 9113 section 6.5.2: the overhead of a field in the size of a list. */
    private static final int FIELD_OVERHEAD = 32;

    private static final DefaultHttpHeadersFactory HEADERS =
            DefaultHttpHeadersFactory.headersFactory().withValidation(false);

    private final ProxySettings.Limits limits;
    private final HttpHeaders headers = HEADERS.newHeaders();

    private @Nullable AsciiString method;
    private @Nullable AsciiString scheme;
    private @Nullable AsciiString authority;
    private @Nullable AsciiString path;
    private @Nullable AsciiString protocol;
    private @Nullable AsciiString host;
    private @Nullable AsciiString expect;
    private @Nullable AsciiString cookie;
    private @Nullable StringBuilder cookies;
    private long contentLength = -1;
    private boolean regularSeen;
    private boolean malformed;
    private long count;
    private long bytes;

    RequestFields(ProxySettings.Limits limits) {
        this.limits = limits;
    }

    @Override
    public Http2Headers add(CharSequence name, CharSequence value) {
        AsciiString fieldName = (AsciiString) name; // HPACK yields nothing else
        AsciiString fieldValue = (AsciiString) value;
        bytes += fieldName.length() + fieldValue.length() + FIELD_OVERHEAD;
        boolean pseudo = !fieldName.isEmpty() && fieldName.byteAt(0) == ':';
        if (!pseudo) {
            count++;
        }
        if (malformed || tooLarge()) {
            return this;
        }
        malformed =
                !isValue(fieldValue)
                        || !(pseudo
                                ? pseudo(fieldName, fieldValue)
                                : regular(fieldName, fieldValue));
        return this;
    }

    /** Whether RFC 9113 section 8.1.1 wants the stream reset. */
    boolean malformed() {
        return malformed;
    }

    /** Whether there are more fields than allowed: those above the bound were not kept. */
    boolean tooLarge() {
        return bytes > limits.headerBytes() || count > limits.headerCount();
    }

    /** Whether the block is so large that nobody means it. */
    boolean abusive() {
        return bytes > (long) ABUSE_FACTOR * limits.headerBytes()
                || count > (long) ABUSE_FACTOR * limits.headerCount();
    }

    /** Whether there was a pseudo-header field, which trailers must not have. */
    boolean hasPseudo() {
        return method != null
                || scheme != null
                || authority != null
                || path != null
                || protocol != null;
    }

    @Nullable AsciiString requestMethod() {
        return method;
    }

    @Nullable AsciiString requestScheme() {
        return scheme;
    }

    /** {@code :authority}. */
    @Nullable AsciiString requestAuthority() {
        return authority;
    }

    /** {@code :path}. */
    @Nullable AsciiString requestPath() {
        return path;
    }

    /** {@code :protocol}, RFC 8441. */
    @Nullable AsciiString protocol() {
        return protocol;
    }

    @Nullable AsciiString host() {
        return host;
    }

    @Nullable AsciiString expect() {
        return expect;
    }

    /** What content-length says; -1 without one. */
    long contentLength() {
        return contentLength;
    }

    /**
     * The regular fields, for a new owner: without Host, which is {@link #host}, and with one
     * Cookie field for all crumbs.
     */
    HttpHeaders takeHeaders() {
        StringBuilder joined = cookies;
        AsciiString crumb = cookie;
        if (joined != null) {
            headers.add(HttpHeaderNames.COOKIE, joined.toString());
        } else if (crumb != null) {
            headers.add(HttpHeaderNames.COOKIE, crumb);
        }
        return headers;
    }

    private boolean pseudo(AsciiString name, AsciiString value) {
        if (regularSeen) {
            return false; // RFC 9113 section 8.3: pseudo-header fields come first
        }
        if (name.contentEquals(Http2Headers.PseudoHeaderName.METHOD.value())) {
            boolean first = method == null;
            method = value;
            return first;
        }
        if (name.contentEquals(Http2Headers.PseudoHeaderName.PATH.value())) {
            boolean first = path == null;
            path = value;
            return first;
        }
        if (name.contentEquals(Http2Headers.PseudoHeaderName.SCHEME.value())) {
            boolean first = scheme == null;
            scheme = value;
            return first;
        }
        if (name.contentEquals(Http2Headers.PseudoHeaderName.AUTHORITY.value())) {
            boolean first = authority == null;
            authority = value;
            return first;
        }
        if (name.contentEquals(Http2Headers.PseudoHeaderName.PROTOCOL.value())) {
            boolean first = protocol == null;
            protocol = value;
            return first;
        }
        return false;
    }

    private boolean regular(AsciiString name, AsciiString value) {
        regularSeen = true;
        if (!isName(name)) {
            return false;
        }
        switch (name.length()) {
            case 2 -> {
                // RFC 9113 section 8.2.2: "it MUST NOT contain any value other than trailers".
                if (name.contentEquals(HttpHeaderNames.TE)
                        && !value.contentEqualsIgnoreCase(HttpHeaderValues.TRAILERS)) {
                    return false;
                }
            }
            case 4 -> {
                if (name.contentEquals(HttpHeaderNames.HOST)) {
                    boolean first = host == null;
                    host = value;
                    return first;
                }
            }
            case 6 -> {
                if (name.contentEquals(HttpHeaderNames.COOKIE)) {
                    addCrumb(value);
                    return true;
                }
                if (name.contentEquals(HttpHeaderNames.EXPECT)) {
                    boolean first = expect == null;
                    expect = value;
                    headers.add(name, value);
                    return first;
                }
            }
            case 14 -> {
                if (name.contentEquals(HttpHeaderNames.CONTENT_LENGTH)) {
                    boolean first = contentLength < 0;
                    contentLength = FieldSyntax.length(value);
                    headers.add(name, value);
                    return first && contentLength >= 0;
                }
            }
            case 7, 10, 16, 17 -> {
                if (isConnectionSpecific(name)) {
                    return false; // RFC 9113 section 8.2.2
                }
            }
            default -> {}
        }
        headers.add(name, value);
        return true;
    }

    /** RFC 9113 section 8.2.3: crumbs are joined before anything but HTTP/2 sees them. */
    private void addCrumb(AsciiString value) {
        AsciiString first = cookie;
        if (first == null) {
            cookie = value;
            return;
        }
        StringBuilder joined = cookies;
        if (joined == null) {
            joined = new StringBuilder(first.length() + value.length() + 64).append(first);
            cookies = joined;
        }
        joined.append("; ").append(value);
    }

    private static boolean isConnectionSpecific(AsciiString name) {
        return switch (name.length()) {
            case 7 -> name.contentEquals(HttpHeaderNames.UPGRADE);
            case 10 ->
                    name.contentEquals(HttpHeaderNames.CONNECTION)
                            || name.contentEquals("keep-alive");
            case 16 -> name.contentEquals("proxy-connection");
            case 17 -> name.contentEquals(HttpHeaderNames.TRANSFER_ENCODING);
            default -> false;
        };
    }

    private static boolean isName(AsciiString name) {
        byte[] array = name.array();
        int from = name.arrayOffset();
        int to = from + name.length();
        for (int i = from; i < to; i++) {
            byte c = array[i];
            // RFC 9113 section 8.2.1: no upper case.
            if (!FieldSyntax.isTokenCharacter(c) || (c >= 'A' && c <= 'Z')) {
                return false;
            }
        }
        return from < to;
    }

    /**
     * No control character but the tab, RFC 9110 section 5.5, and no white space at either end, RFC
     * 9113 section 8.2.1.
     */
    private static boolean isValue(AsciiString value) {
        byte[] array = value.array();
        int from = value.arrayOffset();
        int to = from + value.length();
        if (from == to) {
            return true;
        }
        for (int i = from; i < to; i++) {
            byte b = array[i];
            if ((b >= 0 && b < ' ' && b != '\t') || b == 0x7f) {
                return false;
            }
        }
        return !isBlank(array[from]) && !isBlank(array[to - 1]);
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }
}

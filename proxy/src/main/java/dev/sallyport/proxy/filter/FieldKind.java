package dev.sallyport.proxy.filter;

import static io.netty.util.AsciiString.contentEqualsIgnoreCase;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.util.AsciiString;

/**
 * The header fields that a proxy may not simply pass on, as bits, so that one walk over a message
 * finds which of them it has.
 */
final class FieldKind {
    static final int NONE = 0;
    static final int CONNECTION = 1;
    static final int KEEP_ALIVE = 1 << 1;
    static final int PROXY_CONNECTION = 1 << 2;
    static final int TE = 1 << 3;
    static final int TRAILER = 1 << 4;
    static final int TRANSFER_ENCODING = 1 << 5;
    static final int UPGRADE = 1 << 6;
    static final int HTTP2_SETTINGS = 1 << 7;
    static final int PROXY_AUTHENTICATE = 1 << 8;
    static final int PROXY_AUTHORIZATION = 1 << 9;
    static final int CONTENT_LENGTH = 1 << 10;
    static final int HOST = 1 << 11;
    static final int FORWARDED = 1 << 12;
    static final int X_REAL_IP = 1 << 13;
    static final int X_REQUEST_ID = 1 << 14;

    /** Any {@code X-Forwarded-*}. */
    static final int X_FORWARDED = 1 << 15;

    /** A name that a backend may read as another of these: see {@link #of}. */
    static final int ALIAS = 1 << 16;

    static final AsciiString TE_NAME = HttpHeaderNames.TE;
    static final AsciiString KEEP_ALIVE_NAME = AsciiString.cached("keep-alive");
    static final AsciiString PROXY_CONNECTION_NAME = AsciiString.cached("proxy-connection");
    static final AsciiString HTTP2_SETTINGS_NAME = AsciiString.cached("http2-settings");
    static final AsciiString FORWARDED_NAME = AsciiString.cached("forwarded");
    static final AsciiString X_REAL_IP_NAME = AsciiString.cached("x-real-ip");
    static final AsciiString X_REQUEST_ID_NAME = AsciiString.cached("x-request-id");

    private static final AsciiString X_FORWARDED_PREFIX = AsciiString.cached("x-forwarded-");

    private FieldKind() {}

    /**
     * The kind of a field.
     *
     * <p>CGI and what descends from it (WSGI, Rack, PHP) turn every character of a name but letters
     * and digits into an underscore. So {@code X_Forwarded_For} and {@code X-Forwarded-For} are one
     * to a backend: a name that becomes one of ours that way is an {@link #ALIAS}.
     */
    static int of(CharSequence name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean plain =
                    (c >= 'a' && c <= 'z')
                            || c == '-'
                            || (c >= 'A' && c <= 'Z')
                            || (c >= '0' && c <= '9');
            if (!plain) {
                return ofPlain(withDashes(name)) == NONE ? NONE : ALIAS;
            }
        }
        return ofPlain(name);
    }

    private static int ofPlain(CharSequence name) {
        int length = name.length();
        int kind =
                switch (length) {
                    case 2 -> is(name, TE_NAME, TE);
                    case 4 -> is(name, HttpHeaderNames.HOST, HOST);
                    case 7 ->
                            is(name, HttpHeaderNames.TRAILER, TRAILER)
                                    | is(name, HttpHeaderNames.UPGRADE, UPGRADE);
                    case 9 ->
                            is(name, FORWARDED_NAME, FORWARDED)
                                    | is(name, X_REAL_IP_NAME, X_REAL_IP);
                    case 10 ->
                            is(name, HttpHeaderNames.CONNECTION, CONNECTION)
                                    | is(name, KEEP_ALIVE_NAME, KEEP_ALIVE);
                    case 12 -> is(name, X_REQUEST_ID_NAME, X_REQUEST_ID);
                    case 14 ->
                            is(name, HttpHeaderNames.CONTENT_LENGTH, CONTENT_LENGTH)
                                    | is(name, HTTP2_SETTINGS_NAME, HTTP2_SETTINGS);
                    case 16 -> is(name, PROXY_CONNECTION_NAME, PROXY_CONNECTION);
                    case 17 -> is(name, HttpHeaderNames.TRANSFER_ENCODING, TRANSFER_ENCODING);
                    case 18 -> is(name, HttpHeaderNames.PROXY_AUTHENTICATE, PROXY_AUTHENTICATE);
                    case 19 -> is(name, HttpHeaderNames.PROXY_AUTHORIZATION, PROXY_AUTHORIZATION);
                    default -> NONE;
                };
        return kind == NONE
                        && length >= X_FORWARDED_PREFIX.length()
                        && X_FORWARDED_PREFIX.regionMatches(
                                true, 0, name, 0, X_FORWARDED_PREFIX.length())
                ? X_FORWARDED
                : kind;
    }

    private static int is(CharSequence name, AsciiString known, int kind) {
        return contentEqualsIgnoreCase(name, known) ? kind : NONE;
    }

    private static CharSequence withDashes(CharSequence name) {
        StringBuilder out = new StringBuilder(name.length());
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean alphanumeric =
                    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            out.append(alphanumeric ? c : '-');
        }
        return out;
    }
}

package dev.sallyport.proxy.http;

import io.netty.handler.codec.http.HttpHeaders;

/**
 * The head of a request whose framing is proven: what a codec hands over, whatever the wire
 * protocol.
 *
 * @param method an upper-case token, for instance {@code GET}; {@code GET} for a WebSocket in
 *     either protocol; never CONNECT or TRACE, which codecs refuse
 * @param scheme {@code http} or {@code https}: of the connection, not of what the client claims
 * @param authority whom it is meant for
 * @param target path and query
 * @param headers the fields without pseudo-header fields; owned by the exchange, which edits them.
 *     Names are tokens and values free of control bytes. Hop-by-hop and framing fields are still
 *     there
 * @param contentLength the announced length; -1 where the body has another framing, 0 where there
 *     is none
 * @param endOfStream whether the request ends with this head; never for a WebSocket
 * @param webSocket whether the client asks for a WebSocket (RFC 6455 upgrade, RFC 8441 extended
 *     CONNECT)
 * @param expectsContinue whether the client waits for 100 before it sends the body
 */
public record RequestHead(
        String method,
        String scheme,
        Authority authority,
        RequestTarget target,
        HttpHeaders headers,
        long contentLength,
        boolean endOfStream,
        boolean webSocket,
        boolean expectsContinue) {

    private static final int MAX_METHOD = 32;

    /**
     * Whether {@code text} can be a method: RFC 9110 allows any token, those in use are upper-case
     * letters, digits, {@code -} and {@code _}.
     */
    public static boolean isMethod(CharSequence text) {
        int length = text.length();
        if (length == 0 || length > MAX_METHOD) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            boolean fits = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    /** Whether {@code method} is never proxied: CONNECT (but for WebSockets) and TRACE. */
    public static boolean isRefused(String method) {
        return method.equals("CONNECT") || method.equals("TRACE");
    }
}

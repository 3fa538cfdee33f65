package dev.sallyport.proxy.http;

import io.netty.handler.codec.http.HttpHeaders;

/**
 * The head of a request whose framing is proven: what a codec hands over, whatever the wire
 * protocol.
 *
 * @param method a token, for instance {@code GET}
 * @param scheme {@code http} or {@code https}: of the connection, not of what the client claims
 * @param authority the Host field or {@code :authority} to the letter; empty where there is none
 * @param host the host of the authority, normalised and without port; empty where there is none
 * @param target the request target in origin form to the letter: path and query ({@code *} for
 *     OPTIONS)
 * @param headers the fields without pseudo-header fields; owned by the exchange, which edits them.
 *     Hop-by-hop fields are still there
 * @param contentLength the announced length; -1 where the body has another framing, 0 where there
 *     is none
 * @param endOfStream whether the request ends with this head
 * @param webSocket whether the client asks for a WebSocket (RFC 6455 upgrade, RFC 8441 extended
 *     CONNECT)
 * @param expectsContinue whether the client waits for 100 before it sends the body
 */
public record RequestHead(
        String method,
        String scheme,
        String authority,
        String host,
        String target,
        HttpHeaders headers,
        long contentLength,
        boolean endOfStream,
        boolean webSocket,
        boolean expectsContinue) {}

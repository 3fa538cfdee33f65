package dev.sallyport.proxy.upstream;

import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.concurrent.ThreadLocalRandom;

/** The proof that a backend understood a WebSocket handshake, RFC 6455 section 4. */
final class WebSocketKey {
    private static final String KEY = "sec-websocket-key";
    private static final String ACCEPT = "sec-websocket-accept";
    private static final String VERSION = "sec-websocket-version";
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private WebSocketKey() {}

    /**
     * The request's key; where there is none, as RFC 8441 section 5 has it for HTTP/2, one is set.
     * It only shows that an answer belongs to the request; it protects nothing.
     */
    static String ensure(HttpHeaders request) {
        String key = request.get(KEY);
        if (key == null) {
            byte[] nonce = new byte[16];
            ThreadLocalRandom.current().nextBytes(nonce);
            key = Base64.getEncoder().encodeToString(nonce);
            request.set(KEY, key);
        }
        if (!request.contains(VERSION)) {
            request.set(VERSION, "13");
        }
        return key;
    }

    /** Whether {@code response} answers the handshake with {@code key}. */
    static boolean accepts(String key, HttpHeaders response) {
        String accept = response.get(ACCEPT);
        return accept != null && accept.equals(expected(key));
    }

    private static String expected(String key) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-1")
                            .digest((key.strip() + GUID).getBytes(StandardCharsets.ISO_8859_1));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException everyPlatformHasIt) {
            throw new IllegalStateException(everyPlatformHasIt);
        }
    }
}

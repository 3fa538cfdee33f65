package dev.sallyport.proxy.http;

import dev.sallyport.model.route.Route;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.UpstreamKey;
import org.jspecify.annotations.Nullable;

/**
 * What is to be said of one exchange at its end. Confined to the event loop and valid only during
 * {@link ExchangeObserver#ended}. Texts come from the client to the letter: escape them.
 */
public interface ExchangeSummary {

    /** The client's connection: addresses, protocol, TLS. */
    ClientConnection connection();

    /** When the request head was read, in milliseconds since 1970. */
    long startedAtMillis();

    /** From the request head to the end of the exchange. */
    long totalNanos();

    /**
     * From asking for a backend connection to having it, pool or new, of the last attempt; -1 where
     * there was none.
     */
    long connectNanos();

    /** From having the connection to the head of the backend's answer; -1 where there was none. */
    long firstByteNanos();

    /** Empty where the request line could not be read. */
    String method();

    /** Host or {@code :authority}; empty where there is none. */
    String authority();

    /** Path and query as the client sent them; empty where they could not be read. */
    String target();

    /** The status that was sent, or that of the error where none could be sent (499). */
    int status();

    /** Why it did not go as it should; null where it did. */
    @Nullable ProxyError error();

    /** Body bytes from the client. */
    long bytesIn();

    /** Body bytes to the client. */
    long bytesOut();

    /** The request id, sent to the backend too. */
    String requestId();

    /** The User-Agent field, or null. */
    @Nullable String userAgent();

    /** The Referer field, or null. */
    @Nullable String referer();

    /** The route that matched, or null. */
    @Nullable Route route();

    /** The backend that was chosen, or null. */
    @Nullable UpstreamKey upstream();

    /** The endpoint of the last attempt, or null. */
    @Nullable Endpoint endpoint();

    /** How often a backend connection was asked for: 0, 1, or 2 with a retry. */
    int attempts();

    /** Whether it became a WebSocket. */
    boolean webSocket();
}

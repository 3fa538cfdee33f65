package dev.sallyport.proxy.http;

import java.time.Duration;

/**
 * The user events that tell a client connection to end in good order: to be fired through the
 * pipeline, {@link #NOTICE} at most once and before {@link #BEGIN}.
 */
public enum DrainSignal {
    /**
     * The process will go down: whatever is answered from now on ends its connection, HTTP/1.1 with
     * {@code Connection: close}, HTTP/2 with GOAWAY. Connections without a request stay.
     */
    NOTICE,
    /**
     * The process goes down: a connection without a request waits {@link #GRACE} for the one that
     * may be under way, answers it, and ends.
     */
    BEGIN;

    /** How long a client may take to learn that no requests are welcome any more. */
    public static final Duration GRACE = Duration.ofSeconds(1);
}

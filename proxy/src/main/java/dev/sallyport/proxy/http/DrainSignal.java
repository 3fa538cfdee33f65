package dev.sallyport.proxy.http;

/**
 * The user event that tells a client connection to end in good order: fire it through the pipeline.
 * HTTP/1.1 closes after the response in progress, at once where there is none; HTTP/2 sends GOAWAY.
 */
public enum DrainSignal {
    /** No new requests. */
    BEGIN
}

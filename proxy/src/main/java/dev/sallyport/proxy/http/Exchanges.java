package dev.sallyport.proxy.http;

/** Begins an exchange for each request that a codec has read. */
@FunctionalInterface
public interface Exchanges {

    /** Called on the stream's event loop, once per request head; may answer before it returns. */
    ExchangeInput open(ClientStream stream, RequestHead head);
}

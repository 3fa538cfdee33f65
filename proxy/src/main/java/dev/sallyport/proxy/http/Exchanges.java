package dev.sallyport.proxy.http;

/** Begins an exchange for each request that a codec has read. Called on the stream's event loop. */
public interface Exchanges {

    /** Called once per request head; may answer before it returns. */
    ExchangeInput open(ClientStream stream, RequestHead head);

    /**
     * Answers a request that never became one, and observes it: what a codec found wrong. The codec
     * closes the connection afterwards where the framing is lost.
     *
     * @param refusal what and why
     */
    void refuse(ClientStream stream, Refusal refusal);
}

package dev.sallyport.model.listener;

/** What is spoken on a listener. */
public sealed interface ListenerProtocol {

    /** HTTP/1.1 and, with prior knowledge, HTTP/2, both without TLS. */
    record Http() implements ListenerProtocol {}

    /** HTTP/1.1 and HTTP/2 over TLS, terminated here. */
    record Https(TlsPolicy policy) implements ListenerProtocol {}
}

package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.http.RequestHead;

/** What a client's header block turned out to be. */
sealed interface Reading {

    /** A request. */
    record Request(RequestHead head) implements Reading {}

    /** A request that is answered with an error. */
    record Refused(ProxyError why) implements Reading {}

    /** No HTTP message: "a stream error of type PROTOCOL_ERROR", RFC 9113 section 8.1.1. */
    enum Malformed implements Reading {
        MALFORMED
    }
}

package dev.sallyport.model.route;

import java.util.List;

/** What becomes of a matched request: exactly one of these. */
public sealed interface RouteAction {

    /**
     * The answer of one of the backends, chosen by weight; 503 where there is none, because what
     * was written names nothing that could be served.
     */
    record Forward(List<WeightedBackend> backends) implements RouteAction {
        public Forward {
            backends = List.copyOf(backends);
        }
    }

    /**
     * The gateway's own answer to an ACME challenge (RFC 8555 section 8.3): 200, and this text as
     * {@code application/octet-stream}.
     *
     * @param text ASCII
     */
    record KeyAuthorization(String text) implements RouteAction {}
}

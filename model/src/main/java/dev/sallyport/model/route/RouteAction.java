package dev.sallyport.model.route;

import java.util.List;

/** What a matched request is answered with: exactly one of these. */
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
     * An answer of the gateway's own.
     *
     * @param status the HTTP status, 200 to 599
     * @param body a short text for people; never internals
     */
    record Respond(int status, String body) implements RouteAction {}
}

package dev.sallyport.model.upstream;

import java.util.List;

/**
 * The endpoints that can serve a backend, at one moment.
 *
 * @param key the Service and port
 * @param endpoints sorted, without duplicates; empty means requests are answered 503
 */
public record Upstream(UpstreamKey key, List<Endpoint> endpoints) {
    public Upstream {
        endpoints = endpoints.stream().distinct().sorted(Endpoint.ORDER).toList();
    }
}

package dev.sallyport.model.route;

import dev.sallyport.model.upstream.UpstreamKey;

/**
 * Where a share of a route's requests goes.
 *
 * @param upstream the Service and port
 * @param weight 0 to 1,000,000, in proportion to the route's other backends
 */
public record WeightedBackend(UpstreamKey upstream, int weight) {
    public WeightedBackend {
        if (weight < 0 || weight > 1_000_000) {
            throw new IllegalArgumentException("weight: " + weight + " (expected: 0–1,000,000)");
        }
    }
}

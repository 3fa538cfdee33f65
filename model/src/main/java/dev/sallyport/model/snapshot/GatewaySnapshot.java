package dev.sallyport.model.snapshot;

import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import java.util.List;

/**
 * The whole intent at one version. Routes, certificates and upstreams travel together, because
 * users change them together: a new host and its certificate appear at once. Parts that did not
 * change keep their identity.
 *
 * @param version counts up; 0 is the empty snapshot before the first
 * @param listeners the ports to bind
 * @param routes what requests are answered with
 * @param certificates what handshakes are answered with
 * @param upstreams the endpoints of every Service that a route names and that exists
 */
public record GatewaySnapshot(
        long version,
        List<Listener> listeners,
        RoutingTable routes,
        CertificateTable certificates,
        ShardedMap<UpstreamKey, Upstream> upstreams) {

    /** Nothing at all: what is served before the first snapshot is applied. */
    public static final GatewaySnapshot EMPTY =
            new GatewaySnapshot(
                    0, List.of(), RoutingTable.EMPTY, CertificateTable.EMPTY, ShardedMap.empty());

    public GatewaySnapshot {
        listeners = List.copyOf(listeners);
    }
}

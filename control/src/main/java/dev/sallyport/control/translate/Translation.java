package dev.sallyport.control.translate;

import dev.sallyport.control.resource.IngressStanding;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import java.util.List;

/**
 * What objects came to.
 *
 * @param listeners as configured
 * @param routes of all Ingresses
 * @param certificates of all Ingresses
 * @param upstreams of all Services that routes name and that exist
 * @param ingresses all Ingresses, with whether they are ours
 * @param acmeHosts the hosts that are to have certificates by ACME
 * @param findings what is wrong or worth knowing
 * @param appeared the findings that the translation before did not have
 * @param resolved the findings of the translation before that are gone
 */
public record Translation(
        List<Listener> listeners,
        RoutingTable routes,
        CertificateTable certificates,
        ShardedMap<UpstreamKey, Upstream> upstreams,
        ShardedMap<ObjectRef, IngressStanding> ingresses,
        ShardedMap<Hostname, AcmeHost> acmeHosts,
        FindingIndex findings,
        List<Finding> appeared,
        List<Finding> resolved) {

    /** Whether a data plane that serves {@code snapshot} serves this already: by identity. */
    @SuppressWarnings("ReferenceEquality") // identity is what tells the data plane to skip a part
    public boolean isServedBy(GatewaySnapshot snapshot) {
        return routes == snapshot.routes()
                && certificates == snapshot.certificates()
                && upstreams == snapshot.upstreams()
                && listeners.equals(snapshot.listeners());
    }

    /** The snapshot of this translation. */
    public GatewaySnapshot snapshot(long version) {
        return new GatewaySnapshot(version, listeners, routes, certificates, upstreams);
    }
}

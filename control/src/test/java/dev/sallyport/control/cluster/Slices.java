package dev.sallyport.control.cluster;

import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;

/** EndpointSlices as tests need them. */
final class Slices {
    private Slices() {}

    static Resource.OfEndpointSlice slice(String name, Endpoint... endpoints) {
        return new Resource.OfEndpointSlice(
                new ObjectRef("EndpointSlice", "default", name),
                new EndpointSliceBuilder().withAddressType("IPv4").withEndpoints(endpoints).build(),
                Origin.API_SERVER);
    }

    static Endpoint ready(String address) {
        return endpoint(address, true, false);
    }

    static Endpoint unready(String address) {
        return endpoint(address, false, false);
    }

    static Endpoint terminating(String address) {
        return endpoint(address, false, true);
    }

    private static Endpoint endpoint(String address, boolean ready, boolean terminating) {
        return new EndpointBuilder()
                .withAddresses(address)
                .withNewConditions()
                .withReady(ready)
                .withServing(ready)
                .withTerminating(terminating)
                .endConditions()
                .build();
    }
}

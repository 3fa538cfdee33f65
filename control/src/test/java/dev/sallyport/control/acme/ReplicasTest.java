package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPortBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ReplicasTest {
    private static final String OWN = "10.0.0.1";
    private static final Set<InetAddress> MACHINE =
            Set.of(InetAddress.ofLiteral("127.0.0.1"), InetAddress.ofLiteral(OWN));
    private static final Set<Integer> PORTS = Set.of(8080, 8443);

    /** A Service of a hundred replicas and more has several slices. */
    @Test
    void allOfAServiceThatHasThisReplicaBehindItAreMeant() {
        EndpointSlice one = slice("edge", 8080, OWN, "10.0.0.2");
        EndpointSlice two = slice("edge", 8080, "10.0.0.3");
        EndpointSlice other = slice("shop", 8080, "10.0.0.4");

        assertThat(Replicas.sharing(List.of(other, one, two), MACHINE, PORTS))
                .containsExactly(one, two);
    }

    /** With the host's network others of the node have the same address. */
    @Test
    void whoHasTheAddressAtAnotherPortIsNotMeant() {
        assertThat(Replicas.sharing(List.of(slice("metrics", 9100, OWN)), MACHINE, PORTS))
                .isEmpty();
    }

    @Test
    void whatBelongsToNoServiceOrHasNoPortsIsPassedOver() {
        EndpointSlice free = slice("edge", 8080, OWN);
        free.getMetadata().setLabels(null);
        EndpointSlice allPorts = slice("edge", 8080, OWN);
        allPorts.setPorts(null);
        EndpointSlice name = slice("edge", 8080, "edge.example");

        assertThat(Replicas.sharing(List.of(free, allPorts, name), MACHINE, PORTS)).isEmpty();
    }

    @Test
    void readyAreThoseThatDoNotSayOtherwise() {
        EndpointSlice slice = slice("edge", 8080, OWN, "10.0.0.2");
        slice.setEndpoints(
                List.of(
                        slice.getEndpoints().getFirst(),
                        slice.getEndpoints().getLast().toBuilder()
                                .withNewConditions()
                                .withReady(false)
                                .endConditions()
                                .build()));

        assertThat(Replicas.ready(List.of(slice, slice)))
                .containsExactly(InetAddress.ofLiteral(OWN));
    }

    private static EndpointSlice slice(String service, int port, String... addresses) {
        var builder =
                new EndpointSliceBuilder()
                        .withNewMetadata()
                        .addToLabels("kubernetes.io/service-name", service)
                        .endMetadata()
                        .withPorts(new EndpointPortBuilder().withPort(port).build());
        for (String address : addresses) {
            builder.addNewEndpoint().withAddresses(address).endEndpoint();
        }
        return builder.build();
    }
}

package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditionsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPortBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReplicasTest {
    private static final String OWN = "10.0.0.1";
    private static final Set<InetAddress> MACHINE =
            Set.of(InetAddress.ofLiteral("127.0.0.1"), InetAddress.ofLiteral(OWN));
    private static final Set<Integer> PORTS = Set.of(8080, 8443);

    private static final String NAMESPACE = "edge";
    private static final String LOOPBACK = "127.0.0.1"; // of whatever machine this is

    private final Replica own = replica(LOOPBACK);
    private final AtomicLong nanos = new AtomicLong();
    private final List<String> warnings = new ArrayList<>();
    private SliceServer server;
    private BoundedCalls calls;

    @BeforeEach
    void start() throws Exception {
        server = new SliceServer();
        calls = new BoundedCalls(Duration.ofSeconds(10));
    }

    @AfterEach
    void stop() throws Exception {
        calls.close();
        server.close();
    }

    private Replicas unnamed() {
        return behind(Optional.empty());
    }

    private Replicas behind(Optional<ObjectRef> service) {
        var replicas =
                new Replicas(
                        server.client(),
                        calls,
                        NAMESPACE,
                        service,
                        () -> own,
                        nanos::get,
                        warnings::add);
        nanos.addAndGet(Duration.ofMinutes(1).toNanos()); // it has run for a while
        return replicas;
    }

    /** Longer than nodes take to lead to who is ready. */
    private void settle() {
        nanos.addAndGet(Duration.ofSeconds(3).toNanos());
    }

    private static EndpointSlice unready(EndpointSlice slice) {
        slice.getEndpoints()
                .forEach(endpoint ->
                        endpoint.setConditions(
                                new EndpointConditionsBuilder().withReady(false).build()));
        return slice;
    }

    /** Longer than what was answered counts. */
    private void pass() {
        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
    }

    private static Replica replica(String address) {
        InetAddress at = InetAddress.ofLiteral(address);
        return new Replica(
                List.of(new InetSocketAddress(at, 8080)), List.of(new InetSocketAddress(at, 8443)));
    }

    @Test
    void theServiceInFrontIsFoundByItsTargetPorts() {
        server.lists(
                slice("metrics", 9090, LOOPBACK, "10.0.0.4"),
                slice("web", 80, LOOPBACK, "10.0.0.5"), // the Service's port, not the Pod's
                slice("edge", 8443, LOOPBACK, "10.0.0.2"),
                slice("edge", 8443, "10.0.0.3"));

        assertThat(unnamed().get()).containsExactly(own, replica("10.0.0.2"), replica("10.0.0.3"));
        assertThat(server.asked())
                .singleElement()
                .asString()
                .startsWith("GET /apis/discovery.k8s.io/v1/namespaces/edge/endpointslices");
        assertThat(warnings).isEmpty();
    }

    @Test
    void whoMayNotLookCountsAsAllAndIsToldSoOnce() {
        server.refuses(403);
        Replicas replicas = unnamed();

        assertThat(replicas.get()).containsExactly(own);
        pass();
        assertThat(replicas.get()).containsExactly(own);
        assertThat(server.asked()).hasSize(2);
        assertThat(warnings).containsExactly("it may not list EndpointSlices in its namespace");
    }

    @Test
    void whoIsFoundAndThenAloneAgainIsToldSoAgain() {
        Replicas replicas = unnamed();
        server.lists(slice("shop", 8080, "10.0.0.9"));
        assertThat(replicas.get()).containsExactly(own);
        assertThat(warnings).hasSize(1);

        pass();
        server.lists(slice("edge", 8080, LOOPBACK, "10.0.0.2"));
        assertThat(replicas.get()).containsExactly(own, replica("10.0.0.2"));
        pass();
        server.lists();
        assertThat(replicas.get()).containsExactly(own);
        assertThat(warnings)
                .hasSize(2)
                .containsOnly("no Service in its namespace has it as an endpoint");
    }

    @Test
    void whatWasKnownStaysWhileTheApiServerIsInTrouble() {
        Replicas replicas = unnamed();
        server.refuses(500);
        assertThat(replicas.get()).as("nothing is known yet").isEmpty();

        pass();
        server.lists(slice("edge", 8080, LOOPBACK, "10.0.0.2"));
        assertThat(replicas.get()).hasSize(2);
        pass();
        server.refuses(500);
        assertThat(replicas.get()).hasSize(2);
        assertThat(warnings).isEmpty();
    }

    /** As right after an installation: a CA would find nobody behind the Service. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nobodyIsAskedWhileNoneOfThoseThereIsReady(boolean named) {
        Replicas replicas =
                behind(
                        named
                                ? Optional.of(new ObjectRef("Service", NAMESPACE, "edge"))
                                : Optional.empty());
        server.lists(unready(slice("edge", 8080, LOOPBACK, "10.0.0.2")));
        assertThat(replicas.get()).isEmpty();
        assertThat(warnings).isEmpty();

        pass();
        server.lists(slice("edge", 8080, LOOPBACK), unready(slice("edge", 8080, "10.0.0.2")));
        assertThat(replicas.get()).as("nodes may not know yet").isEmpty();
        settle();
        assertThat(replicas.get()).containsExactly(own);
        pass();
        server.lists(slice("edge", 8080));
        assertThat(replicas.get()).as("of a Service without Pods").containsExactly(own);
    }

    @Test
    void whoHasJustStartedWaitsAMoment() {
        var replicas =
                new Replicas(
                        server.client(),
                        calls,
                        NAMESPACE,
                        Optional.empty(),
                        () -> own,
                        nanos::get,
                        warnings::add);
        pass();
        pass();
        pass();
        server.lists(slice("edge", 8080, LOOPBACK));
        assertThat(replicas.get()).isEmpty();
        settle();
        assertThat(replicas.get()).containsExactly(own);
    }

    @Test
    void whatWasAnsweredJustNowIsNotAskedAgain() {
        Replicas replicas = unnamed();
        server.lists(slice("edge", 8080, LOOPBACK, "10.0.0.2"));

        assertThat(replicas.get()).isEqualTo(replicas.get()).hasSize(2);
        assertThat(server.asked()).hasSize(1);
    }

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

    /** As the API server gives it while a Service has no Pods. */
    @Test
    void aSliceWithoutEndpointsDoesNotKeepTheOthersFromBeingFound() {
        EndpointSlice empty = slice("shop", 8080);
        empty.setEndpoints(null);
        EndpointSlice mine = slice("edge", 8080, OWN);

        assertThat(Replicas.sharing(List.of(empty, mine), MACHINE, PORTS)).containsExactly(mine);
        assertThat(Replicas.ready(List.of(empty, mine)))
                .containsExactly(InetAddress.ofLiteral(OWN));
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

package dev.sallyport.control.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.cluster.ApiServer;
import dev.sallyport.control.cluster.ClusterClient;
import dev.sallyport.control.resource.IngressStanding;
import dev.sallyport.control.resource.LoadBalancerAddress;
import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a real API server makes of the writing of statuses, and where addresses come from. */
@Tag("cluster")
class StatusIT {
    private static final LoadBalancerAddress ONE = new LoadBalancerAddress.Ip("192.0.2.1");
    private static final LoadBalancerAddress SIX = new LoadBalancerAddress.Ip("2001:db8::1");
    private static final LoadBalancerAddress NAME = new LoadBalancerAddress.Name("lb.example.com");
    private static final String US = "sallyport/edge/sallyport-leader";
    private static final AtomicInteger NAMES = new AtomicInteger();

    @TempDir private static Path folder;
    private static ApiServer api;

    private final String name = "shop-" + NAMES.incrementAndGet();
    private final BoundedCalls calls = new BoundedCalls(Duration.ofSeconds(10));
    private ClusterClient cluster;
    private ApiStatus status;

    @BeforeAll
    static void startApi() {
        api = ApiServer.in(folder.resolve("api"));
        api.namespace("edge");
        api.namespace("shop");
        api.allow(
                "status",
                "edge",
                """
                - {apiGroups: [networking.k8s.io], resources: [ingresses/status], verbs: [patch]}
                - {apiGroups: [""], resources: [nodes], verbs: [get]}
                """);
        api.allowIn(
                "edge",
                "addresses",
                "edge",
                """
                - {apiGroups: [""], resources: [pods], verbs: [get, list]}
                - {apiGroups: [""], resources: [services], resourceNames: [gateway], verbs: [get, list, watch]}
                """);
    }

    @AfterAll
    static void stopApi() {
        api.close();
    }

    @BeforeEach
    void open() throws Exception {
        cluster = ClusterClient.open(api.as("edge", "gateway"));
        status = new ApiStatus(cluster.hastyClient(), calls, US);
        api.apply(
                """
                apiVersion: networking.k8s.io/v1
                kind: Ingress
                metadata: {name: NAME, namespace: shop}
                spec: {ingressClassName: sallyport, defaultBackend: {service: {name: x, port: {number: 80}}}}
                """
                        .replace("NAME", name));
    }

    @AfterEach
    void close() {
        cluster.close();
        calls.close();
    }

    @Test
    void theStatusSaysTheAddressesAndIsWrittenOnceOnly() throws Exception {
        var plan = plan(ONE, SIX, NAME);
        status.write(plan.change(seen(true)).orElseThrow());
        assertThat(seen(true).addresses()).containsExactly(ONE, SIX, NAME);
        assertThat(seen(true).writers()).containsExactly(US);
        assertThat(plan.change(seen(true))).isEmpty();
        // Should it be planned all the same, the API server sees no difference: no version, no
        // event.
        IngressStanding before = seen(true);
        status.write(new StatusPlan.Change(before, before.addresses()));
        assertThat(seen(true).version()).isEqualTo(before.version());
    }

    @Test
    void newAddressesReplaceTheOldOnes() throws Exception {
        status.write(plan(ONE, SIX).change(seen(true)).orElseThrow());
        status.write(plan(NAME).change(seen(true)).orElseThrow());
        assertThat(seen(true).addresses()).containsExactly(NAME);
    }

    @Test
    void atHandOverWhatWeWroteIsTakenAwayAndNothingElse() throws Exception {
        status.write(plan(ONE).change(seen(true)).orElseThrow());
        var away = plan(ONE).change(seen(false)).orElseThrow();
        status.write(away);
        assertThat(seen(false).addresses()).isEmpty();
        assertThat(seen(false).writers()).isEmpty();
        assertThat(plan(ONE).change(seen(false))).isEmpty();
    }

    @Test
    void whatTheNewControllerWroteIsNotTakenAway() throws Exception {
        status.write(plan(ONE).change(seen(true)).orElseThrow());
        StatusPlan.Change away = plan(ONE).change(seen(false)).orElseThrow();
        anotherControllerWrites("198.51.100.7");
        var late = catchThrowableOfType(RuntimeException.class, () -> status.write(away));
        assertThat(ApiFault.of(late)).isEqualTo(ApiFault.CONFLICT);
        assertThat(seen(false).addresses())
                .containsExactly(new LoadBalancerAddress.Ip("198.51.100.7"));
        assertThat(plan(ONE).change(seen(false))).as("what is left to do").isEmpty();
    }

    @Test
    void whatTheOldControllerLeftIsWrittenOver() throws Exception {
        anotherControllerWrites("198.51.100.7");
        status.write(plan(ONE).change(seen(true)).orElseThrow());
        assertThat(seen(true).addresses()).containsExactly(ONE);
        status.write(plan(ONE).change(seen(false)).orElseThrow());
        assertThat(seen(false).addresses()).isEmpty();
    }

    @Test
    void anotherIngressOfTheSameNameIsNotWritten() throws Exception {
        StatusPlan.Change change = plan(ONE).change(seen(true)).orElseThrow();
        api.client().network().v1().ingresses().inNamespace("shop").withName(name).delete();
        var gone = catchThrowableOfType(RuntimeException.class, () -> status.write(change));
        assertThat(ApiFault.of(gone)).isEqualTo(ApiFault.GONE);
        open();
        var other = catchThrowableOfType(RuntimeException.class, () -> status.write(change));
        assertThat(ApiFault.of(other)).isEqualTo(ApiFault.CONFLICT);
        assertThat(seen(true).addresses()).isEmpty();
    }

    @Test
    void anAddressThatIsNoneIsRefusedAsInvalid() {
        var change =
                new StatusPlan.Change(seen(true), List.of(new LoadBalancerAddress.Ip("nonsense")));
        var refused = catchThrowableOfType(RuntimeException.class, () -> status.write(change));
        assertThat(ApiFault.of(refused)).isEqualTo(ApiFault.INVALID);
    }

    @Test
    void withoutTheRightItIsForbidden() throws Exception {
        try (ClusterClient stranger = ClusterClient.open(api.as("edge", "stranger"))) {
            var denied = new ApiStatus(stranger.hastyClient(), calls, US);
            StatusPlan.Change change = plan(ONE).change(seen(true)).orElseThrow();
            var refused = catchThrowableOfType(RuntimeException.class, () -> denied.write(change));
            assertThat(ApiFault.of(refused)).isEqualTo(ApiFault.FORBIDDEN);
        }
    }

    @Test
    void theServicesAddressesAreFollowed() {
        var changes = new AtomicInteger();
        try (var source = new ServiceAddresses(cluster.client(), "edge", "gateway")) {
            source.start(changes::incrementAndGet);
            assertThat(source.addresses()).isEmpty();
            service("type: LoadBalancer");
            await().until(() -> source.addresses().equals(Optional.of(List.of())));
            balancerGives("{ip: 192.0.2.1}, {hostname: lb.example.com}");
            await().until(() -> source.addresses().equals(Optional.of(List.of(ONE, NAME))));
            await().untilAsserted(() -> assertThat(changes).hasValue(2)); // told a moment later
            api.client().services().inNamespace("edge").withName("gateway").delete();
            service("type: LoadBalancer, externalIPs: [\"2001:db8::1\"]");
            await().until(() -> source.addresses().equals(Optional.of(List.of(SIX))));
        } finally {
            api.client().services().inNamespace("edge").withName("gateway").delete();
        }
    }

    @Test
    void aServiceThatMayNotBeReadIsFollowedOnceItMay() {
        try (var source = new ServiceAddresses(cluster.client(), "edge", "other")) {
            source.start(() -> {});
            api.apply(
                    """
                    apiVersion: v1
                    kind: Service
                    metadata: {name: other, namespace: edge}
                    spec: {type: LoadBalancer, externalIPs: [192.0.2.1], ports: [{port: 80}]}
                    """);
            await().during(Duration.ofSeconds(1)).until(() -> source.addresses().isEmpty());
            api.allowIn(
                    "edge",
                    "later",
                    "edge",
                    "- {apiGroups: [\"\"], resources: [services], resourceNames: [other], verbs: [get, list, watch]}");
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> source.addresses().equals(Optional.of(List.of(ONE))));
        }
    }

    @Test
    void theNodesOfOurPodsAreFoundByNameAndLabels() throws Exception {
        node("a", "{type: InternalIP, address: 10.0.0.1}, {type: ExternalIP, address: 192.0.2.1}");
        node("b", "{type: InternalIP, address: 10.0.0.2}");
        node("c", "{type: InternalIP, address: 10.0.0.3}");
        pod("gateway-0", "a", "ours", "gateway", "Running", "False"); // the own one
        pod("gateway-1", "b", "ours", "gateway", "Running", "True");
        pod("gateway-2", "c", "ours", "gateway", "Pending", "False");
        pod("gateway-3", "c", "ours", "gateway", "Running", "False");
        pod("test", "c", "ours", "test", "Running", "True");
        pod("other", "c", "theirs", "gateway", "Running", "True");
        try (var source = new NodeAddresses(cluster.hastyClient(), calls, "edge", "gateway-0")) {
            source.refresh();
            assertThat(source.addresses())
                    .contains(List.of(new LoadBalancerAddress.Ip("10.0.0.2"), ONE));
        }
        try (ClusterClient stranger = ClusterClient.open(api.as("edge", "stranger"));
                var source =
                        new NodeAddresses(stranger.hastyClient(), calls, "edge", "gateway-0")) {
            source.refresh();
            assertThat(source.addresses()).isEmpty();
        }
    }

    private IngressStanding seen(boolean ours) {
        Ingress now =
                api.client().network().v1().ingresses().inNamespace("shop").withName(name).get();
        return IngressStanding.of(
                new Resource.OfIngress(
                        new ObjectRef("Ingress", "shop", name), now, Origin.API_SERVER),
                ours);
    }

    private static StatusPlan plan(LoadBalancerAddress... addresses) {
        return new StatusPlan(Optional.of(List.of(addresses)), US);
    }

    /** As ingress-nginx does: an update, which asks nobody. */
    private void anotherControllerWrites(String ip) {
        var patch = "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"" + ip + "\"}]}}}";
        var _ =
                api.client()
                        .network()
                        .v1()
                        .ingresses()
                        .inNamespace("shop")
                        .withName(name)
                        .subresource("status")
                        .patch(PatchContext.of(PatchType.JSON_MERGE), patch);
    }

    private static void service(String spec) {
        api.apply(
                """
                apiVersion: v1
                kind: Service
                metadata: {name: gateway, namespace: edge}
                spec: {SPEC, ports: [{port: 80}]}
                """
                        .replace("SPEC", spec));
    }

    private static void balancerGives(String entries) {
        String json =
                "{\"status\":{\"loadBalancer\":{\"ingress\":["
                        + entries.replaceAll("([a-z]+): ([^},]+)", "\"$1\":\"$2\"")
                        + "]}}}";
        var _ =
                api.client()
                        .services()
                        .inNamespace("edge")
                        .withName("gateway")
                        .subresource("status")
                        .patch(PatchContext.of(PatchType.JSON_MERGE), json);
    }

    private static void node(String name, String addresses) throws KubernetesClientException {
        api.apply("apiVersion: v1\nkind: Node\nmetadata: {name: " + name + "}\n");
        patchStatus(
                api.client().nodes().withName(name),
                "{\"status\":{\"addresses\":["
                        + addresses.replaceAll("([a-z]+): ([^},]+)", "\"$1\":\"$2\"")
                        + "]}}");
    }

    private static void pod(
            String name,
            String node,
            String instance,
            String component,
            String phase,
            String ready) {
        api.apply(
                """
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: default, namespace: edge}
                ---
                apiVersion: v1
                kind: Pod
                metadata:
                  name: NAME
                  namespace: edge
                  labels:
                    app.kubernetes.io/name: sallyport
                    app.kubernetes.io/instance: INSTANCE
                    app.kubernetes.io/component: COMPONENT
                spec: {nodeName: NODE, containers: [{name: c, image: localhost/none}]}
                """
                        .replace("NAME", name)
                        .replace("INSTANCE", instance)
                        .replace("COMPONENT", component)
                        .replace("NODE", node));
        patchStatus(
                api.client().pods().inNamespace("edge").withName(name),
                "{\"status\":{\"phase\":\""
                        + phase
                        + "\",\"conditions\":[{\"type\":\"Ready\",\"status\":\""
                        + ready
                        + "\"}]}}");
    }

    private static void patchStatus(
            io.fabric8.kubernetes.client.dsl.Resource<?> object, String json) {
        var _ = object.subresource("status").patch(PatchContext.of(PatchType.JSON_MERGE), json);
    }
}

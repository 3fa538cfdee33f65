package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.ClusterControl;
import dev.sallyport.control.ControlSettings;
import dev.sallyport.control.RecordingDataPlane;
import dev.sallyport.control.ReportSettings;
import dev.sallyport.control.leader.BlackHole;
import dev.sallyport.control.reconcile.ServedTruth.Provenance;
import dev.sallyport.control.resource.LoadBalancerAddress;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.finding.Reason;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What replicas with no more rights than they need tell a real API server. */
@Tag("cluster")
class ReportingIT {
    private static final AtomicInteger NEXT = new AtomicInteger();
    private static final Duration SECONDS = Duration.ofSeconds(20);

    @TempDir private static Path folder;
    private static ApiServer api;

    /** Nobody else's: one test's namespace and Lease. */
    private final String id = "t" + NEXT.incrementAndGet();

    private final List<Replica> replicas = new ArrayList<>();

    @BeforeAll
    static void start() {
        api = ApiServer.in(folder.resolve("api"));
        api.namespace("edge");
        api.allow(
                "gateway",
                "edge",
                """
                - {apiGroups: [networking.k8s.io], resources: [ingresses, ingressclasses], verbs: [list, watch]}
                - {apiGroups: [networking.k8s.io], resources: [ingresses/status], verbs: [patch]}
                - {apiGroups: [""], resources: [services, secrets, namespaces], verbs: [list, watch]}
                - {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
                - {apiGroups: [events.k8s.io], resources: [events], verbs: [create, get, patch]}
                """);
        api.allowIn(
                "edge",
                "leader",
                "edge",
                "- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update]}");
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    @BeforeEach
    void namespace() {
        api.namespace(id);
    }

    @AfterEach
    void close() {
        replicas.forEach(Replica::close);
        var _ = api.client().network().v1().ingresses().inNamespace(id).delete();
    }

    @Test
    void oneOfTwoReplicasWritesAndWhenItGoesTheOtherGoesOn() throws Exception {
        Replica one = replica();
        Replica two = replica();
        site("shop");
        awaitAddresses("shop", "192.0.2.1");
        String version = ingress("shop").getMetadata().getResourceVersion();
        await().during(Duration.ofSeconds(3))
                .atMost(SECONDS)
                .until(() -> version.equals(ingress("shop").getMetadata().getResourceVersion()));
        assertThat(one.writes() + two.writes()).isEqualTo(1);
        Replica leader = one.leads() ? one : two;
        Replica other = one.leads() ? two : one;
        leader.control.fallSilent();
        await().atMost(Duration.ofSeconds(8)).until(other::leads); // the Lease would last for 15
        assertThat(addresses("shop")).containsExactly("192.0.2.1");
        site("later");
        awaitAddresses("later", "192.0.2.1");
        assertThat(ingress("shop").getMetadata().getResourceVersion()).isEqualTo(version);
    }

    @Test
    void whatWasWrittenIsTakenAwayWhenTheClassIsHandedOverEvenAfterARestart() throws Exception {
        Replica one = replica();
        site("shop");
        site("moved");
        awaitAddresses("shop", "192.0.2.1");
        awaitAddresses("moved", "192.0.2.1");
        handOver("shop", "nginx");
        awaitAddresses("shop");
        one.close();
        handOver("moved", "nginx");
        assertThat(addresses("moved")).containsExactly("192.0.2.1");
        replica();
        awaitAddresses("moved");
        handOver("moved", "sallyport");
        awaitAddresses("moved", "192.0.2.1");
    }

    @Test
    void whatAnotherControllerWritesIntoItsOwnIsLeftAlone() throws Exception {
        site("ours");
        site("theirs");
        handOver("theirs", "nginx");
        var patch = "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.1\"}]}}}";
        var _ =
                api.client()
                        .network()
                        .v1()
                        .ingresses()
                        .inNamespace(id)
                        .withName("theirs")
                        .subresource("status")
                        .patch(PatchContext.of(PatchType.JSON_MERGE), patch);
        replica();
        awaitAddresses("ours", "192.0.2.1");
        await().during(Duration.ofSeconds(2))
                .atMost(SECONDS)
                .until(() -> addresses("theirs").equals(List.of("192.0.2.1")));
    }

    @Test
    void theOwnersOfObjectsAreToldOnceWhatIsWrongAndWhatIsServed() throws Exception {
        Replica one = replica();
        site("shop");
        await().atMost(SECONDS).until(() -> reasons("Ingress").contains("SecretMissing"));
        api.apply(Site.tlsSecret(id, "shop", 1));
        await().atMost(SECONDS).until(() -> reasons("Secret").contains("CertificateServed"));
        await().atMost(SECONDS).until(() -> reasons("Ingress").contains("SecretMissingResolved"));
        Event served = event("Secret", "CertificateServed");
        assertThat(served.getNote())
                .startsWith("serial 01 (shop.example.com, valid until ")
                .contains("resourceVersion " + secretVersion("shop") + " is served since 20");
        assertThat(served.getType()).isEqualTo("Normal");
        site("bare");
        await().atMost(SECONDS)
                .untilAsserted(() ->
                        assertThat(reasons("Ingress"))
                                .containsExactlyInAnyOrder(
                                        "SecretMissing", "SecretMissingResolved", "SecretMissing"));
        List<String> told = versions();
        one.close();
        Replica two = replica();
        await().atMost(SECONDS).until(two::leads);
        await().during(Duration.ofSeconds(3)).atMost(SECONDS).until(() -> versions().equals(told));
        garbage("shop");
        await().atMost(SECONDS).until(() -> reasons("Secret").contains("CertificateUnreadable"));
        Event warning = event("Secret", "CertificateUnreadable");
        assertThat(warning.getType()).isEqualTo("Warning");
        assertThat(warning.getNote()).contains("serial 01").contains("stays in service");
        api.apply(Site.tlsSecret(id, "shop", 2));
        await().atMost(SECONDS)
                .untilAsserted(() ->
                        assertThat(reasons("Secret"))
                                .containsExactlyInAnyOrder(
                                        "CertificateServed",
                                        "CertificateUnreadable",
                                        "CertificateServed"));
    }

    @Test
    void whatIsAppliedWhileLeadershipBeginsIsNotToldOfByHalves() throws Exception {
        api.apply(Site.ingress(id, "shop"));
        var ledNotYet = new AtomicLong(System.nanoTime());
        Replica one = replica();
        await().pollInterval(Duration.ofMillis(1))
                .atMost(SECONDS)
                .until(() -> {
                    long now = System.nanoTime();
                    boolean leads = one.leads();
                    if (!leads) {
                        ledNotYet.set(now);
                    }
                    return leads;
                });
        api.apply(Site.service(id, "shop"));
        await().pollInterval(Duration.ofMillis(1))
                .atMost(SECONDS)
                .until(() -> !one.finds(Reason.SERVICE_MISSING, id));
        // What the replica saw for a second may be told.
        boolean brief = System.nanoTime() - ledNotYet.get() < Duration.ofSeconds(1).toNanos();
        List<String> told =
                brief
                        ? List.of("SecretMissing")
                        : List.of("SecretMissing", "ServiceMissing", "ServiceMissingResolved");
        await().atMost(SECONDS).until(() -> reasons("Ingress").contains("SecretMissing"));
        await().during(Duration.ofSeconds(2))
                .atMost(SECONDS)
                .untilAsserted(() ->
                        assertThat(reasons("Ingress")).doesNotHaveDuplicates().isSubsetOf(told));
    }

    @Test
    void aSecretThatFlapsFiftyTimesASecondIsNotToldOfFiftyTimesASecond() throws Exception {
        Replica one = replica();
        site("shop");
        api.apply(Site.tlsSecret(id, "shop", 1));
        await().atMost(SECONDS).until(() -> one.serial("shop").equals("01"));
        await().atMost(SECONDS).until(one::leads);
        long end = System.nanoTime() + Duration.ofSeconds(6).toNanos();
        int changes = 0;
        while (System.nanoTime() - end < 0 || changes <= 50) {
            if (++changes % 2 == 0) {
                api.apply(Site.tlsSecret(id, "shop", 1));
            } else {
                garbage("shop");
            }
        }
        api.apply(Site.tlsSecret(id, "shop", 1));
        String last = secretVersion("shop");
        await().atMost(SECONDS)
                .untilAsserted(
                        () -> assertThat(one.provenance("shop").resourceVersion()).isEqualTo(last));
        assertThat(one.control.state().truth().unserved().isEmpty()).isTrue();
        assertThat(events("Secret").size()).isLessThan(12);
        // The certificate itself never changed.
        assertThat(one.dataPlane.snapshots()).hasSizeLessThan(10);
    }

    @Test
    void closingIsQuickWhileTheApiServerIsSilent() throws Exception {
        try (var hole = new BlackHole(api.port())) {
            Replica one = replica(api.adminBehind(hole.port()));
            await().atMost(SECONDS).until(one::leads);
            hole.swallow(true);
            site("shop"); // something to write, if it were known
            long began = System.nanoTime();
            one.control.fallSilent();
            assertThat(Duration.ofNanos(System.nanoTime() - began))
                    .isLessThan(Duration.ofSeconds(5));
        }
    }

    private Replica replica() throws Exception {
        return replica(api.as("edge", "gateway"));
    }

    private Replica replica(ClusterAccess access) throws Exception {
        var replica = new Replica(access, id);
        replicas.add(replica);
        return replica;
    }

    /** One gateway, but for its traffic. */
    private static final class Replica implements AutoCloseable {
        final RecordingDataPlane dataPlane = new RecordingDataPlane();
        final ClusterClient cluster;
        final ClusterControl control;

        Replica(ClusterAccess access, String lease) throws Exception {
            cluster = ClusterClient.open(access);
            control =
                    ClusterControl.open(
                            cluster,
                            new ClusterSettings(
                                    List.of(), SecretAccess.BY_TYPE, Duration.ofSeconds(60)),
                            Optional.empty(),
                            new ReportSettings(
                                    true,
                                    true,
                                    List.of(new LoadBalancerAddress.Ip("192.0.2.1")),
                                    Optional.empty(),
                                    Optional.of("gateway-0"),
                                    lease,
                                    Optional.of("edge")),
                            Optional.empty(),
                            ControlSettings.forCluster(List.of(), Optional.empty()),
                            dataPlane,
                            Clock.system(ZoneOffset.UTC));
            var _ = control.firstApplied().get(60, TimeUnit.SECONDS);
        }

        boolean leads() {
            return control.reported().leads();
        }

        long writes() {
            return control.reported().statuses().writes();
        }

        boolean finds(Reason reason, String namespace) {
            return control.state().findings().stream()
                    .anyMatch(finding ->
                            finding.reason() == reason
                                    && finding.object().namespace().equals(namespace));
        }

        String serial(String name) {
            return ServedCluster.serial(dataPlane.last(), name + ".example.com");
        }

        Provenance provenance(String name) {
            CertificateSet set =
                    control.state().applied().certificates().find(name + ".example.com");
            return Objects.requireNonNull(
                    control.state()
                            .truth()
                            .provenance()
                            .get(Objects.requireNonNull(set).certificates().getFirst().bundle()));
        }

        @Override
        public void close() {
            control.close();
            cluster.close();
        }
    }

    /** The Service first: what it takes until it is there may not be told. */
    private void site(String name) {
        api.apply(Site.service(id, name));
        api.apply(Site.ingress(id, name));
    }

    private void garbage(String name) {
        api.apply(
                """
                apiVersion: v1
                kind: Secret
                metadata: {name: NAME, namespace: NAMESPACE}
                type: kubernetes.io/tls
                stringData: {tls.crt: garbage, tls.key: garbage}
                """
                        .replace("NAMESPACE", id)
                        .replace("NAME", name));
    }

    private void handOver(String name, String ingressClass) {
        var patch = "{\"spec\":{\"ingressClassName\":\"" + ingressClass + "\"}}";
        var _ =
                api.client()
                        .network()
                        .v1()
                        .ingresses()
                        .inNamespace(id)
                        .withName(name)
                        .patch(PatchContext.of(PatchType.JSON_MERGE), patch);
    }

    private Ingress ingress(String name) {
        return api.client().network().v1().ingresses().inNamespace(id).withName(name).get();
    }

    private List<String> addresses(String name) {
        return ingress(name).getStatus().getLoadBalancer().getIngress().stream()
                .map(entry -> entry.getIp())
                .toList();
    }

    private void awaitAddresses(String name, String... expected) {
        await().atMost(SECONDS)
                .untilAsserted(() -> assertThat(addresses(name)).containsExactly(expected));
    }

    private String secretVersion(String name) {
        return api.client()
                .secrets()
                .inNamespace(id)
                .withName(name)
                .get()
                .getMetadata()
                .getResourceVersion();
    }

    private List<Event> events(String kind) {
        return api.client().events().v1().events().inNamespace(id).list().getItems().stream()
                .filter(event -> event.getRegarding().getKind().equals(kind))
                .toList();
    }

    private List<String> reasons(String kind) {
        return events(kind).stream().map(Event::getReason).toList();
    }

    private Event event(String kind, String reason) {
        return events(kind).stream()
                .filter(event -> event.getReason().equals(reason))
                .findFirst()
                .orElseThrow();
    }

    /** Of all Events: whatever is written changes them. */
    private List<String> versions() {
        return api.client().events().v1().events().inNamespace(id).list().getItems().stream()
                .map(event ->
                        event.getMetadata().getName()
                                + " "
                                + event.getMetadata().getResourceVersion())
                .sorted()
                .toList();
    }
}

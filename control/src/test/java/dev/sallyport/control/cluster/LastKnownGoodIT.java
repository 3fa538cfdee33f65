package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.ReportSettings;
import dev.sallyport.control.stored.StoreKey;
import dev.sallyport.control.stored.StoreSettings;
import dev.sallyport.faults.ApiProxy;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Starts while the API server is away, with what was stored before; and its return. */
@Tag("cluster")
class LastKnownGoodIT {
    private static final List<String> NAMES = List.of("a", "b", "c", "d", "e");

    /** Well after the patience, and well before all the time that a source which speaks has. */
    private static final Duration IN_TIME = Duration.ofSeconds(8);

    private static final String ALL_RIGHTS =
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: stale-test}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
            subjects: [{kind: ServiceAccount, name: gateway, namespace: default}]
            """;

    @TempDir private Path folder;
    private ApiServer api;
    private StoreSettings store;

    @BeforeEach
    void start() throws Exception {
        api = ApiServer.in(folder.resolve("api"));
        Path key = folder.resolve("key");
        Files.writeString(key, "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=");
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("r--------"));
        store = store(Duration.ofSeconds(2));
        for (String name : NAMES) {
            api.apply(Site.of("default", name));
        }
        for (String name : List.of("a", "b", "c", "d")) {
            api.apply(Site.tlsSecret("default", name, 1));
        }
        api.apply(Site.secret("default", "e", "Opaque", 1)); // which no list by type shows
    }

    private StoreSettings store(Duration patience) throws Exception {
        return new StoreSettings(
                folder.resolve("state"),
                StoreKey.read(folder.resolve("key")),
                Duration.ofMillis(100),
                patience);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @ParameterizedTest
    @EnumSource(SecretAccess.class)
    void whatWasServedIsServedAtOnceAndTheApiServersListsReplaceIt(SecretAccess access)
            throws Exception {
        runOnce(access);
        // While no gateway runs:
        delete("e");
        api.apply(Site.tlsSecret("default", "d", 2));
        api.apply(Site.of("default", "f"));
        api.apply(Site.tlsSecret("default", "f", 1));
        api.kill();
        try (ServedCluster served = begin(access, api.admin())) {
            served.control().firstApplied().get(IN_TIME.toMillis(), TimeUnit.MILLISECONDS);
            for (String name : NAMES) {
                assertThat(served.routes(host(name))).as(name).isTrue();
                assertThat(served.serial(host(name))).as(name).isEqualTo(Site.serial(1));
            }
            assertStale(served);
            GatewaySnapshot stale = served.now();
            CertificateBundle kept = bundle(served, "a");
            api.start();
            await().atMost(Duration.ofSeconds(30))
                    .failFast(
                            "a Secret was called gone that is only asked for by name",
                            () -> reasons(served).contains(Reason.SECRET_DELETED))
                    .until(() -> !served.control().state().stale() && served.routes(host("f")));
            served.awaitSerial(host("d"), Site.serial(2));
            served.awaitSerial(host("f"), Site.serial(1));
            assertThat(served.routes(host("e"))).isFalse();
            assertThat(served.serial(host("e"))).isEmpty();
            assertThat(bundle(served, "a")).as("no rotation").isSameAs(kept);
            assertThat(served.now().routes().hosts().find(host("b")))
                    .as("unchanged parts are the same")
                    .isSameAs(stale.routes().hosts().find(host("b")));
            for (GatewaySnapshot each : served.dataPlane().snapshots()) {
                assertThat(ServedCluster.serial(each, host("a")))
                        .as("without a gap")
                        .isEqualTo(Site.serial(1));
            }
            await().until(() -> reasons(served).isEmpty());
            assertThat(served.control().stored().staleSince()).isEmpty();
        }
    }

    @Test
    void anApiServerThatTakesConnectionsAndSaysNothingIsNotWaitedForLong() throws Exception {
        runOnce(SecretAccess.BY_TYPE);
        try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                ServedCluster served =
                        begin(SecretAccess.BY_TYPE, api.adminThrough(silent.getLocalPort()))) {
            served.control().firstApplied().get(IN_TIME.toMillis(), TimeUnit.MILLISECONDS);
            assertThat(served.serial(host("a"))).isEqualTo(Site.serial(1));
            assertStale(served);
        }
    }

    @Test
    void whereTheApiServerAnswersTheFileIsNotServedForAMoment() throws Exception {
        runOnce(SecretAccess.BY_TYPE);
        delete("e");
        store = store(Duration.ofSeconds(30)); // however slow it is
        try (ServedCluster served = begin(SecretAccess.BY_TYPE, api.admin())) {
            served.awaitFirst();
            assertThat(served.dataPlane().snapshots().getFirst().routes().find(host("e"), "/"))
                    .isNull();
            assertThat(served.control().state().stale()).isFalse();
        }
    }

    /** A restored backup, or a cache that is not filled yet. */
    @Test
    void anEmptyListIsHeldBackAsAfterAnyGap() throws Exception {
        runOnce(SecretAccess.BY_TYPE);
        NAMES.forEach(this::delete);
        api.kill();
        var settings = new ClusterSettings(List.of(), SecretAccess.BY_TYPE, Duration.ofSeconds(6));
        try (ServedCluster served =
                ServedCluster.begin(api.admin(), settings, store, ReportSettings.NOTHING)) {
            served.awaitFirst();
            api.start();
            await().atMost(Duration.ofSeconds(30)).until(() -> !served.control().state().stale());
            assertThat(served.routes(host("a"))).isTrue();
            assertThat(served.serial(host("a"))).isEqualTo(Site.serial(1));
            assertThat(reasons(served)).contains(Reason.LIST_HELD_BACK);
            // Once a second list agrees:
            await().atMost(Duration.ofSeconds(30)).until(() -> !served.routes(host("a")));
            await().until(() -> !reasons(served).contains(Reason.LIST_HELD_BACK));
        }
    }

    @Test
    void aStaleGatewayTellsTheClusterNothing() throws Exception {
        runOnce(SecretAccess.BY_TYPE);
        var told =
                new ReportSettings(
                        true,
                        true,
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        "stale-test",
                        Optional.of("default"));
        try (ApiProxy proxy = api.proxy()) {
            // An API server that takes everything and lists nothing.
            proxy.answer(
                    request -> request.lists() && !request.lists("leases"),
                    "503 Service Unavailable",
                    "",
                    "{}");
            try (ServedCluster served =
                    ServedCluster.begin(
                            api.adminThrough(proxy.port()), ClusterSettings.DEFAULT, store, told)) {
                served.awaitFirst();
                assertStale(served);
                await().during(Duration.ofSeconds(4))
                        .atMost(Duration.ofSeconds(30))
                        .until(() -> lease() == null);
                proxy.pass();
                await().atMost(Duration.ofSeconds(40))
                        .until(() -> !served.control().state().stale());
                await().atMost(Duration.ofSeconds(30)).until(() -> lease() != null);
            }
        }
    }

    /** A rolling update would replace good Pods by such that lack a right. */
    @Test
    void whereARightIsMissingTheFileIsNotServed() throws Exception {
        runOnce(SecretAccess.BY_TYPE);
        try (ServedCluster served = begin(SecretAccess.BY_TYPE, api.as("default", "gateway"))) {
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> served.control().waitingFor().orElse("").contains("403: "));
            await().during(store.patience().multipliedBy(2))
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> !served.control().firstApplied().isDone());
            api.apply(ALL_RIGHTS);
            served.awaitFirst();
            assertThat(served.control().state().stale()).isFalse();
            assertThat(served.serial(host("a"))).isEqualTo(Site.serial(1));
        }
    }

    @Test
    void whereARightTurnsOutToBeMissingThatIsSaid() throws Exception {
        runOnce(SecretAccess.BY_TYPE);
        ClusterAccess account = api.as("default", "gateway");
        api.kill();
        try (ServedCluster served = begin(SecretAccess.BY_TYPE, account)) {
            served.awaitFirst();
            assertStale(served);
            assertThat(served.control().refused()).isEmpty();
            api.start();
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> served.control().refused().orElse("").contains("403: "));
            assertThat(served.routes(host("a"))).isTrue();
            api.apply(ALL_RIGHTS);
            await().atMost(Duration.ofSeconds(60)).until(() -> !served.control().state().stale());
            assertThat(served.control().refused()).isEmpty();
        }
    }

    /** A cluster in which something changes all the time looks like one that makes progress. */
    @Test
    void aListThatFailsIsNotWaitedForLongBecauseOtherObjectsChange() throws Exception {
        runOnce(SecretAccess.BY_TYPE);
        try (ApiProxy proxy = api.proxy();
                var busy = Executors.newSingleThreadScheduledExecutor()) {
            proxy.answer(
                    request -> request.target().contains("/secrets"),
                    "500 Internal Server Error",
                    "",
                    "{}");
            var _ = busy.scheduleAtFixedRate(this::touch, 0, 300, TimeUnit.MILLISECONDS);
            try (ServedCluster served =
                    begin(SecretAccess.BY_TYPE, api.adminThrough(proxy.port()))) {
                served.control().firstApplied().get(15, TimeUnit.SECONDS); // half of 15 patiences
                assertStale(served);
            }
            busy.shutdownNow();
        }
    }

    private void touch() {
        api.client()
                .services()
                .inNamespace("default")
                .withName("a")
                .edit(service ->
                        new ServiceBuilder(service)
                                .editMetadata()
                                .addToAnnotations("touched", Long.toString(System.nanoTime()))
                                .endMetadata()
                                .build());
    }

    private Object lease() {
        return api.client().leases().inNamespace("default").withName("stale-test").get();
    }

    /** A gateway that served everything and was ended in good order. */
    private void runOnce(SecretAccess access) throws Exception {
        try (ServedCluster served = begin(access, api.admin())) {
            served.awaitFirst();
            for (String name : NAMES) {
                served.awaitSerial(host(name), Site.serial(1));
            }
            await().until(() -> served.control().stored().writes() > 0);
            assertThat(served.control().state().stale()).isFalse();
        }
        assertThat(store.file()).isRegularFile();
    }

    private ServedCluster begin(SecretAccess access, ClusterAccess to) throws Exception {
        return ServedCluster.begin(
                to,
                new ClusterSettings(List.of(), access, Duration.ofSeconds(60)),
                store,
                ReportSettings.NOTHING);
    }

    private void delete(String name) {
        api.client().network().v1().ingresses().inNamespace("default").withName(name).delete();
        api.client().secrets().inNamespace("default").withName(name).delete();
    }

    private static void assertStale(ServedCluster served) {
        assertThat(served.control().state().stale()).isTrue();
        assertThat(served.findings(Reason.STATE_STALE)).hasSize(1);
        assertThat(served.control().stored().staleSince()).isPresent();
        assertThat(served.control().sinceLastLook()).isPresent();
    }

    private static Set<Reason> reasons(ServedCluster served) {
        Set<Reason> reasons = EnumSet.noneOf(Reason.class);
        for (Finding finding : served.control().state().findings()) {
            reasons.add(finding.reason());
        }
        return reasons;
    }

    private static CertificateBundle bundle(ServedCluster served, String name) {
        return java.util.Objects.requireNonNull(served.now().certificates().find(host(name)))
                .certificates()
                .getFirst()
                .bundle();
    }

    private static String host(String name) {
        return name + ".example.com";
    }
}

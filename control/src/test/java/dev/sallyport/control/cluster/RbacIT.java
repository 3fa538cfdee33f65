package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sallyport.faults.ApiProxy;
import dev.sallyport.faults.ApiProxy.Request;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The three ways to give rights, each with Roles that allow no more, and what missing ones do. */
@Tag("cluster")
class RbacIT {
    private static final Duration SECONDS = Duration.ofSeconds(10);
    private static final AtomicInteger NEXT = new AtomicInteger();
    private static final String ROUTES =
            """
              - {apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [list, watch]}
              - {apiGroups: [""], resources: [services], verbs: [list, watch]}
              - {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
            """;
    private static final String CLUSTER_WIDE =
            ROUTES
                    + """
                      - {apiGroups: [networking.k8s.io], resources: [ingressclasses], verbs: [list, watch]}
                      - {apiGroups: [""], resources: [namespaces], verbs: [list, watch]}
                    """;
    private static final String SECRETS =
            "  - {apiGroups: [\"\"], resources: [secrets], verbs: [list, watch]}\n";

    @TempDir private static Path folder;
    private static ApiServer api;

    /** Nobody else's: Roles, account and objects of one test. */
    private final String id = "t" + NEXT.incrementAndGet();

    @BeforeAll
    static void start() {
        api = ApiServer.in(folder.resolve("api"));
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    private ClusterAccess account() {
        return api.as(id + "-gateway", "gateway");
    }

    private void clusterRole(String rules) {
        api.allow(id, id + "-gateway", rules);
    }

    private void role(String namespace, String rules) {
        api.namespace(namespace);
        api.allowIn(namespace, id, id + "-gateway", rules);
    }

    private static String named(String... names) {
        return "  - {apiGroups: [\"\"], resources: [secrets], verbs: [get, list, watch], resourceNames: ["
                + String.join(", ", names)
                + "]}\n";
    }

    private String namespace(String name) {
        String full = id + "-" + name;
        api.namespace(full);
        return full;
    }

    private void site(String namespace, String name) {
        api.apply(Site.of(namespace, name));
        api.apply(Site.tlsSecret(namespace, name, 1));
    }

    private static ClusterSettings settings(SecretAccess secrets, String... namespaces) {
        return new ClusterSettings(List.of(namespaces), secrets, Duration.ofSeconds(60));
    }

    private static List<Finding> ofRights(ServedCluster served) {
        return served.control().state().findings().stream()
                .filter(finding ->
                        switch (finding.reason()) {
                            case WATCH_FORBIDDEN, WATCH_LIMITED, SECRET_FORBIDDEN -> true;
                            default -> false;
                        })
                .toList();
    }

    @Test
    void clusterWide() throws Exception {
        clusterRole(CLUSTER_WIDE + SECRETS);
        String shop = namespace("shop");
        site(shop, id);
        try (ServedCluster served =
                ServedCluster.start(account(), settings(SecretAccess.BY_TYPE))) {
            served.awaitSerial(id + ".example.com", Site.serial(1));
            api.apply(Site.tlsSecret(shop, id, 2));
            served.awaitSerial(id + ".example.com", Site.serial(2));
            assertThat(ofRights(served)).isEmpty();
        }
    }

    @Test
    void listedNamespaces() throws Exception {
        String shop = namespace("shop");
        String blog = namespace("blog");
        String others = namespace("others");
        role(shop, ROUTES + SECRETS);
        role(blog, ROUTES + SECRETS);
        site(shop, id + "-shop");
        site(blog, id + "-blog");
        site(others, id + "-others");
        try (ServedCluster served =
                ServedCluster.start(account(), settings(SecretAccess.BY_TYPE, shop, blog))) {
            served.awaitSerial(id + "-shop.example.com", Site.serial(1));
            served.awaitSerial(id + "-blog.example.com", Site.serial(1));
            api.apply(Site.tlsSecret(blog, id + "-blog", 2));
            served.awaitSerial(id + "-blog.example.com", Site.serial(2));
            assertThat(served.routes(id + "-others.example.com")).isFalse();
            await().untilAsserted(() ->
                    assertThat(ofRights(served))
                            .as("said once, and done without")
                            .singleElement()
                            .satisfies(finding -> {
                                assertThat(finding.reason()).isEqualTo(Reason.WATCH_LIMITED);
                                assertThat(finding.message()).contains("ingressclasses", "403");
                            }));
        }
    }

    @Test
    void byName() throws Exception {
        String shop = namespace("shop");
        role(shop, ROUTES + named(id + "-a", id + "-b"));
        site(shop, id + "-a");
        site(shop, id + "-b");
        try (ServedCluster served =
                ServedCluster.start(account(), settings(SecretAccess.BY_NAME, shop))) {
            var first = served.dataPlane().snapshots().getFirst();
            assertThat(ServedCluster.serial(first, id + "-a.example.com"))
                    .as("no default certificate is shown, not even at first")
                    .isEqualTo(Site.serial(1));
            assertThat(ServedCluster.serial(first, id + "-b.example.com"))
                    .isEqualTo(Site.serial(1));
            api.apply(Site.tlsSecret(shop, id + "-b", 2));
            served.awaitSerial(id + "-b.example.com", Site.serial(2));

            site(shop, id + "-c");
            await().atMost(SECONDS)
                    .untilAsserted(() ->
                            assertThat(served.findings(Reason.SECRET_FORBIDDEN))
                                    .singleElement()
                                    .satisfies(finding -> {
                                        assertThat(finding.object().name()).isEqualTo(id + "-c");
                                        assertThat(finding.message()).contains("403");
                                        assertThat(finding.advice())
                                                .contains("resourceNames: [" + id + "-c]", shop);
                                    }));
            assertThat(served.routes(id + "-c.example.com")).isTrue();
            assertThat(served.findings(Reason.SECRET_MISSING)).isEmpty();
            role(shop, ROUTES + named(id + "-a", id + "-b", id + "-c"));
            served.awaitSerial(id + "-c.example.com", Site.serial(1));
            await().until(() -> served.findings(Reason.SECRET_FORBIDDEN).isEmpty());
        }
    }

    @Test
    void byNameNothingIsListedButByName() throws Exception {
        String shop = namespace("shop");
        role(shop, ROUTES + named(id));
        site(shop, id);
        try (ApiProxy proxy = api.proxy();
                ServedCluster served =
                        ServedCluster.start(
                                api.asThrough(id + "-gateway", "gateway", proxy.port()),
                                settings(SecretAccess.BY_NAME, shop))) {
            served.awaitSerial(id + ".example.com", Site.serial(1));
            assertThat(proxy.requests())
                    .extracting(Request::target)
                    .filteredOn(target -> target.contains("/secrets"))
                    .isNotEmpty()
                    .allSatisfy(target ->
                            assertThat(target).contains("fieldSelector=metadata.name%3D" + id));
        }
    }

    @Test
    void byTypeOnlySecretsOfTheTypeAreListed() throws Exception {
        try (ApiProxy proxy = api.proxy();
                ServedCluster _ =
                        ServedCluster.start(
                                api.adminThrough(proxy.port()), settings(SecretAccess.BY_TYPE))) {
            assertThat(proxy.requests())
                    .extracting(Request::target)
                    .filteredOn(target -> target.contains("/api/v1/secrets"))
                    .isNotEmpty()
                    .allSatisfy(target ->
                            assertThat(target)
                                    .contains("fieldSelector=type%3Dkubernetes.io%2Ftls"));
        }
    }

    @Test
    void aRightThatIsMissingAtTheStartIsNamedAndWaitedFor() throws Exception {
        clusterRole(CLUSTER_WIDE);
        String shop = namespace("shop");
        site(shop, id);
        try (ServedCluster served =
                ServedCluster.begin(account(), settings(SecretAccess.BY_TYPE))) {
            await().atMost(SECONDS)
                    .untilAsserted(() ->
                            assertThat(served.control().waitingFor().orElse(""))
                                    .matches(
                                            "the list of secrets of type kubernetes.io/tls in all namespaces \\(403: "
                                                    + "secrets is forbidden: .*cannot list resource \"secrets\".*\\)"));
            assertThat(served.control().firstApplied()).isNotDone();
            clusterRole(CLUSTER_WIDE + SECRETS);
            served.awaitFirst();
            assertThat(served.serial(id + ".example.com")).isEqualTo(Site.serial(1));
        }
    }

    @Test
    void aNamespaceThatRefusesTheGatewayDoesNotKeepTheOthersWaiting() throws Exception {
        String shop = namespace("shop");
        String closed = namespace("closed");
        role(shop, ROUTES + SECRETS);
        site(shop, id);
        site(closed, id + "-closed");
        try (ServedCluster served =
                ServedCluster.start(account(), settings(SecretAccess.BY_TYPE, shop, closed))) {
            assertThat(served.serial(id + ".example.com")).isEqualTo(Site.serial(1));
            await().untilAsserted(() ->
                    assertThat(served.findings(Reason.WATCH_FORBIDDEN))
                            .hasSize(4)
                            .allSatisfy(finding -> {
                                assertThat(finding.object().namespace()).isEqualTo(closed);
                                assertThat(finding.advice()).contains("Grant list and watch of");
                            }));
            role(closed, ROUTES + SECRETS);
            served.awaitSerial(id + "-closed.example.com", Site.serial(1));
            await().until(() -> served.findings(Reason.WATCH_FORBIDDEN).isEmpty());
        }
    }

    @Test
    void aRightThatIsTakenAwayIsNamedAndTheOtherKindsGoOn() throws Exception {
        clusterRole(CLUSTER_WIDE + SECRETS);
        String shop = namespace("shop");
        site(shop, id);
        try (ApiProxy proxy = api.proxy();
                ServedCluster served =
                        ServedCluster.start(
                                api.asThrough(id + "-gateway", "gateway", proxy.port()),
                                settings(SecretAccess.BY_TYPE))) {
            served.awaitSerial(id + ".example.com", Site.serial(1));
            clusterRole(CLUSTER_WIDE);
            awaitNoRightToSecrets();
            proxy.cut(); // a watch that is open is not asked for its rights again
            await().atMost(SECONDS)
                    .untilAsserted(() ->
                            assertThat(served.findings(Reason.WATCH_FORBIDDEN))
                                    .singleElement()
                                    .satisfies(finding ->
                                            assertThat(finding.message())
                                                    .contains("secrets of type", "403")));
            assertThat(served.serial(id + ".example.com")).isEqualTo(Site.serial(1));
            site(shop, id + "-new");
            served.awaitRoute(id + "-new.example.com");
            api.apply(Site.tlsSecret(shop, id, 2));
            clusterRole(CLUSTER_WIDE + SECRETS);
            served.awaitSerial(id + ".example.com", Site.serial(2));
            served.awaitSerial(id + "-new.example.com", Site.serial(1));
            await().until(() -> served.findings(Reason.WATCH_FORBIDDEN).isEmpty());
        }
    }

    /** The API server's authorizer hears of Roles a little later. */
    private void awaitNoRightToSecrets() throws Exception {
        try (ClusterClient gateway = ClusterClient.open(account())) {
            await().untilAsserted(() ->
                    assertThatThrownBy(
                                    () -> gateway.hastyClient().secrets().inAnyNamespace().list())
                            .hasMessageContaining("secrets is forbidden"));
        }
    }
}

package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.conformance.Monitoring.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * The chart with other values than {@link ReleaseIT}'s, on a cluster: what is granted is enough,
 * and what is promised comes true. One release for all of it, since each takes half a minute.
 */
@OnCluster(needs = Need.NODE)
final class InstallVariantsIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final String HOST = "shop.test";
    private static final String TUNED = "tuned.test";

    @TempDir private Path work;

    @Test
    void listedNamespacesNodesForeignClassesAndAStateOnDisk(
            Cluster cluster, Namespace edge, Namespace shop) throws Exception {
        Release release = Release.in(cluster, edge);
        Pki pki = Pki.in(work);
        Leaf leaf = pki.ecdsa(HOST);
        Leaf wildcard = pki.ecdsa("*.test");
        String foreign = "nginx-" + edge.name();
        cluster.kubectl()
                .apply(
                        String.format(
                                Locale.ROOT,
                                """
                                apiVersion: networking.k8s.io/v1
                                kind: IngressClass
                                metadata: {name: %s}
                                spec:
                                  controller: k8s.io/ingress-nginx
                                  parameters: {apiGroup: example.org, kind: Config, name: any}
                                """,
                                foreign));
        try {
            edge.apply(Manifests.secret("wildcard", wildcard));
            stateKey(edge);
            shop.echo("shop", 1)
                    .apply(
                            Manifests.secret("shop", leaf),
                            Manifests.ingress("shop")
                                    .spec("  ingressClassName: " + foreign + "\n")
                                    .tls("shop", HOST)
                                    .host(HOST, "shop")
                                    .yaml(),
                            Manifests.ingress("tuned")
                                    .spec("  ingressClassName: " + edge.name() + "\n")
                                    .tls("shop", TUNED)
                                    .host(TUNED, "shop")
                                    .yaml());

            release.install(
                    release.values(
                            work,
                            String.format(
                                    Locale.ROOT,
                                    """
                                    replicas: 1
                                    namespaces: [%1$s]
                                    ingressClasses: [%2$s, %3$s]
                                    secrets: {names: [{namespace: %2$s, names: [wildcard]}]}
                                    publish: {from: nodes}
                                    lastKnownGood: {enabled: true, keySecret: {name: state}}
                                    termination: {delaySeconds: 0, drainSeconds: 5}
                                    config:
                                      ingress: {controllers: [k8s.io/ingress-nginx]}
                                      kubernetes: {last-known-good: {interval: 100ms}}
                                      tls: {default-certificate: %2$s/wildcard}
                                    """,
                                    shop.name(),
                                    edge.name(),
                                    foreign)));

            try (Way way = edge.wayTo(release.name(), 443);
                    Way admin = edge.wayTo(release.name() + "-admin", 9090)) {
                soon().untilAsserted(() -> assertThatItServes(way, leaf));
                // It is in a namespace that is not listed, and its Secret is granted by its name.
                soon().untilAsserted(() ->
                        assertThat(Handshakes.serial(way.address(), "other.test"))
                                .isEqualTo(wildcard.serial()));
                soon().untilAsserted(
                                () -> assertThat(published(shop)).isEqualTo(nodeOf(cluster, edge)));
                soon().until(() ->
                        isToldOf(
                                cluster.kubectl().in("default"),
                                foreign,
                                "ClassParametersUnsupported"));
                assertThat(release.command("config")).contains("/etc/sallyport/sallyport.yaml");
                assertThatNothingIsForbidden(release, admin);
                assertThatItIsMonitored(admin, shop, leaf, wildcard);
                itsClassHasParameters(cluster, release, admin);
                if (!Cluster.isGiven()) {
                    servesFromItsFile(cluster, edge, way, admin, leaf);
                }
            }
            theAutoscalerTakesOverWithoutAGap(release);
        } finally {
            cluster.kubectl().run("delete", "ingressclass", foreign);
        }
        release.uninstallWithoutATrace();
    }

    private void stateKey(Namespace edge) throws IOException {
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        Path file = Files.write(work.resolve("state.key"), key);
        edge.kubectl().ok("create", "secret", "generic", "state", "--from-file=key=" + file);
    }

    private static void assertThatItServes(Way way, Leaf leaf) throws IOException {
        assertThat(Handshakes.serial(way.address(), HOST)).isEqualTo(leaf.serial());
        String body = RawClient.tls(way.address(), HOST).get(HOST, "/").body();
        assertThat(Echo.parse(body).backend()).startsWith("shop-");
    }

    private static String published(Namespace shop) {
        return shop.get("ingress/shop").at("/status/loadBalancer/ingress/0/ip").asString("");
    }

    /** The address of the node that the one Pod runs on. */
    private static String nodeOf(Cluster cluster, Namespace edge) {
        String node = edge.get("pods").at("/items/0/spec/nodeName").stringValue();
        JsonNode addresses = cluster.kubectl().get("node/" + node).at("/status/addresses");
        for (String type : new String[] {"ExternalIP", "InternalIP"}) {
            for (JsonNode address : addresses) {
                if (address.path("type").asString().equals(type)) {
                    return address.path("address").stringValue();
                }
            }
        }
        throw new AssertionError("a node without addresses: " + addresses);
    }

    /** Of an IngressClass, which has no namespace, in {@code default}. */
    private static boolean isToldOf(Kubectl namespace, String name, String reason) {
        return Json.items(namespace.get("events.events.k8s.io").path("items"))
                .anyMatch(event ->
                        event.at("/regarding/name").asString().equals(name)
                                && event.path("reason").asString().equals(reason));
    }

    private static void assertThatNothingIsForbidden(Release release, Way admin) {
        assertThat(release.edge().kubectl().ok("logs", "deployment/" + release.name()).lines())
                .noneMatch(line -> line.toLowerCase(Locale.ROOT).contains("forbidden"));
        assertThat(get(admin, "/api/findings")).doesNotContain("Forbidden");
    }

    /** What only a cluster gives rise to is there as alerts and dashboard ask for it. */
    private static void assertThatItIsMonitored(
            Way admin, Namespace shop, Leaf leaf, Leaf another) {
        // They ask for a Secret, too, that is not served as it is.
        shop.apply(Manifests.secret("shop", leaf.chain(), another.key()));
        soon().untilAsserted(() -> {
            Metrics page = Metrics.parse(get(admin, "/metrics"));
            assertThat(Monitoring.questions(Place.CLUSTER))
                    .isNotEmpty()
                    .allSatisfy(question -> question.assertAnsweredBy(page));
        });
        shop.apply(Manifests.secret("shop", leaf));
        soon().until(() -> !get(admin, "/api/findings").contains("KeyMismatch"));
    }

    /** They count without a rollout, and the chart grants what it takes to read them. */
    private static void itsClassHasParameters(Cluster cluster, Release release, Way admin) {
        Namespace edge = release.edge();
        Set<String> before = release.pods();
        try (Way plain = edge.wayTo(release.name(), 80)) {
            soon().until(() -> redirect(plain, TUNED) == 308);
            upgrade(release, "--set-json", "ingressClass.parameters={\"redirect.status\":307}");
            soon().until(() -> redirect(plain, TUNED) == 307);
            assertThat(redirect(plain, HOST)).isEqualTo(308); // of another class

            String name = "configmap/" + release.name() + "-class";
            edge.kubectl().ok("patch", name, "-p", "{\"data\":{\"redirect.status\":\"200\"}}");
            soon().until(() -> get(admin, "/api/findings").contains("ClassParametersInvalid"));
            assertThat(redirect(plain, TUNED)).isEqualTo(307);
            soon().until(() ->
                    isToldOf(edge.kubectl(), release.name() + "-class", "ClassParametersInvalid"));
            edge.kubectl().ok("delete", name);
            soon().untilAsserted(() ->
                    assertThat(get(admin, "/api/findings"))
                            .contains("ClassParametersMissing")
                            .doesNotContain("ClassParametersInvalid"));
            assertThat(redirect(plain, TUNED)).isEqualTo(307);
            Kubectl classes = cluster.kubectl().in("default");
            soon().until(() -> isToldOf(classes, edge.name(), "ClassParametersMissing"));
        }
        assertThat(release.pods()).isEqualTo(before);
        assertThatNothingIsForbidden(release, admin);
    }

    /** With one more value than it was installed with. */
    private static void upgrade(Release release, String flag, String value) {
        release.helm()
                .ok(
                        "upgrade",
                        release.edge().name(),
                        Helm.chart().toString(),
                        "--reset-then-reuse-values",
                        flag,
                        value);
    }

    private static int redirect(Way plain, String host) {
        return RawClient.plain(plain.address()).get(host, "/").status();
    }

    /** Its container ends while no API server answers: the kubelet starts it again without one. */
    private static void servesFromItsFile(
            Cluster cluster, Namespace edge, Way way, Way admin, Leaf leaf) {
        soon().until(() -> metric(admin, "sallyport_stored_state_writes_total") > 0);
        assertThat(metric(admin, "sallyport_stale")).isZero();
        JsonNode pod = edge.get("pods").at("/items/0/metadata");
        ProcessHandle process = processOf(pod.path("uid").stringValue());
        try {
            cluster.program("kill", "apiserver");
            process.destroyForcibly();
            soon().untilAsserted(() -> {
                assertThat(get(admin, "/readyz")).contains("ready; stale since");
                assertThatItServes(way, leaf);
            });
        } finally {
            cluster.program("start", "apiserver");
        }
        soon().until(() -> metric(admin, "sallyport_stale") == 0);
        soon().until(() ->
                edge.get("pod/" + pod.path("name").stringValue())
                                .at("/status/containerStatuses/0/restartCount")
                                .asInt()
                        == 1);
    }

    /** The gateway's process in a Pod, by the cgroup that the kubelet put it in. */
    private static ProcessHandle processOf(String pod) {
        return ProcessHandle.allProcesses()
                .filter(process ->
                        proc(process, "cgroup").contains("pod" + pod)
                                && proc(process, "cmdline").contains("/app/sallyport"))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no process of Pod " + pod));
    }

    private static String proc(ProcessHandle process, String file) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(process.pid()), file));
        } catch (IOException ended) {
            return "";
        }
    }

    /** The chart gives the number of replicas away; a running release stays as large as it is. */
    private static void theAutoscalerTakesOverWithoutAGap(Release release) {
        Namespace edge = release.edge();
        String deployment = "deployment/" + release.name();
        edge.kubectl().ok("scale", deployment, "--replicas=2");
        edge.kubectl().awaitRollout(release.name(), SOON);
        Set<String> before = release.pods();
        upgrade(release, "--set", "autoscaling.enabled=true,autoscaling.minReplicas=1");
        assertThat(edge.get("horizontalpodautoscaler/" + release.name()).isObject()).isTrue();
        assertThat(edge.get(deployment).at("/spec/replicas").asInt()).isEqualTo(2);
        assertThat(release.pods()).isEqualTo(before);
    }

    private static double metric(Way admin, String name) {
        return Metrics.parse(get(admin, "/metrics")).sum(name);
    }

    private static String get(Way admin, String path) {
        return RawClient.plain(admin.address()).get("admin", path).body();
    }

    /** A tunnel or a Pod that comes up refuses connections for a while. */
    private static ConditionFactory soon() {
        return await().atMost(SOON).ignoreExceptions();
    }
}

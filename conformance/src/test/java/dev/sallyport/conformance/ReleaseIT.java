package dev.sallyport.conformance;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * The gateway as people run it: its image, installed on a cluster by its chart. Of one release of
 * two replicas behind a Service, one after another: it serves, a Pod is deleted and a process
 * killed under load, it is upgraded, and it leaves nothing.
 */
@OnCluster
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class ReleaseIT {

    private static final System.Logger LOG = System.getLogger("conformance.figures");
    private static final Duration ROLLOUT = Duration.ofMinutes(3);
    private static final Duration GOODBYE = Duration.ofMinutes(2);

    /** Until nobody is sent to a process that was killed: the kubelet's and kube-proxy's time. */
    private static final Duration MISSED = Duration.ofSeconds(20);

    /** What a Pod may warn of: what other tests leave behind, and an API server that is slow. */
    private static final Set<String> WARNINGS =
            Set.of(
                    "Finding",
                    "Further findings are not logged",
                    "the Lease cannot be used",
                    "Events cannot be written now",
                    "statuses cannot be written now");

    private static final String HOST = "shop.test";

    @TempDir private static Path work;
    private static Pki pki;
    private static Cluster cluster;
    private static Namespace edge;
    private static Namespace shop;
    private static Helm helm;
    private static Way way;

    @BeforeAll
    static void install(Cluster shared, Namespace ofRelease, Namespace ofSite) {
        cluster = shared;
        edge = ofRelease;
        shop = ofSite;
        pki = Pki.in(work);
        Leaf leaf = pki.ecdsa(HOST);
        helm = restricted(cluster, edge);
        shop.echo("shop", 1)
                .apply(
                        Manifests.secret("shop", leaf),
                        Manifests.ingress("shop")
                                .spec("  ingressClassName: " + edge.name() + "\n")
                                .tls("shop", HOST)
                                .host(HOST, "shop")
                                .yaml());
        install(helm, edge, values(cluster, edge, ""));
        way = edge.wayTo(name(edge), 443);
        await().atMost(ROLLOUT)
                .ignoreExceptions()
                .untilAsserted(() ->
                        assertThat(Handshakes.serial(way.address(), HOST))
                                .isEqualTo(leaf.serial()));
    }

    @AfterAll
    static void close() {
        way.close();
    }

    @Test
    @Order(1)
    void aReleaseServesAndRunsAsItShould() {
        assertThat(ready(edge)).isEqualTo(2);
        assertThatItRunsAsItShould(edge);
        String body = RawClient.tls(way.address(), HOST).get(HOST, "/p").body();
        assertThat(Echo.parse(body).backend()).startsWith("shop-");

        assertThatOneReplicaWrites(edge, shop);

        assertThat(helm.ok("test", edge.name(), "--timeout", "2m"))
                .contains("Phase:          Succeeded");
    }

    /** SIGTERM, as when a node is drained. */
    @Test
    @Order(2)
    void aPodThatIsDeletedUnderLoadFailsNoRequest() throws Exception {
        try (Visitors visitors = visitors()) {
            JsonNode pod = gateways().getFirst();
            long start = System.nanoTime();
            edge.kubectl().ok("delete", "pod", name(pod), "--wait=false");
            await().atMost(GOODBYE).until(() -> !pods(edge).contains(uid(pod)));
            long gone = System.nanoTime() - start;
            await().atMost(ROLLOUT).until(() -> ready(edge) == 2);
            assertNothingFailed(visitors, "one of two Pods deleted, gone " + Times.seconds(gone));
        }
    }

    /**
     * SIGKILL, as when the kernel is out of memory. The connections of the process break, and until
     * every node knows of it some new ones are refused. Nothing else happens: what clients may ask
     * again is answered, and whoever comes after is not refused.
     */
    @Test
    @Order(3)
    @OnCluster(needs = Need.NODE)
    void aProcessThatIsKilledUnderLoadFailsNobodyWhoAsksAgain() throws Exception {
        try (Api api = edge.api(work);
                Visitors visitors =
                        Visitors.persistent(way.address(), HOST, pki::clientContext, MISSED)) {
            visitors.awaitMore(200);
            assertThat(visitors.losses()).isEmpty();
            JsonNode pod = gateways().getFirst();

            long killed = System.nanoTime();
            assertThat(cluster.processOf(pod).destroyForcibly()).isTrue();
            soon("no endpoint").until(() -> !isEndpoint(api, pod));
            long told = System.nanoTime();
            soon("an endpoint again").until(() -> isEndpoint(api, pod));
            long back = System.nanoTime();
            visitors.awaitMore(500);

            assertThat(visitors.failures()).isEmpty();
            List<Visitors.Loss> losses = visitors.losses();
            List<Visitors.Loss> broken = losses.stream().filter(each -> !each.refused()).toList();
            long last = losses.stream().mapToLong(Visitors.Loss::nanos).max().orElse(killed);
            long refused = losses.stream().filter(Visitors.Loss::refused).count();
            LOG.log(
                    System.Logger.Level.INFO,
                    "one of two processes killed: {0} of {1} connections broke, {2} were refused, the last {3}"
                            + " after; {4} requests were tried once more, {5} more often, each was answered"
                            + " within {6} (curl waits for a second); not an endpoint after {7}, again after {8}; {9} other answers, 0"
                            + " failed",
                    broken.size(),
                    visitors.count(),
                    refused,
                    Times.seconds(last - killed),
                    losses.stream().filter(each -> !each.again()).count(),
                    losses.stream().filter(Visitors.Loss::again).count(),
                    Times.millis(visitors.longest()),
                    Times.seconds(told - killed),
                    Times.seconds(back - killed),
                    visitors.answers());
            // One of each at most; the kernel may take some more for a process while it ends, and
            // then there were fewer before.
            assertThat(broken).hasSizeLessThanOrEqualTo(visitors.count());
            assertThat(back - last).as("none once it is an endpoint again").isPositive();
            assertThat(Duration.ofNanos(last - killed)).isLessThan(MISSED);
            JsonNode again = edge.get("pod/" + name(pod));
            assertThat(again.at("/status/containerStatuses/0/restartCount").asInt()).isEqualTo(1);
            assertThat(
                            again.at("/status/containerStatuses/0/lastState/terminated/exitCode")
                                    .asInt())
                    .isEqualTo(128 + 9);
        }
    }

    @Test
    @Order(4)
    void anUpgradeUnderLoadFailsNoRequest() throws Exception {
        Set<String> before = pods(edge);
        Path values = values(cluster, edge, "config: {log: {level: debug}}\n");
        try (Visitors visitors = visitors()) {
            long start = System.nanoTime();
            helm.ok(
                    "upgrade",
                    edge.name(),
                    Helm.chart().toString(),
                    "--values",
                    values.toString(),
                    "--wait",
                    "--timeout",
                    "4m");
            // Until the last of the old ones has said good-bye.
            await().atMost(GOODBYE).until(() -> pods(edge).stream().noneMatch(before::contains));
            long over = System.nanoTime() - start;
            assertNothingFailed(visitors, "rolling upgrade of two Pods, " + Times.seconds(over));
        }
        assertThat(ready(edge)).isEqualTo(2);
    }

    @Test
    @Order(5)
    void aReleaseThatIsUninstalledLeavesNothing() {
        uninstallWithoutATrace(edge);
    }

    /** Load that retries nothing, where it can go to either replica. */
    private static Visitors visitors() {
        assumeTrue(
                way.isStraight(),
                "needs a route from this machine to Services: through a tunnel to one Pod, requests of a Pod"
                        + " that ends have nowhere to go; see conformance/README.md");
        Visitors visitors = Visitors.of(way.address(), HOST, pki::clientContext);
        visitors.awaitMore(100);
        return visitors;
    }

    private static void assertNothingFailed(Visitors visitors, String when) {
        visitors.awaitMore(100);
        assertThat(visitors.failures()).as(when).isEmpty();
        assertThat(visitors.answers()).as(when).isGreaterThan(300);
        LOG.log(
                System.Logger.Level.INFO,
                "{0}: {1} answers to {2} clients, the longest after {3}; 0 failed",
                when,
                visitors.answers(),
                visitors.count(),
                Times.millis(visitors.longest()));
    }

    private static boolean isEndpoint(Api api, JsonNode pod) {
        return api.list(Api.Kind.ENDPOINT_SLICE, "kubernetes.io/service-name=" + name(edge))
                .flatMap(slice -> Json.items(slice.path("endpoints")))
                .filter(each -> each.at("/targetRef/name").asString("").equals(name(pod)))
                .anyMatch(each -> each.at("/conditions/ready").asBoolean());
    }

    private static ConditionFactory soon(String what) {
        return await(what).atMost(ROLLOUT).pollInterval(Duration.ofMillis(20));
    }

    private static void assertThatItRunsAsItShould(Namespace edge) {
        String pod = "deployment/" + name(edge);
        String certificates = edge.kubectl().ok("exec", pod, "--", "sallyport", "certs");
        assertThat(certificates).contains("(default)");
        Ran shell = edge.kubectl().run("exec", pod, "--", "sh", "-c", "true");
        assertThat(shell.exit()).isNotZero();
        assertThat(shell.err()).contains("executable file not found");
        // In this mode a cache that does not fit ends the JVM.
        assertThat(
                        edge.kubectl()
                                .ok(
                                        "exec",
                                        pod,
                                        "--",
                                        "java",
                                        "@/app/jvm.options",
                                        "-XX:AOTMode=on",
                                        "-jar",
                                        "/app/sallyport",
                                        "version"))
                .startsWith("sallyport ");
        assertThat(edge.kubectl().ok("logs", pod).lines())
                .noneMatch(line -> line.contains("\"level\":\"ERROR\""))
                .filteredOn(line -> line.contains("\"level\":\"WARN\""))
                .allMatch(line ->
                        WARNINGS.stream()
                                .anyMatch(each -> line.contains("\"message\":\"" + each + '"')));
    }

    /** Its rights are enough for the Lease and for the status of Ingresses. */
    private static void assertThatOneReplicaWrites(Namespace edge, Namespace shop) {
        await().atMost(ROLLOUT)
                .untilAsserted(() -> {
                    assertThat(
                                    edge.get("lease/" + name(edge))
                                            .path("spec")
                                            .path("holderIdentity")
                                            .asString())
                            .isNotEmpty();
                    assertThat(
                                    shop.get("ingress/shop")
                                            .path("status")
                                            .path("loadBalancer")
                                            .path("ingress")
                                            .path(0)
                                            .path("ip")
                                            .asString())
                            .isEqualTo(
                                    edge.get("service/" + name(edge))
                                            .path("spec")
                                            .path("clusterIP")
                                            .asString());
                });
    }

    /** The rights of one host's Secret are all it has, and all it needs. */
    @Test
    @Order(6)
    void rightsByNameAreEnough(Namespace edge, Namespace shop) throws IOException {
        Helm helm = restricted(cluster, edge);
        Leaf named = pki.ecdsa("shop.test");
        Path values =
                values(
                        cluster,
                        edge,
                        String.format(
                                Locale.ROOT,
                                """
                                replicas: 1
                                namespaces: [%1$s]
                                secrets: {access: by-name, names: [{namespace: %1$s, names: [named]}]}
                                rbac: {ingressClasses: false}
                                termination: {delaySeconds: 0, drainSeconds: 5}
                                """,
                                shop.name()));
        shop.echo("shop", 1)
                .apply(
                        Manifests.secret("named", named),
                        Manifests.secret("unnamed", pki.ecdsa("other.test")),
                        Manifests.ingress("shop")
                                .spec("  ingressClassName: " + edge.name() + "\n")
                                .tls("named", "shop.test")
                                .tls("unnamed", "other.test")
                                .host("shop.test", "shop")
                                .host("other.test", "shop")
                                .yaml());

        install(helm, edge, values);

        try (Way way = edge.wayTo(name(edge), 443)) {
            await().atMost(ROLLOUT)
                    .ignoreExceptions()
                    .untilAsserted(() ->
                            assertThat(Handshakes.serial(way.address(), "shop.test"))
                                    .isEqualTo(named.certificate().getSerialNumber()));
            assertThat(
                            Handshakes.leaf(way.address(), "other.test")
                                    .getSubjectX500Principal()
                                    .getName())
                    .contains("Sallyport self-signed");
        }
        String account = "--as=system:serviceaccount:" + edge.name() + ":" + name(edge);
        assertThat(may(shop, "list", "secrets", account)).isFalse();
        assertThat(may(shop, "get", "secret/unnamed", account)).isFalse();
        assertThat(may(shop, "get", "secret/named", account)).isTrue();
        assertThat(may(shop, "list", "ingresses", account)).isTrue();
        assertThat(may(edge, "list", "ingresses", account)).isFalse();
        assertThat(may(edge, "list", "secrets", account)).isFalse();
        uninstallWithoutATrace(edge);
    }

    /** What the release, which is called like its namespace, calls its objects. */
    private static String name(Namespace edge) {
        return edge.name() + "-sallyport";
    }

    /** A namespace that takes Pods of the standard "restricted" only. */
    private static Helm restricted(Cluster cluster, Namespace edge) {
        Image.loaded(cluster);
        cluster.kubectl()
                .ok(
                        "label",
                        "namespace",
                        edge.name(),
                        "pod-security.kubernetes.io/enforce=restricted");
        return Helm.in(edge);
    }

    private static Path values(Cluster cluster, Namespace edge, String more) {
        String reference = Image.loaded(cluster).reference();
        int colon = reference.lastIndexOf(':');
        return Helm.values(
                work,
                String.format(
                                Locale.ROOT,
                                """
                                image: {repository: %s, tag: %s}
                                ingressClass: {name: %3$s}
                                ingressClasses: [%3$s]
                                service: {type: NodePort}
                                """,
                                reference.substring(0, colon),
                                reference.substring(colon + 1),
                                edge.name())
                        + more);
    }

    private static void install(Helm helm, Namespace edge, Path values) {
        Ran ran =
                helm.run(
                        "install",
                        edge.name(),
                        Helm.chart().toString(),
                        "--values",
                        values.toString(),
                        "--wait",
                        "--timeout",
                        ROLLOUT.toSeconds() + "s");
        if (ran.exit() != 0) {
            throw new AssertionError(
                    ran.all()
                            + edge.kubectl().run("describe", "pods").out()
                            + edge.kubectl().run("logs", "deployment/" + name(edge)).all());
        }
    }

    private static int ready(Namespace edge) {
        return edge.get("deployment/" + name(edge)).path("status").path("readyReplicas").asInt();
    }

    private static Set<String> pods(Namespace edge) {
        return Json.items(edge.get("pods").path("items")).map(ReleaseIT::uid).collect(toSet());
    }

    /** The Pods of the release, as they are. */
    private static List<JsonNode> gateways() {
        return Json.items(edge.get("pods").path("items"))
                .filter(each ->
                        each.at("/metadata/labels/app.kubernetes.io~1component")
                                .asString("")
                                .equals("gateway"))
                .toList();
    }

    private static String uid(JsonNode object) {
        return object.path("metadata").path("uid").stringValue();
    }

    private static String name(JsonNode object) {
        return object.path("metadata").path("name").stringValue();
    }

    private static boolean may(Namespace in, String verb, String object, String account) {
        Ran ran = in.kubectl().run("auth", "can-i", verb, object, account);
        assertThat(ran.out().strip()).as(ran.all()).isIn("yes", "no");
        return ran.out().strip().equals("yes");
    }

    /** No Pod of anybody's is left either. */
    private static void uninstallWithoutATrace(Namespace edge) {
        new Release(cluster, edge).uninstallWithoutATrace();
        await().atMost(GOODBYE).until(() -> pods(edge).isEmpty());
    }
}

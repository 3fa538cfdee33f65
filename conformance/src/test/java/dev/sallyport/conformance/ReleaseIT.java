package dev.sallyport.conformance;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The gateway as people run it: its image, installed on a cluster by its chart. */
@OnCluster
final class ReleaseIT {

    private static final Duration ROLLOUT = Duration.ofMinutes(3);
    private static final Duration GOODBYE = Duration.ofMinutes(2);

    @TempDir private Path work;

    @Test
    void aReleaseServesIsUpgradedUnderLoadAndLeavesNothing(
            Cluster cluster, Namespace edge, Namespace shop) throws Exception {
        Helm helm = restricted(cluster, edge);
        Pki pki = Pki.in(work);
        Leaf leaf = pki.ecdsa("shop.test");
        Path values = values(cluster, edge, "");
        shop.echo("shop", 1)
                .apply(
                        Manifests.secret("shop", leaf),
                        Manifests.ingress("shop")
                                .spec("  ingressClassName: " + edge.name() + "\n")
                                .tls("shop", "shop.test")
                                .host("shop.test", "shop")
                                .yaml());

        install(helm, edge, values);

        assertThat(ready(edge)).isEqualTo(2);
        assertThatItRunsAsItShould(edge);
        try (Way way = edge.wayTo(name(edge), 443)) {
            await().atMost(ROLLOUT)
                    .ignoreExceptions()
                    .untilAsserted(() ->
                            assertThat(Handshakes.serial(way.address(), "shop.test"))
                                    .isEqualTo(leaf.certificate().getSerialNumber()));
            String body = RawClient.tls(way.address(), "shop.test").get("shop.test", "/p").body();
            assertThat(Echo.parse(body).backend()).startsWith("shop-");

            assertThatOneReplicaWrites(edge, shop);

            assertThat(helm.ok("test", edge.name(), "--timeout", "2m"))
                    .contains("Phase:          Succeeded");

            // Through a tunnel, requests of a Pod that ends have nowhere to go.
            if (!Cluster.isGiven()) {
                upgradeUnderLoad(
                        helm, edge, way, values(cluster, edge, "config: {log: {level: debug}}\n"));
            }
        }

        helm.ok("uninstall", edge.name(), "--wait");
        assertThatNothingIsLeft(cluster, edge);
    }

    private void upgradeUnderLoad(Helm helm, Namespace edge, Way way, Path values) {
        Set<String> before = pods(edge);
        try (Visitors visitors = Visitors.of(way.address(), "shop.test")) {
            visitors.awaitMore(50);
            long earlier = visitors.answers();

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
            visitors.awaitMore(50);

            assertThat(visitors.failures()).isEmpty();
            assertThat(visitors.answers()).isGreaterThan(earlier + 200);
        }
        assertThat(ready(edge)).isEqualTo(2);
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
        // Findings may be about what other tests leave behind.
        assertThat(edge.kubectl().ok("logs", pod).lines())
                .noneMatch(line -> line.contains("\"level\":\"ERROR\""))
                .filteredOn(line -> line.contains("\"level\":\"WARN\""))
                .allMatch(line -> line.contains("\"message\":\"Finding\""));
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
    void rightsByNameAreEnough(Cluster cluster, Namespace edge, Namespace shop) throws Exception {
        Helm helm = restricted(cluster, edge);
        Pki pki = Pki.in(work);
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
        helm.ok("uninstall", edge.name(), "--wait");
        assertThatNothingIsLeft(cluster, edge);
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

    private Path values(Cluster cluster, Namespace edge, String more) {
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
        return Json.items(edge.get("pods").path("items"))
                .map(pod -> pod.path("metadata").path("uid").stringValue())
                .collect(toSet());
    }

    private static boolean may(Namespace in, String verb, String object, String account) {
        Ran ran = in.kubectl().run("auth", "can-i", verb, object, account);
        assertThat(ran.out().strip()).as(ran.all()).isIn("yes", "no");
        return ran.out().strip().equals("yes");
    }

    /** Of no kind that the API server can list, in no namespace. */
    private static void assertThatNothingIsLeft(Cluster cluster, Namespace edge) {
        await().atMost(GOODBYE).until(() -> pods(edge).isEmpty());
        String kinds =
                cluster.kubectl()
                        .ok("api-resources", "--verbs=list", "--output=name")
                        .lines()
                        .filter(kind -> !kind.equals("componentstatuses"))
                        .collect(joining(","));
        String left =
                cluster.kubectl()
                        .ok(
                                "get",
                                kinds,
                                "--all-namespaces",
                                "--selector=app.kubernetes.io/instance=" + edge.name(),
                                "--output=name");
        assertThat(left).isEmpty();
        assertThat(edge.kubectl().ok("get", "secrets", "--selector=owner=helm")).isEmpty();
    }
}

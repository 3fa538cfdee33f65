package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The flags of {@code run} that say what of a cluster is served. */
@OnCluster(needs = Need.PODS)
final class ClusterCommandLineIT {

    @TempDir private static Path work;
    private static Pki pki;

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
    }

    /** An Ingress of a class, for a host of its namespace. */
    private static String site(Namespace namespace, String name, String ingressClass) {
        namespace.apply(
                ingress(name)
                        .spec("  ingressClassName: " + ingressClass + "\n")
                        .host(host(namespace, name), "echo")
                        .yaml());
        return host(namespace, name);
    }

    private static String host(Namespace namespace, String name) {
        return name + "." + namespace.name() + ".test";
    }

    private static int status(Gateway gateway, String host) {
        return RawClient.plain(gateway.httpAddress()).get(host, "/").status();
    }

    private static boolean isRouted(Gateway gateway, String host) {
        return Json.items(gateway.api("routes"))
                .anyMatch(route -> route.path("host").asString().equals(host));
    }

    @Test
    @OnCluster(needs = Need.ALONE)
    void whatNobodyNamesIsTheWholeClustersAndTheClassSallyport(
            Cluster cluster, Namespace namespace, @TempDir Path run) {
        namespace.echo("echo", 1);
        String ours = site(namespace, "ours", "sallyport");
        String others = site(namespace, "others", "another");
        try (Gateway gateway = Gateway.on(cluster, run, pki, cluster.kubeconfig()).start()) {
            gateway.awaitStatus(ours, "/", 200);
            assertThat(status(gateway, others)).isEqualTo(404);
        }
    }

    /** With every right, and a Lease that goes with its namespace. */
    private static Gateway.Starter gateway(Cluster cluster, Path run, Namespace lease) {
        return Gateway.on(cluster, run, pki, cluster.kubeconfig())
                .config("kubernetes: {lease-namespace: " + lease.name() + "}\n");
    }

    @Test
    void onlyTheClassesThatAreNamedAreServed(
            Cluster cluster, Namespace namespace, @TempDir Path run) {
        namespace.echo("echo", 1);
        String one = site(namespace, "one", namespace.name() + "-one");
        String two = site(namespace, "two", namespace.name() + "-two");
        String three = site(namespace, "three", "sallyport");
        try (Gateway gateway =
                gateway(cluster, run, namespace)
                        .flags("--ingress-class", namespace.name() + "-one")
                        .flags("--ingress-class", namespace.name() + "-two")
                        .start()) {
            gateway.awaitStatus(one, "/", 200);
            gateway.awaitStatus(two, "/", 200);
            assertThat(isRouted(gateway, three)).isFalse();
        }
    }

    @Test
    void onlyTheNamespacesThatAreNamedAreWatched(
            Cluster cluster, Namespace one, Namespace two, Namespace three, @TempDir Path run) {
        String ingressClass = one.name();
        one.echo("echo", 1);
        two.echo("echo", 1);
        String inOne = site(one, "shop", ingressClass);
        String inTwo = site(two, "shop", ingressClass);
        String inThree = site(three, "shop", ingressClass);
        try (Gateway gateway =
                gateway(cluster, run, one)
                        .flags("--ingress-class", ingressClass)
                        .flags("--watch-namespace", one.name())
                        .flags("--watch-namespace", two.name())
                        .flags("--watch-namespace", "no-such-namespace")
                        .start()) {
            gateway.awaitStatus(inOne, "/", 200);
            gateway.awaitStatus(inTwo, "/", 200);
            assertThat(isRouted(gateway, inThree)).isFalse();
            gateway.awaitFinding("NamespaceMissing", "no-such-namespace");
        }
    }
}

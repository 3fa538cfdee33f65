package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two gateways of one installation, one of which leads. Whatever becomes of it, the other serves on
 * as if nothing had been, and writes what the first one no longer does.
 */
@OnCluster(needs = Need.PODS)
final class ReplicasIT {

    private static final System.Logger LOG = System.getLogger("conformance.figures");
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String LEADER = "sallyport_leader";
    private static final String PUBLISHED = "192.0.2.80";

    private static final AtomicInteger NUMBER = new AtomicInteger();

    @TempDir private static Path work;
    private static Cluster cluster;
    private static Pki pki;
    private static Namespace namespace;
    private static GatewayAccount account;
    private static Api api;
    private static String host;
    private static Leaf leaf;

    @BeforeAll
    static void start(Cluster shared, Namespace own) {
        cluster = shared;
        namespace = own;
        pki = Pki.in(work);
        account = GatewayAccount.in(namespace, work);
        api = namespace.api(work);
        host = "shop." + namespace.name() + ".test";
        leaf = pki.ecdsa(host);
        namespace
                .echo("echo", 2)
                .apply(
                        Manifests.secret("shop", leaf),
                        account.classed(ingress("shop"))
                                .tls("shop", host)
                                .host(host, "echo")
                                .yaml());
    }

    @AfterAll
    static void stop() {
        account.close();
        api.close();
    }

    @Test
    void theOtherServesOnAndLeadsWhenTheLeaderIsKilled() throws Exception {
        Gateway leader = awaitLeading(replica());
        try (Gateway other = replica();
                Load load = Load.https(address(other), host, pki::clientContext)) {
            assertThat(other.metrics().sum(LEADER)).isZero();
            awaitPublished("shop");

            leader.kill();
            long start = System.nanoTime();
            String next = "after-" + NUMBER.incrementAndGet();
            namespace.apply(
                    account.classed(ingress(next))
                            .tls("nowhere", host(next))
                            .host(host(next), "echo")
                            .yaml());
            other.awaitStatus(host(next), "/", 308);
            Duration routed = Duration.ofNanos(System.nanoTime() - start);
            awaitPublished(next);
            long published = System.nanoTime() - start;
            awaitEvent(next, "SecretMissing");
            assertThat(other.metrics().sum(LEADER)).isEqualTo(1);
            LOG.log(
                    System.Logger.Level.INFO,
                    "leader killed: the other routed a new Ingress after {0}, and wrote its status after {1}; {2}",
                    Times.millis(routed),
                    Times.seconds(published),
                    load.assertNothingFailed(10));
        } finally {
            leader.process().destroyForcibly();
        }
    }

    @Test
    void theOtherLeadsAtOnceWhenTheLeaderIsToldToStop() throws Exception {
        Gateway leader = awaitLeading(replica());
        try (Gateway other = replica();
                Load load = Load.https(address(other), host, pki::clientContext)) {
            leader.close();
            long start = System.nanoTime();
            awaitLeading(other);
            long led = System.nanoTime() - start;
            LOG.log(
                    System.Logger.Level.INFO,
                    "leader told to stop: the other led {0} after its end; {1}",
                    Times.seconds(led),
                    load.assertNothingFailed(10));
            assertThat(Duration.ofNanos(led)).isLessThan(Duration.ofSeconds(10));
        } finally {
            leader.process().destroyForcibly();
        }
    }

    private static Gateway replica() throws Exception {
        Path own = Files.createDirectory(work.resolve("replica-" + NUMBER.incrementAndGet()));
        Gateway gateway =
                account.gateway(cluster, own, pki)
                        .config(Load.ENDLESS)
                        .flags("--publish-address", PUBLISHED)
                        .start();
        gateway.awaitServed(host, leaf);
        return gateway;
    }

    private static Gateway awaitLeading(Gateway gateway) {
        soon("leading").until(() -> gateway.metrics().sum(LEADER) == 1);
        return gateway;
    }

    private static void awaitPublished(String name) {
        soon("the status of " + name)
                .until(() ->
                        api.get(Api.Kind.INGRESS, name)
                                .at("/status/loadBalancer/ingress/0/ip")
                                .asString("")
                                .equals(PUBLISHED));
    }

    private static void awaitEvent(String ingress, String reason) {
        soon("an Event about " + ingress).until(() -> namespace.hasEvent(ingress, reason));
    }

    private static ConditionFactory soon(String what) {
        return await(what).atMost(SOON).pollInterval(Duration.ofMillis(50));
    }

    private static String host(String name) {
        return name + "." + namespace.name() + ".test";
    }

    private static InetSocketAddress address(Gateway gateway) {
        return gateway.httpsAddress();
    }
}

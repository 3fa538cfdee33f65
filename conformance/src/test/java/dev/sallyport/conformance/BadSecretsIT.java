package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Secrets that go bad in every way that the API server lets through, among many that are good. Each
 * bad one keeps what it last had in service and is told of; nobody else notices.
 */
@OnCluster(needs = Need.PODS)
final class BadSecretsIT {

    private static final System.Logger LOG = System.getLogger("conformance.figures");
    private static final int GOOD = Integer.getInteger("conformance.secrets", 1000);
    private static final int WATCHED = 3;

    /** What fits into an object of the API server, by far. */
    private static final int HUGE = 700 * 1024;

    @TempDir private static Path work;
    private static Pki pki;
    private static Namespace namespace;
    private static GatewayAccount account;
    private static Api api;
    private static Gateway gateway;
    private static List<Host> good;

    /** A host with a Secret and an Ingress of its own. */
    private record Host(String name, String host, Leaf leaf) {}

    /** A Secret that has gone bad, and the finding that tells of it. */
    private record Bad(String reason, String secret) {
        /** The same by another name. */
        Bad named(String before, String now) {
            return new Bad(
                    reason,
                    secret.replace("\n  name: " + before + "\n", "\n  name: " + now + "\n"));
        }
    }

    @BeforeAll
    static void start(Cluster cluster, Namespace own) {
        namespace = own;
        pki = Pki.in(work);
        account = GatewayAccount.in(namespace, work);
        api = namespace.api(work);
        namespace.echo("echo", 1);
        good = IntStream.range(0, GOOD).mapToObj(i -> host("good-" + i)).toList();
        long start = System.nanoTime();
        api.each(good, BadSecretsIT::create);
        LOG.log(
                System.Logger.Level.INFO,
                "{0} Secrets and Ingresses created in {1}",
                GOOD,
                Times.seconds(System.nanoTime() - start));
        gateway = account.gateway(cluster, work, pki).config(Load.ENDLESS).start();
        good.subList(0, WATCHED).forEach(each -> gateway.awaitServed(each.host(), each.leaf()));
    }

    @AfterAll
    static void stop() {
        try {
            gateway.close();
        } finally {
            account.close();
            api.close();
        }
    }

    @Test
    void badSecretsHarmNobody() throws Exception {
        Map<Host, Bad> hosts = new LinkedHashMap<>();
        for (var each : badOnes().entrySet()) {
            hosts.put(host(each.getKey()), each.getValue());
        }
        api.each(hosts.keySet(), BadSecretsIT::create);
        for (Host each : hosts.keySet()) {
            gateway.awaitServed(each.host(), each.leaf());
            assertThat(RawClient.tls(address(), each.host()).get(each.host(), "/").status())
                    .isEqualTo(200);
        }
        Host first = good.getFirst();
        try (Load load = Load.https(address(), first.host(), pki::clientContext)) {
            good.subList(1, WATCHED)
                    .forEach(each ->
                            load.newConnections(address(), each.host(), pki::clientContext));
            var turns = new AtomicInteger();
            load.run("all hosts in turn", () -> showsItsOwn(turns.getAndIncrement()));
            hosts.forEach((host, bad) -> api.apply(Api.Kind.SECRET, host.name(), bad.secret()));
            hosts.forEach((host, bad) -> gateway.awaitFinding(bad.reason(), named(host)));
            assertAllServed(address(), new ArrayList<>(hosts.keySet()));
            assertAllServed(address(), good);

            // Each is mended by itself.
            for (Host each : hosts.keySet().stream().map(each -> host(each.name())).toList()) {
                api.apply(Api.Kind.SECRET, each.name(), Manifests.secret(each.name(), each.leaf()));
                gateway.awaitServed(each.host(), each.leaf());
                gateway.awaitNoFinding(named(each));
            }
            int mended = turns.get();
            await("once more each good host")
                    .atMost(Duration.ofMinutes(2))
                    .until(() -> turns.get() > mended + GOOD);
            LOG.log(
                    System.Logger.Level.INFO,
                    "beside {0} bad Secrets among {1} good ones: {2}",
                    hosts.size(),
                    GOOD,
                    load.assertNothingFailed(20));
        }
    }

    /** There is no last good certificate then: the default one stands in. */
    @Test
    void aStartAmongBadSecretsServesTheGoodOnesAndTellsOfTheOthers(
            Cluster cluster, @TempDir Path own) throws Exception {
        Map<Host, Bad> hosts = new LinkedHashMap<>();
        for (var each : badOnes().entrySet()) {
            Host host = host("start-" + each.getKey());
            hosts.put(host, each.getValue().named(each.getKey(), host.name()));
        }
        hosts.forEach((host, bad) -> api.apply(Api.Kind.SECRET, host.name(), bad.secret()));
        api.each(hosts.keySet(), each -> api.apply(Api.Kind.INGRESS, each.name(), site(each)));
        try (Gateway started = account.gateway(cluster, own, pki).start()) {
            hosts.forEach((host, bad) -> started.awaitFinding(bad.reason(), named(host)));
            assertAllServed(started.httpsAddress(), good);
            BigInteger standIn = Handshakes.serial(started.httpsAddress(), "nobody.test");
            for (Host each : hosts.keySet()) {
                assertThat(Handshakes.serial(started.httpsAddress(), each.host()))
                        .as(each.host())
                        .isEqualTo(standIn);
                assertThat(
                                RawClient.tls(started.httpsAddress(), each.host())
                                        .get(each.host(), "/")
                                        .status())
                        .isEqualTo(200);
            }
        }
    }

    /** By the names of their hosts. */
    private static Map<String, Bad> badOnes() {
        Map<String, Bad> all = new LinkedHashMap<>();
        Leaf leaf = pki.ecdsa("any.test");
        bad(all, "mismatched", "KeyMismatch", leaf.chain(), pki.ecdsa("any.test").key());
        bad(all, "empty", "SecretIncomplete", "", "");
        bad(all, "keyless", "SecretIncomplete", leaf.chain(), "");
        bad(all, "swapped", "CertificateUnreadable", leaf.key(), leaf.chain());
        bad(all, "cut", "CertificateUnreadable", half(leaf.chain()), leaf.key());
        bad(all, "cut-key", "KeyUnreadable", leaf.chain(), half(leaf.key()));
        bad(all, "noise", "CertificateUnreadable", "\u00ff\u00d0~".repeat(1000), leaf.key());
        bad(
                all,
                "huge",
                "SecretTooLarge",
                leaf.chain().repeat(HUGE / leaf.chain().length()),
                leaf.key());
        bad(all, "huge-noise", "SecretTooLarge", "x".repeat(HUGE), "y".repeat(HUGE / 8));
        bad(
                all,
                "weak",
                "KeyTooWeak",
                pki.issue(wanted -> wanted.withKey(Pki.rsaKey(1024)), "any.test"));
        return all;
    }

    private static void bad(Map<String, Bad> all, String name, String reason, Leaf leaf) {
        bad(all, name, reason, leaf.chain(), leaf.key());
    }

    private static void bad(
            Map<String, Bad> all, String name, String reason, String chain, String key) {
        all.put(name, new Bad(reason, Manifests.secret(name, chain, key)));
    }

    private static String half(String text) {
        return text.substring(0, text.length() / 3);
    }

    /** How the admin API names its Secret. */
    private static String named(Host host) {
        return "\"name\":\"" + host.name() + '"';
    }

    private static Host host(String name) {
        String host = String.format(Locale.ROOT, "%s.%s.test", name, namespace.name());
        return new Host(name, host, pki.ecdsa(host));
    }

    private static void create(Host each) {
        api.apply(Api.Kind.SECRET, each.name(), Manifests.secret(each.name(), each.leaf()));
        api.apply(Api.Kind.INGRESS, each.name(), site(each));
    }

    private static String site(Host each) {
        return account.classed(ingress(each.name()))
                .tls(each.name(), each.host())
                .host(each.host(), "echo")
                .yaml();
    }

    private static @Nullable Void showsItsOwn(int turn) throws IOException {
        Host host = good.get(turn % GOOD);
        assertThat(Handshakes.serial(address(), host.host()))
                .as(host.host())
                .isEqualTo(host.leaf().serial());
        return null;
    }

    private static void assertAllServed(InetSocketAddress address, List<Host> hosts) {
        Queue<String> others = new ConcurrentLinkedQueue<>();
        api.each(
                hosts,
                each -> {
                    try {
                        if (!Handshakes.serial(address, each.host()).equals(each.leaf().serial())) {
                            others.add(each.host());
                        }
                    } catch (IOException e) {
                        others.add(each.host() + ": " + e);
                    }
                });
        assertThat(others).as("hosts with another certificate than their own").isEmpty();
    }

    private static InetSocketAddress address() {
        return gateway.httpsAddress();
    }
}

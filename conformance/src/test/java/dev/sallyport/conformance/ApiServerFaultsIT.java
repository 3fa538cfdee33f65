package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An API server that is killed, that stands still, that is not there at the start, and that packets
 * no longer reach. What is served stays served, and what changed meanwhile is served soon after.
 */
@OnCluster(needs = Need.NODE)
final class ApiServerFaultsIT {

    private static final System.Logger LOG = System.getLogger("conformance.figures");
    private static final int OUTAGE_SECONDS = Integer.getInteger("conformance.outage.seconds", 30);
    private static final Duration SOON = Duration.ofSeconds(60);

    /**
     * How long a watch that packets no longer reach may go unnoticed, until it is open again: some
     * 10 seconds, and as much for a machine that is busy.
     */
    private static final Duration HEALED = Duration.ofSeconds(30);

    /** How long kubelets and controllers may take until they notice that it is back. */
    private static final Duration NOTICED = Duration.ofMinutes(3);

    private static final String NAME = "shop";
    private static final String AGE = "sallyport_source_age_seconds";
    private static final String CHAIN = "SALLYPORT-HOLE";
    private static final Pattern LOCAL_PORT =
            Pattern.compile("\\S+:(\\d+)\\s+\\S+:6443\\b.*pid=(\\d+),");

    @TempDir private static Path work;
    private static Cluster cluster;
    private static Pki pki;
    private static Namespace namespace;
    private static GatewayAccount account;
    private static Api api;
    private static Gateway gateway;
    private static String host;

    @BeforeAll
    static void start(Cluster shared, Namespace own) {
        cluster = shared;
        namespace = own;
        pki = Pki.in(work);
        account = GatewayAccount.in(namespace, work);
        api = namespace.api(work);
        host = "shop." + namespace.name() + ".test";
        namespace.echo("echo", 2);
        Leaf leaf = rotate();
        namespace.apply(account.classed(ingress(NAME)).tls(NAME, host).host(host, "echo").yaml());
        gateway = account.gateway(cluster, work, pki).config(Load.ENDLESS).start();
        gateway.awaitServed(host, leaf);
        gateway.awaitStatus(host, "/", 308);
    }

    /** Whatever a test came to, the next one has a whole cluster. */
    @AfterEach
    void mend() {
        cluster.program("continue", "apiserver");
        cluster.program("start", "apiserver");
        // It ends when it cannot renew its lease.
        cluster.program("start", "cert-manager");
        Kubectl kubectl = namespace.kubectl();
        await().atMost(NOTICED)
                .ignoreExceptions()
                .untilAsserted(() ->
                        kubectl.ok(
                                "wait", "pods", "--all", "--for=condition=Ready", "--timeout=9s"));
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
    void nothingFailsWhileTheApiServerIsAway() throws Exception {
        try (Load load = Load.https(address(), host, pki::clientContext)) {
            cluster.program("kill", "apiserver");
            awaitAgeOf(OUTAGE_SECONDS);
            gateway.awaitFinding("ApiServerUnreachable");
            cluster.program("start", "apiserver");
            assertChangesAreSeen("API server back after " + OUTAGE_SECONDS + " s", load);
        }
    }

    /**
     * Its connections stay, and nothing comes over them. No kubelet could renew its lease either:
     * what serves may be taken for dead until that is heard again.
     */
    @Test
    void nothingFailsWhileTheApiServerStandsStill() throws Exception {
        try (Load load = Load.https(address(), host, pki::clientContext)) {
            cluster.program("pause", "apiserver");
            awaitAgeOf(20);
            gateway.awaitFinding("ApiServerUnreachable");
            cluster.program("continue", "apiserver");
            await().atMost(NOTICED)
                    .until(() -> {
                        markPodsNotReady();
                        return isInDoubt();
                    });
            await().atMost(NOTICED).until(() -> !isInDoubt());
            assertChangesAreSeen("API server goes on after a pause", load);
        }
    }

    /** As a firewall does that has lost its state: nobody is told. */
    @Test
    void aWatchWhosePacketsAreDroppedIsOpenedAgain() throws Exception {
        try (Load load = Load.https(address(), host, pki::clientContext)) {
            List<String> ports = portsToTheApiServer();
            assertThat(ports).isNotEmpty();
            drop(ports);
            try {
                Leaf next = rotate();
                long start = System.nanoTime();
                gateway.awaitServed(host, next);
                Duration took = Duration.ofNanos(System.nanoTime() - start);
                LOG.log(
                        System.Logger.Level.INFO,
                        "{0} connections to the API server without packets: a change is served after {1}; {2}",
                        ports.size(),
                        Times.millis(took),
                        load.assertNothingFailed(10));
                assertThat(took).isLessThan(HEALED);
                assertThat(gateway.readyz()).isEqualTo(200);
            } finally {
                iptables("-D", "OUTPUT", "-j", CHAIN);
                iptables("-F", CHAIN);
                iptables("-X", CHAIN);
            }
        }
    }

    @Test
    void aStartWithoutTheApiServerIsNotReadyAndSaysSo(@TempDir Path own) {
        cluster.program("kill", "apiserver");
        try (Gateway starting = account.gateway(cluster, own, pki).launch()) {
            await().atMost(SOON)
                    .until(() ->
                            starting.readyz() == 503
                                    && starting.adminGet("/readyz").body().contains("the list of"));
            await().atMost(SOON).until(() -> starting.err().contains("\"message\":\"waiting\""));
            assertThat(starting.adminGet("/livez").statusCode()).isEqualTo(200);
            cluster.program("start", "apiserver");
            long start = System.nanoTime();
            await().atMost(SOON).until(() -> starting.readyz() == 200);
            LOG.log(
                    System.Logger.Level.INFO,
                    "started without an API server: ready {0} after it was back",
                    Times.seconds(System.nanoTime() - start));
            assertThat(RawClient.plain(starting.httpAddress()).get(host, "/").status())
                    .isEqualTo(308);
        }
    }

    private static boolean isInDoubt() {
        return gateway.findings().stream().anyMatch(each -> each.contains("ReadinessInDoubt"));
    }

    /** As the node controller does; their kubelet says otherwise within ten seconds. */
    private static void markPodsNotReady() {
        Kubectl kubectl = namespace.kubectl();
        for (String pod : kubectl.ok("get", "pods", "-o", "name").lines().toList()) {
            kubectl.ok(
                    "patch",
                    pod,
                    "--subresource=status",
                    "--patch",
                    "{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]}}");
        }
    }

    /** Waits until nothing was heard for so long; all the while the gateway is ready. */
    private static void awaitAgeOf(int seconds) {
        await().atMost(SOON.plusSeconds(seconds))
                .pollInterval(Duration.ofMillis(250))
                .until(() -> {
                    assertThat(gateway.readyz()).isEqualTo(200);
                    return gateway.metrics().sum(AGE) > seconds;
                });
    }

    /** The API server answers again. */
    private static void assertChangesAreSeen(String when, Load load) throws InterruptedException {
        Leaf next = rotate();
        long start = System.nanoTime();
        gateway.awaitServed(host, next);
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        await().atMost(SOON).until(() -> gateway.metrics().sum(AGE) < 5);
        gateway.awaitNoFinding("ApiServerUnreachable");
        LOG.log(
                System.Logger.Level.INFO,
                "{0}: a change is served after {1}; {2}",
                when,
                Times.millis(took),
                load.assertNothingFailed(10));
        assertThat(took).isLessThan(HEALED);
    }

    /** A new certificate in the Secret. */
    private static Leaf rotate() {
        Leaf leaf = pki.ecdsa(host);
        api.apply(Api.Kind.SECRET, NAME, Manifests.secret(NAME, leaf));
        return leaf;
    }

    private static List<String> portsToTheApiServer() {
        Ran ran =
                cluster.runInside(
                        "ss",
                        "--tcp",
                        "--numeric",
                        "--processes",
                        "--no-header",
                        "dport",
                        "=",
                        ":6443");
        assertThat(ran.exit()).as(ran.all()).isZero();
        return ran.out()
                .lines()
                .map(LOCAL_PORT::matcher)
                .filter(Matcher::find)
                .filter(found -> Long.parseLong(found.group(2)) == gateway.pid())
                .map(found -> found.group(1))
                .toList();
    }

    private static void drop(List<String> ports) {
        iptables("-N", CHAIN);
        for (String port : ports) {
            iptables("-A", CHAIN, "-p", "tcp", "--sport", port, "--dport", "6443", "-j", "DROP");
            iptables("-A", CHAIN, "-p", "tcp", "--dport", port, "--sport", "6443", "-j", "DROP");
        }
        iptables("-I", "OUTPUT", "-j", CHAIN);
    }

    private static void iptables(String... arguments) {
        String[] command = new String[arguments.length + 2];
        command[0] = "iptables";
        command[1] = "--wait";
        System.arraycopy(arguments, 0, command, 2, arguments.length);
        Ran ran = cluster.runInside(command);
        assertThat(ran.exit()).as(String.format(Locale.ROOT, "%s", ran.all())).isZero();
    }

    private static InetSocketAddress address() {
        return gateway.httpsAddress();
    }
}

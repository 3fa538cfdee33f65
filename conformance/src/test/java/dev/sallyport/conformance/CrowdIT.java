package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Much at once: hundreds of Certificates, thousands of Ingresses, a Secret that never rests. */
@OnCluster(needs = Need.PODS)
final class CrowdIT {

    private static final System.Logger LOG = System.getLogger("conformance.figures");
    private static final int CERTIFICATES = Integer.getInteger("conformance.certificates", 200);
    private static final int BY_ACME = Integer.getInteger("conformance.certificates.acme", 10);
    private static final int INGRESSES = Integer.getInteger("conformance.ingresses", 10_000);
    private static final int FLAPS = Integer.getInteger("conformance.flaps", 500);
    private static final Duration FLAP = Duration.ofMillis(20);
    private static final Duration SOON = Duration.ofSeconds(60);

    /** Nine of ten Ingresses are routed so soon: a machine that stands still is late with some. */
    private static final Duration ROUTED = Duration.ofSeconds(2);

    private static final Duration ALL_ROUTED = Duration.ofSeconds(20);
    private static final Duration LONG = Duration.ofMinutes(5);

    private static final String ROUNDS = "sallyport_reconciles_total";
    private static final String SNAPSHOTS = "sallyport_snapshots_published_total";

    @TempDir private static Path work;
    private static Pki pki;
    private static Namespace namespace;
    private static GatewayAccount account;
    private static Api api;
    private static Gateway gateway;

    /** Nothing of this host changes in any test. */
    private static String bystander;

    @BeforeAll
    static void start(Cluster cluster, Namespace own) {
        namespace = own;
        pki = Pki.in(work);
        account = GatewayAccount.in(namespace, work);
        api = namespace.api(work);
        Optional<Acme> acme = Acme.of(cluster);
        bystander = host("bystander");
        Leaf leaf = pki.ecdsa(bystander);
        namespace
                .echo("echo", 1)
                .apply(
                        CertManager.caIssuer("authority", pki.authority()),
                        Manifests.secret("bystander", leaf),
                        withTls("bystander", bystander).yaml());
        Gateway.Starter starter = account.gateway(cluster, work, pki);
        acme.ifPresent(pebble -> {
            namespace.apply(CertManager.acmeIssuer("pebble", pebble, account.ingressClass()));
            starter.ports(80, 443);
        });
        gateway = starter.start();
        gateway.awaitServed(bystander, leaf);
        gateway.awaitStatus(bystander, "/", 308);
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
    void manyCertificatesAtOnceAreEachServed() {
        issueAndServe("many", CERTIFICATES, "authority");
    }

    @Test
    @OnCluster(needs = Need.ACME)
    void manyChallengesAtOnceAreEachAnswered() {
        issueAndServe("challenged", BY_ACME, "pebble");
    }

    /** Annotated Ingresses, each with a host and a Secret of its own. */
    private static void issueAndServe(String prefix, int count, String issuer) {
        List<String> names = names(prefix, count);
        long start = System.nanoTime();
        api.each(
                names,
                name ->
                        api.apply(
                                Api.Kind.INGRESS,
                                name,
                                withTls(name, host(name))
                                        .annotation("cert-manager.io/issuer", issuer)
                                        .annotation(
                                                "cert-manager.io/private-key-algorithm", "ECDSA")
                                        .annotation("cert-manager.io/private-key-size", "256")
                                        .yaml()));
        long created = System.nanoTime() - start;
        Map<String, TlsSecret> secrets = new HashMap<>();
        await("all Certificates")
                .atMost(LONG)
                .pollInterval(Duration.ofMillis(500))
                .until(() ->
                        api.list(Api.Kind.CERTIFICATE)
                                        .filter(each -> name(each).startsWith(prefix + "-"))
                                        .filter(CertManager::isReady)
                                        .count()
                                == count);
        long ready = System.nanoTime() - start;
        api.list(Api.Kind.SECRET)
                .filter(each -> names.contains(name(each)))
                .forEach(each ->
                        secrets.put(name(each), TlsSecret.parse(each).noteIn(pki.material())));
        Queue<String> waiting = new ConcurrentLinkedQueue<>(names);
        await("each host with its own certificate")
                .atMost(SOON)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> {
                    waiting.removeIf(name -> isServed(name, secrets));
                    return waiting.isEmpty();
                });
        LOG.log(
                System.Logger.Level.INFO,
                "{0} Certificates at once by {1}: Ingresses created in {2}, all Certificates ready after {3}, all"
                        + " hosts served with their own after {4}",
                count,
                issuer,
                Times.seconds(created),
                Times.seconds(ready),
                Times.seconds(System.nanoTime() - start));
    }

    private static boolean isServed(String name, Map<String, TlsSecret> secrets) {
        try {
            return Handshakes.serial(gateway.httpsAddress(), host(name))
                    .equals(Objects.requireNonNull(secrets.get(name), name).serial());
        } catch (IOException e) {
            throw new UncheckedIOException(host(name), e);
        }
    }

    /** As many as a large site has, created as fast as the API server takes them. */
    @Test
    void thousandsOfIngressesAreRoutedAndNobodyWaits() throws Exception {
        List<String> names = names("crowd", INGRESSES);
        List<String> sample =
                IntStream.range(0, INGRESSES / 100).mapToObj(i -> names.get(i * 100)).toList();
        Map<String, Long> created = new ConcurrentHashMap<>();
        var watcher = new FutureTask<>(() -> awaitRouted(sample, created));
        long memory = gateway.residentBytes();
        Duration cpu = gateway.cpu();
        long start = System.nanoTime();
        try (Load load = new Load().newConnections(address(), bystander, pki::clientContext)) {
            Thread.ofPlatform().name("routed").start(watcher);
            api.each(
                    names,
                    name -> {
                        api.create(
                                Api.Kind.INGRESS,
                                account.classed(ingress(name))
                                        .label("crowd", "true")
                                        .host(host(name), "echo")
                                        .yaml());
                        created.put(name, System.nanoTime());
                    });
            long all = System.nanoTime() - start;
            gateway.awaitStatus(host(names.getLast()), "/", 200);
            Times routed = watcher.get(SOON.toSeconds(), TimeUnit.SECONDS);
            String traffic = load.assertNothingFailed(10);
            assertEachIsRouted(names);
            LOG.log(
                    System.Logger.Level.INFO,
                    "{0} Ingresses created in {1}: created to routed {2}; another host meanwhile: {3}; resident"
                            + " memory {4} -> {5} MiB, {6} of CPU",
                    INGRESSES,
                    Times.seconds(all),
                    routed,
                    traffic,
                    memory >> 20,
                    gateway.residentBytes() >> 20,
                    Times.seconds(gateway.cpu().minus(cpu).toNanos()));
            assertThat(routed.percentile(90)).isLessThan(ROUTED);
            assertThat(routed.percentile(100)).isLessThan(ALL_ROUTED);
        }
        api.deleteAll(Api.Kind.INGRESS, "crowd=true");
        gateway.awaitStatus(host(names.getLast()), "/", 404);
    }

    /** How long each took from its creation until requests for it came through. */
    private static Times awaitRouted(List<String> names, Map<String, Long> created) {
        List<Long> nanos = new ArrayList<>();
        List<String> waiting = new ArrayList<>(names);
        RawClient client = RawClient.plain(gateway.httpAddress());
        while (!waiting.isEmpty()) {
            for (var each = waiting.iterator(); each.hasNext(); ) {
                String name = each.next();
                if (created.containsKey(name) && client.get(host(name), "/").status() == 200) {
                    nanos.add(System.nanoTime() - created.get(name));
                    each.remove();
                }
            }
            LockSupport.parkNanos(Duration.ofMillis(2).toNanos());
        }
        return new Times(nanos);
    }

    private static void assertEachIsRouted(List<String> names) throws IOException {
        try (RawClient.Connection connection = RawClient.plain(gateway.httpAddress()).open()) {
            for (String name : names) {
                connection.send(RawClient.head("GET / HTTP/1.1", "Host: " + host(name)));
                assertThat(connection.response().status()).as(name).isEqualTo(200);
            }
        }
    }

    /**
     * Two good certificates and a broken one in turn, fifty times a second; a neighbour's
     * certificate is rotated meanwhile.
     */
    @Test
    void aSecretThatNeverRestsCostsLittle() throws Exception {
        String name = "flapping";
        Leaf one = pki.ecdsa(host(name));
        Leaf other = pki.ecdsa(host(name));
        List<String> states =
                List.of(
                        contents(one.chain(), one.key()),
                        contents(other.chain(), other.key()),
                        contents(one.chain(), other.key()));
        namespace.apply(Manifests.secret(name, one), withTls(name, host(name)).yaml());
        gateway.awaitServed(host(name), one);
        Metrics before = gateway.metrics();
        Duration cpu = gateway.cpu();
        long start = System.nanoTime();
        try (Load load = new Load()) {
            // Few enough that what is measured is not they.
            load.run(
                    "another host, ten a second",
                    () -> {
                        LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
                        return Load.request(pki.clientContext(), address(), bystander);
                    });
            Times rotations;
            try (var writers = Executors.newVirtualThreadPerTaskExecutor()) {
                var rotating = writers.submit(CrowdIT::rotateTheNeighbour);
                for (int i = 0; i < FLAPS; i++) {
                    String state = states.get(i % states.size());
                    writers.execute(() -> api.patch(Api.Kind.SECRET, name, state));
                    LockSupport.parkNanos(
                            start + FLAP.multipliedBy(i + 1L).toNanos() - System.nanoTime());
                }
                rotations = rotating.get();
            }
            long took = System.nanoTime() - start;
            Leaf last = pki.ecdsa(host(name));
            api.patch(Api.Kind.SECRET, name, contents(last.chain(), last.key()));
            gateway.awaitServed(host(name), last);
            Duration used = gateway.cpu().minus(cpu);
            Metrics after = gateway.metrics();
            double snapshots = after.sum(SNAPSHOTS) - before.sum(SNAPSHOTS);
            LOG.log(
                    System.Logger.Level.INFO,
                    "a Secret flapping {0} times in {1}: {2} rounds, {3} snapshots, {4} of CPU;"
                            + " meanwhile another Secret from its PATCH to served {5}; {6}",
                    FLAPS,
                    Times.seconds(took),
                    after.sum(ROUNDS) - before.sum(ROUNDS),
                    snapshots,
                    Times.seconds(used.toNanos()),
                    rotations,
                    load.assertNothingFailed(10));
            assertThat(snapshots).as("one a change at most").isLessThan(FLAPS + 50);
            assertThat(rotations.percentile(50)).isLessThan(Duration.ofSeconds(1));
            assertThat(after.sum(ROUNDS) - before.sum(ROUNDS))
                    .as("one a change at most")
                    .isLessThan(FLAPS + 200);
            // A JVM that is still cold compiles meanwhile; what never rests takes all there is.
            assertThat(used).isLessThan(Duration.ofNanos(took / 2 * 3));
            gateway.awaitNoFinding("KeyMismatch");
        }
    }

    /** From its PATCH to served, ten times. */
    private static Times rotateTheNeighbour() throws Exception {
        String name = "neighbour";
        List<Long> took = new ArrayList<>();
        namespace.apply(
                Manifests.secret(name, pki.ecdsa(host(name))), withTls(name, host(name)).yaml());
        for (int i = 0; i < 10; i++) {
            Leaf next = pki.ecdsa(host(name));
            long began = System.nanoTime();
            api.patch(Api.Kind.SECRET, name, contents(next.chain(), next.key()));
            gateway.awaitServed(host(name), next);
            took.add(System.nanoTime() - began);
        }
        return new Times(took);
    }

    private static String contents(String chain, String key) {
        return String.format(
                Locale.ROOT,
                "{\"data\": {\"tls.crt\": \"%s\", \"tls.key\": \"%s\"}}",
                Manifests.base64(chain),
                Manifests.base64(key));
    }

    private static List<String> names(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + "-" + i).toList();
    }

    private static Manifests.Ingress withTls(String name, String host) {
        return account.classed(ingress(name)).tls(name, host).host(host, "echo");
    }

    private static String name(JsonNode object) {
        return object.path("metadata").path("name").stringValue();
    }

    private static String host(String name) {
        return name + "." + namespace.name() + ".test";
    }

    private static InetSocketAddress address() {
        return gateway.httpsAddress();
    }
}

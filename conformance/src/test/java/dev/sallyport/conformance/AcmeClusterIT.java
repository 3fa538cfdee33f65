package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
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
 * Three replicas of a release behind one Service, which has the node's address on ports 80 and 443:
 * Pebble comes to whichever of them kube-proxy chooses.
 */
@OnCluster(needs = Need.NODE)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class AcmeClusterIT {

    private static final System.Logger LOG = System.getLogger("conformance.figures");

    /** Whatever a CA could not prove is tried again after two minutes. */
    private static final Duration SOON = Duration.ofSeconds(200);

    private static final int REPLICAS = 3;
    private static final int MANY = 200;
    private static final String OURS = "sallyport.dev/acme";
    private static final String ID = "sallyport.dev/acme-certificate";

    @TempDir private static Path work;
    private static Cluster cluster;
    private static Namespace edge;
    private static Namespace shop;
    private static Api api;
    private static Release release;
    private static Acme acme;
    private static SSLContext trusting;

    @BeforeAll
    static void install(Cluster shared, Namespace ofRelease, Namespace ofSite) {
        cluster = shared;
        edge = ofRelease;
        shop = ofSite;
        api = edge.api(work);
        acme = Acme.of(cluster).orElseThrow();
        trusting = Pki.trusting(acme.root());
        release = Release.in(cluster, edge);
        shop.echo("shop", 1);
        release.install(
                release.issuingValues(
                        work, acme, List.of(cluster.bed().node()), "replicas: " + REPLICAS + "\n"));
        soon("a leader").until(() -> !leader().isEmpty());
    }

    @AfterAll
    static void uninstall() {
        shop.kubectl().ok("delete", "ingress", "--all");
        release.helm().ok("uninstall", edge.name(), "--wait");
        edge.kubectl().ok("delete", "secrets", "--selector=" + OURS);
        api.close();
    }

    /** Paths, a redirect and a Secret that is not there do not come between. */
    @Test
    @Order(1)
    void aHostIsTrustedAtEveryReplica() {
        long applied = System.nanoTime();
        shop.apply(
                classed("first")
                        .tls("nobody-makes-it", host("first"))
                        .route(host("first"), "/.well-known", "Prefix", "shop")
                        .host(host("first"), "shop")
                        .yaml());
        BigInteger serial = awaitTrusted(host("first"));
        String took = Times.seconds(System.nanoTime() - applied);
        awaitAtEveryReplica(host("first"), serial);
        // What is issued is in the gateway's namespace, and belongs to one object.
        JsonNode secret = secrets("certificate").getFirst();
        assertThat(secret.at("/type").stringValue()).isEqualTo("kubernetes.io/tls");
        assertThat(secret.at("/metadata/ownerReferences/0/name").stringValue())
                .isEqualTo(release.name() + "-acme");
        assertThat(shop.get("secrets").path("items")).isEmpty();
        LOG.log(
                System.Logger.Level.INFO,
                "{0} replicas: host applied to trusted HTTPS {1}",
                REPLICAS,
                took);
    }

    @Test
    @Order(2)
    void twoHundredHostsAtOnceAreAllTrusted() {
        List<String> documents = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            documents.add(classed("many-" + i).host(host("many-" + i), "shop").yaml());
        }
        long applied = System.nanoTime();
        shop.apply(documents.toArray(String[]::new));
        String created = Times.seconds(System.nanoTime() - applied);
        for (int i = 0; i < MANY; i++) {
            awaitTrusted(host("many-" + i));
        }
        LOG.log(
                System.Logger.Level.INFO,
                "{0} replicas: {1} hosts at once, created in {2}, all trusted after {3}",
                REPLICAS,
                MANY,
                created,
                Times.seconds(System.nanoTime() - applied));
        assertThat(secrets("certificate")).hasSize(MANY + 1);
    }

    /** Whoever leads next goes on with what was begun: the same order, the same key. */
    @Test
    @Order(3)
    void theNextLeaderGoesOnWhenTheLeaderIsKilledInMidOrder() {
        String leader = leader();
        ProcessHandle process = cluster.processOf(edge.get("pod/" + leader));
        List<String> hosts = apply("killed", 10);
        soon("an order").until(() -> !secrets("order").isEmpty());
        process.destroyForcibly();
        long killed = System.nanoTime();
        // Nobody goes on before the Lease has run out.
        Map<String, String> keys = keysOfOrders();
        assertThat(keys).as("orders that are half done").isNotEmpty();
        assertThat(leader()).as("who led at the kill").isEqualTo(leader);
        hosts.forEach(AcmeClusterIT::awaitTrusted);
        LOG.log(
                System.Logger.Level.INFO,
                "leader killed in mid-order: {0} hosts trusted {1} after",
                hosts.size(),
                Times.seconds(System.nanoTime() - killed));
        soon("no order that is left").until(() -> secrets("order").isEmpty());
        Map<String, String> issued = new HashMap<>();
        for (JsonNode secret : secrets("certificate")) {
            issued.put(certificateOf(secret), keyIn(text(secret, "tls.key")));
        }
        assertThat(issued).as("by the orders that were begun").containsAllEntriesOf(keys);
        soon("all replicas").until(() -> pods().stream().allMatch(AcmeClusterIT::isReady));
    }

    @Test
    @Order(4)
    void anOrderGoesOnWhenTheApiServerIsBack() {
        List<String> hosts = apply("away", 5);
        soon("an order").until(() -> !secrets("order").isEmpty());
        cluster.program("kill", "apiserver");
        try {
            // What was issued before is served meanwhile.
            assertThat(trustedAtTheService(host("first"))).isNotNull();
        } finally {
            cluster.program("start", "apiserver");
        }
        long back = System.nanoTime();
        hosts.forEach(AcmeClusterIT::awaitTrusted);
        LOG.log(
                System.Logger.Level.INFO,
                "API server killed in mid-order: {0} hosts trusted {1} after it was started again",
                hosts.size(),
                Times.seconds(System.nanoTime() - back));
    }

    /** From cert-manager to the gateway, and back: at no moment is there nothing to trust. */
    @Test
    @Order(5)
    void aHostIsHandedOverWithoutAGap() throws InterruptedException {
        String host = host("handed");
        shop.apply(CertManager.acmeIssuer("pebble", acme, edge.name()));
        shop.apply(
                classed("handed")
                        .annotation("cert-manager.io/issuer", "pebble")
                        .tls("handed-tls", host)
                        .host(host, "shop")
                        .yaml());
        soon("a certificate of cert-manager's")
                .atMost(CertManager.PATIENCE)
                .ignoreExceptions()
                .until(() -> secretSerial("handed-tls").equals(trustedAtTheService(host)));
        awaitAtEveryReplica(host, secretSerial("handed-tls"));

        var stop = new AtomicBoolean();
        var asked = new AtomicInteger();
        var step = new AtomicReference<>("served by cert-manager's");
        List<String> failures = new ArrayList<>();
        Thread visitor =
                Thread.ofVirtual()
                        .start(() -> {
                            while (!stop.get()) {
                                try {
                                    trustedAtTheService(host);
                                } catch (UncheckedIOException failed) {
                                    failures.add(step + ", " + asked + ": " + failed.getCause());
                                }
                                asked.incrementAndGet();
                            }
                        });
        try {
            step.set("asked of the gateway");
            shop.apply(classed("handed").tls("handed-tls", host).host(host, "shop").yaml());
            shop.kubectl()
                    .ok("annotate", "ingress/handed", "cert-manager.io/issuer-", "--overwrite");
            shop.kubectl().ok("delete", "--ignore-not-found", "certificate/handed-tls");
            shop.kubectl().ok("delete", "--ignore-not-found", "secret/handed-tls");
            soon("a certificate of the gateway's")
                    .until(() ->
                            secrets("certificate").stream()
                                    .anyMatch(it ->
                                            it.at("/metadata/annotations")
                                                    .toString()
                                                    .contains(host)));
            step.set("issued by the gateway");
            BigInteger ours = awaitServedByUs(host);

            step.set("asked of cert-manager");
            shop.kubectl().ok("annotate", "ingress/handed", "cert-manager.io/issuer=pebble");
            soon("a certificate of cert-manager's again")
                    .atMost(CertManager.PATIENCE)
                    .ignoreExceptions()
                    .until(() -> {
                        BigInteger now = trustedAtTheService(host);
                        return !now.equals(ours) && now.equals(secretSerial("handed-tls"));
                    });
        } finally {
            stop.set(true);
            visitor.join();
        }
        assertThat(failures).as("of %s handshakes", asked).isEmpty();
        LOG.log(
                System.Logger.Level.INFO,
                "handed over from cert-manager and back: 0 of {0} handshakes failed",
                asked);
    }

    private static void awaitAtEveryReplica(String host, BigInteger serial) {
        for (JsonNode pod : pods()) {
            var address = new InetSocketAddress(pod.at("/status/podIP").stringValue(), 8443);
            soon("the certificate at " + address)
                    .ignoreExceptions()
                    .until(() -> trusted(address, host).equals(serial));
        }
    }

    private static BigInteger awaitServedByUs(String host) {
        Set<BigInteger> ours = new HashSet<>();
        return soon("ours served for " + host)
                .ignoreExceptions()
                .until(
                        () -> {
                            secrets("certificate")
                                    .forEach(it ->
                                            ours.add(serial(it.at("/data/tls.crt").stringValue())));
                            return trustedAtTheService(host);
                        },
                        ours::contains);
    }

    private static BigInteger secretSerial(String name) {
        return serial(shop.get("secret/" + name).at("/data/tls.crt").stringValue());
    }

    private static BigInteger serial(String base64) {
        X509Certificate leaf = TlsSecret.certificate(Base64.getDecoder().decode(base64));
        return leaf.getSerialNumber();
    }

    private static List<String> apply(String prefix, int count) {
        List<String> hosts = new ArrayList<>();
        List<String> documents = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String name = prefix + "-" + i;
            hosts.add(host(name));
            documents.add(classed(name).host(host(name), "shop").yaml());
        }
        shop.apply(documents.toArray(String[]::new));
        return hosts;
    }

    private static Manifests.Ingress classed(String name) {
        return ingress(name).spec("  ingressClassName: " + edge.name() + "\n");
    }

    private static String host(String name) {
        return name + "." + edge.name() + ".example";
    }

    private static BigInteger awaitTrusted(String host) {
        return await("a trusted certificate for " + host)
                .pollInterval(Duration.ofMillis(20))
                .atMost(SOON)
                .ignoreExceptions()
                .until(() -> trustedAtTheService(host), serial -> true);
    }

    private static BigInteger trustedAtTheService(String host) {
        return trusted(new InetSocketAddress(cluster.bed().node(), 443), host);
    }

    private static BigInteger trusted(InetSocketAddress address, String host) {
        try (SSLSocket socket = Handshakes.connect(trusting, address, host)) {
            X509Certificate leaf = (X509Certificate) socket.getSession().getPeerCertificates()[0];
            return leaf.getSerialNumber();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Secrets of the gateway's own, of a kind. */
    private static List<JsonNode> secrets(String kind) {
        return api.list(Api.Kind.SECRET, OURS + "=" + kind).toList();
    }

    /** Of each certificate that is being ordered the key, in base64. */
    private static Map<String, String> keysOfOrders() {
        Map<String, String> keys = new HashMap<>();
        for (JsonNode secret : secrets("order")) {
            text(secret, "acme")
                    .lines()
                    .filter(line -> line.startsWith("key::"))
                    .map(line -> line.substring("key::".length()).strip())
                    .forEach(key -> keys.put(certificateOf(secret), key));
        }
        return keys;
    }

    private static String certificateOf(JsonNode secret) {
        return secret.path("metadata").path("annotations").path(ID).stringValue();
    }

    private static String keyIn(String pem) {
        return pem.lines().filter(line -> !line.startsWith("-----")).collect(Collectors.joining());
    }

    private static String text(JsonNode secret, String entry) {
        byte[] contents = Base64.getDecoder().decode(secret.path("data").path(entry).stringValue());
        return new String(contents, US_ASCII);
    }

    /** The Pod that leads; empty where none does. */
    private static String leader() {
        String holder = edge.get("lease/" + release.name()).at("/spec/holderIdentity").asString("");
        return holder.substring(0, Math.max(0, holder.indexOf('_')));
    }

    private static List<JsonNode> pods() {
        return Json.items(edge.get("pods").path("items"))
                .filter(pod -> pod.at("/metadata/deletionTimestamp").isMissingNode())
                .filter(pod ->
                        pod.at("/metadata/labels/app.kubernetes.io~1name")
                                .asString("")
                                .equals("sallyport"))
                .toList();
    }

    private static boolean isReady(JsonNode pod) {
        return pod.at("/status/containerStatuses/0/ready").asBoolean(false);
    }

    private static ConditionFactory soon(String what) {
        return await(what).atMost(SOON).pollInterval(Duration.ofMillis(50));
    }
}

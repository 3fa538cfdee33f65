package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The cluster that the other tests stand on: each of its parts does what they count on. */
@OnCluster
final class ClusterIT {

    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir private Path work;

    @Test
    void everyNodeIsReady(Cluster cluster) {
        JsonNode nodes = cluster.kubectl().get("nodes").path("items");
        assertThat(nodes).isNotEmpty();
        assertThat(nodes)
                .allSatisfy(node ->
                        assertThat(condition(node, "Ready"))
                                .as(node.path("metadata").path("name").asString())
                                .isEqualTo("True"));
    }

    @Test
    void aServiceIsAnsweredByEachOfItsPods(Namespace namespace) {
        namespace.echo("echo", 2);
        JsonNode slices =
                namespace
                        .kubectl()
                        .get("endpointslices.discovery.k8s.io")
                        .path("items")
                        .path(0)
                        .path("endpoints");
        assertThat(slices).hasSize(2);
        Set<String> answered = new HashSet<>();
        try (Way way = namespace.wayTo("echo", 80)) {
            await().atMost(SOON)
                    .ignoreExceptions() // kube-proxy may know of the Pods a second later
                    .until(
                            () -> {
                                answered.add(echo(way.address(), "/any?q=1").backend());
                                return answered.size();
                            },
                            count -> count == 2 || !way.isStraight());
            assertThat(answered).allSatisfy(pod -> assertThat(pod).startsWith("echo-"));
            assertThat(echo(way.address(), "/any?q=1").target()).isEqualTo("/any?q=1");
        }
    }

    @Test
    void aTunnelLeadsWhereThereIsNoRoute(Namespace namespace) {
        namespace.echo("echo", 1);
        try (Way way = Way.tunnel(namespace.kubectl(), "service/echo", 80)) {
            assertThat(way.address().getAddress().isLoopbackAddress()).isTrue();
            assertThat(echo(way.address(), "/through").target()).isEqualTo("/through");
        }
    }

    @Test
    @OnCluster(needs = Need.NODE)
    void podsAndTheNodeAreReachedFromItsNetwork(Cluster cluster, Namespace namespace) {
        namespace.echo("echo", 1);
        String pod =
                namespace
                        .get("pods")
                        .path("items")
                        .path(0)
                        .path("status")
                        .path("podIP")
                        .stringValue();
        Ran ran =
                cluster.runInside(
                        "curl", "--silent", "--noproxy", "*", "http://" + pod + ":8080/in");
        assertThat(ran.exit()).as(ran.all()).isZero();
        assertThat(Echo.parse(ran.out()).target()).isEqualTo("/in");
        assertThat(echo(new InetSocketAddress(pod, 8080), "/out").target()).isEqualTo("/out");
    }

    @Test
    void certManagerIssuesForAnAuthorityOfItsOwn(Namespace namespace)
            throws GeneralSecurityException {
        namespace.apply(
                """
                apiVersion: cert-manager.io/v1
                kind: Issuer
                metadata: {name: self}
                spec: {selfSigned: {}}
                ---
                apiVersion: cert-manager.io/v1
                kind: Certificate
                metadata: {name: authority}
                spec:
                  isCA: true
                  commonName: authority of one test
                  secretName: authority
                  privateKey: {algorithm: ECDSA, size: 256}
                  issuerRef: {name: self}
                ---
                apiVersion: cert-manager.io/v1
                kind: Issuer
                metadata: {name: authority}
                spec: {ca: {secretName: authority}}
                ---
                apiVersion: cert-manager.io/v1
                kind: Certificate
                metadata: {name: shop}
                spec:
                  dnsNames: [shop.test]
                  secretName: shop
                  privateKey: {algorithm: ECDSA, size: 256}
                  issuerRef: {name: authority}
                """);
        namespace.kubectl().await("certificate/shop", "Ready", SOON);
        JsonNode secret = namespace.get("secret/shop");
        assertThat(secret.path("type").stringValue()).isEqualTo("kubernetes.io/tls");
        X509Certificate leaf = certificate(secret, "tls.crt");
        X509Certificate authority = certificate(namespace.get("secret/authority"), "tls.crt");
        leaf.verify(authority.getPublicKey());
        assertThat(leaf.getSubjectAlternativeNames().toString()).contains("shop.test");
    }

    @Test
    @OnCluster(needs = Need.NODE)
    void pebbleAndTheDnsServerAnswer(Cluster cluster) throws IOException {
        String node = cluster.bed().node();
        Ran directory =
                Curl.ask(
                        cluster.bed().state().resolve("pebble/ca.crt"),
                        List.of("https://" + node + ":14000/dir"));
        assertThat(directory.exit()).as(directory.all()).isZero();
        assertThat(directory.out()).contains("newOrder");
        assertThat(address("any.name.test", new InetSocketAddress(node, 8053))).isEqualTo(node);
    }

    @Test
    void aServiceAccountMayDoWhatItsRoleSaysAndNoMore(Cluster cluster, Namespace namespace) {
        namespace.apply(
                """
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: reader}
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: Role
                metadata: {name: reader}
                rules:
                  - {apiGroups: [""], resources: [secrets], resourceNames: [mine], verbs: [get]}
                  - {apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [list]}
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: RoleBinding
                metadata: {name: reader}
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
                subjects: [{kind: ServiceAccount, name: reader}]
                """,
                secret("mine"),
                secret("other"));
        Kubectl reader =
                namespace
                        .kubectl()
                        .as(namespace.kubeconfigOf("reader", work.resolve("reader.conf")));
        assertThat(reader.get("secret/mine").path("metadata").path("name").stringValue())
                .isEqualTo("mine");
        assertThat(reader.get("ingresses").path("items")).isEmpty();
        for (String[] refused :
                new String[][] {
                    {"get", "secret/other"},
                    {"get", "secrets"},
                    {"get", "services"},
                    {"delete", "secret/mine"},
                    {"get", "ingresses", "--all-namespaces"},
                }) {
            Ran ran = reader.run(refused);
            assertThat(ran.exit()).as(ran.all()).isNotZero();
            assertThat(ran.err())
                    .contains("Forbidden")
                    .contains(":" + namespace.name() + ":reader");
        }
    }

    @Test
    @OnCluster(needs = Need.NODE)
    void theStateIsThereAgainAfterDownAndUp(Cluster cluster, Namespace namespace) {
        namespace.echo("echo", 1).apply(secret("kept"));
        String uid = uid(namespace.get("secret/kept"));
        String pod = uid(namespace.get("pods").path("items").path(0));

        cluster.bed().restart();

        assertThat(uid(namespace.get("secret/kept"))).isEqualTo(uid);
        assertThat(uid(namespace.get("pods").path("items").path(0))).isEqualTo(pod);
        try (Way way = namespace.wayTo("echo", 80)) {
            await().atMost(SOON)
                    .ignoreExceptions()
                    .untilAsserted(
                            () -> assertThat(echo(way.address(), "/").target()).isEqualTo("/"));
        }
    }

    @Test
    @OnCluster(needs = Need.NODE)
    void aProgramThatWasKilledIsStartedAgain(Cluster cluster, Namespace namespace) {
        namespace.apply(secret("kept"));
        cluster.program("kill", "apiserver");
        try {
            Ran ran = cluster.kubectl().run("get", "nodes", "--request-timeout=5s");
            assertThat(ran.exit()).as(ran.all()).isNotZero();
        } finally {
            cluster.program("start", "apiserver");
        }
        assertThat(namespace.get("secret/kept").path("kind").stringValue()).isEqualTo("Secret");
    }

    @Test
    @OnCluster(needs = Need.NODE)
    void anImageThatWasLoadedRuns(Cluster cluster, Namespace namespace) {
        Path bin = cluster.bed().folder().resolve("bin");
        String image = "localhost/loaded:" + namespace.name();
        Path archive = work.resolve("image.tar");
        Ran made =
                Ran.run(
                        bin.resolve("mkimage").toString(),
                        image,
                        archive.toString(),
                        "/echo",
                        bin.resolve("echo") + ":echo");
        assertThat(made.exit()).as(made.all()).isZero();
        cluster.load(archive);
        namespace.apply(Manifests.echoPods("loaded", 1).replace(Manifests.ECHO_IMAGE, image));
        namespace.kubectl().awaitRollout("loaded", SOON);
        try (Way way = namespace.wayTo("loaded", 80)) {
            await().atMost(SOON)
                    .ignoreExceptions()
                    .untilAsserted(() ->
                            assertThat(echo(way.address(), "/").backend()).startsWith("loaded-"));
        }
    }

    @Test
    @OnCluster(needs = Need.NODE)
    void theGatewayRunsInTheNodesNetwork(Cluster cluster, Namespace namespace) {
        namespace.echo("echo", 1);
        String pod =
                namespace
                        .get("pods")
                        .path("items")
                        .path(0)
                        .path("status")
                        .path("podIP")
                        .stringValue();
        Pki pki = Pki.in(work);
        Leaf leaf = pki.ecdsa("shop.test");
        Folder folder = Folder.in(work);
        folder.put("secret.yaml", Manifests.secret("shop", leaf));
        folder.put(
                "ingress.yaml",
                ingress("shop").tls("shop", "shop.test").host("shop.test", "echo").yaml());
        folder.put(
                "service.yaml",
                """
                apiVersion: v1
                kind: Service
                metadata: {name: echo, namespace: default}
                spec: {ports: [{name: http, port: 80}]}
                """,
                Manifests.endpoints("echo", "http", 8080, pod));
        try (Gateway gateway =
                Gateway.in(work, pki, folder).inside(cluster).ports(80, 443).start()) {
            assertThat(gateway.httpsAddress().getHostString()).isEqualTo(cluster.bed().node());
            gateway.awaitServed("shop.test", leaf);
            Curl curl = new Curl(gateway, pki);
            assertThat(curl.https("shop.test", "/path").echo().backend()).startsWith("echo-");
        }
    }

    @Test
    @OnCluster(needs = Need.PODS)
    void theGatewayServesAClusterAsAServiceAccount(Cluster cluster, Namespace namespace) {
        Pki pki = Pki.in(work);
        Leaf leaf = pki.ecdsa("shop.test");
        namespace
                .echo("echo", 2)
                .apply(
                        rights(namespace.name()),
                        Manifests.secret("shop", leaf),
                        ingress("shop")
                                .spec("  ingressClassName: " + namespace.name() + "\n")
                                .tls("shop", "shop.test")
                                .host("shop.test", "echo")
                                .yaml());
        Path rights = namespace.kubeconfigOf("gateway", work.resolve("gateway.conf"));
        try (Gateway gateway =
                Gateway.on(cluster, work, pki, rights)
                        .flags("--ingress-class", namespace.name())
                        .start()) {
            gateway.awaitServed("shop.test", leaf);
            Curl curl = new Curl(gateway, pki);
            await().atMost(SOON)
                    .until(() -> curl.https("shop.test", "/").status(), each -> each == 200);
            assertThat(curl.https("shop.test", "/path").echo().backend()).startsWith("echo-");
        }
        namespace.kubectl().ok("delete", "ingressclass,clusterrolebinding", namespace.name());
    }

    /** A class named like a namespace, and an account for a gateway. */
    private static String rights(String name) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: networking.k8s.io/v1
                kind: IngressClass
                metadata: {name: %1$s}
                spec: {controller: sallyport.dev/ingress-controller}
                ---
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: gateway}
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: ClusterRoleBinding
                metadata: {name: %1$s}
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
                subjects: [{kind: ServiceAccount, name: gateway, namespace: %1$s}]
                """,
                name);
    }

    @Test
    @OnCluster(needs = Need.NODE)
    void whatIsHeldIsNotTakenDown(Cluster cluster) throws IOException {
        Ran down = Ran.run(cluster.bed().command("down").toArray(String[]::new));
        assertThat(down.exit()).as(down.all()).isNotZero();
        assertThat(down.err()).contains("a test run holds instance " + cluster.bed().instance());
        Ran other = Ran.run(cluster.bed().freeInstance().toArray(String[]::new));
        assertThat(other.exit()).as(other.all()).isZero();
        assertThat(other.out().strip()).matches("[1-7]").isNotEqualTo(cluster.bed().instance());
    }

    private static Echo echo(InetSocketAddress address, String target) {
        return Echo.parse(RawClient.plain(address).get("shop.test", target).body());
    }

    /** The address that a DNS server gives for a name: a query of RFC 1035, by hand. */
    private static String address(String name, InetSocketAddress server) throws IOException {
        var query = new ByteArrayOutputStream();
        query.writeBytes(new byte[] {0x51, 0x50, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0});
        for (String label : name.split("\\.", -1)) {
            query.write(label.length());
            query.writeBytes(label.getBytes(US_ASCII));
        }
        query.writeBytes(new byte[] {0, 0, 1, 0, 1});
        try (var socket = new DatagramSocket()) {
            socket.setSoTimeout(10_000);
            socket.send(new DatagramPacket(query.toByteArray(), query.size(), server));
            var answer = new DatagramPacket(new byte[512], 512);
            socket.receive(answer);
            // After the question: the name once more, type, class, TTL and length, then the
            // address.
            int address = query.size() + (query.size() - 16) + 10;
            return InetAddress.getByAddress(
                            Arrays.copyOfRange(answer.getData(), address, address + 4))
                    .getHostAddress();
        }
    }

    private static String secret(String name) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: v1
                kind: Secret
                metadata: {name: %s}
                stringData: {word: ""}
                """,
                name);
    }

    private static String uid(JsonNode object) {
        return object.path("metadata").path("uid").stringValue();
    }

    private static String condition(JsonNode object, String type) {
        return Json.items(object.path("status").path("conditions"))
                .filter(each -> each.path("type").stringValue().equals(type))
                .findFirst()
                .orElseThrow()
                .path("status")
                .stringValue();
    }

    private static X509Certificate certificate(JsonNode secret, String key)
            throws GeneralSecurityException {
        byte[] pem = Base64.getDecoder().decode(secret.path("data").path(key).stringValue());
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(pem));
    }
}

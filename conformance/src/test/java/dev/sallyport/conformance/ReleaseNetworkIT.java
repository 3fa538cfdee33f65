package dev.sallyport.conformance;

import static dev.sallyport.conformance.PodNetwork.NO_ANSWER;
import static dev.sallyport.conformance.PodNetwork.REFUSED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two replicas of a release that has certificates issued, in the network of a cluster that enforces
 * policies and has both address families, seen from Pods of other namespaces. The chart's
 * NetworkPolicy is in effect, with outgoing traffic restricted as the documentation has it.
 */
@OnCluster(needs = Need.NODE)
final class ReleaseNetworkIT {

    /** Whatever a CA could not prove is tried again after two minutes. */
    private static final Duration SOON = Duration.ofSeconds(200);

    private static final String ENFORCER = "network-policies";
    private static final Pattern DOCUMENTED =
            Pattern.compile("```yaml\n(networkPolicy:\n.*?)```", Pattern.DOTALL);
    private static final String LABEL = "example.org/behind-sallyport=true";

    @TempDir private static Path work;
    private static Cluster cluster;
    private static Namespace edge;
    private static Namespace shop;
    private static Namespace stranger;
    private static Release release;
    private static Path authority;

    /** The node's addresses and the Service's, of IPv4 first. */
    private static List<String> node;

    private static List<String> service;

    private static PodNetwork gateway;
    private static PodNetwork prometheus;
    private static PodNetwork visitor;

    @BeforeAll
    static void install(
            Cluster shared,
            Namespace ofRelease,
            Namespace ofSite,
            Namespace ofPrometheus,
            Namespace ofNobody)
            throws IOException {
        cluster = shared;
        edge = ofRelease;
        shop = ofSite;
        stranger = ofNobody;
        release = Release.in(cluster, edge);
        Acme acme = Acme.of(cluster).orElseThrow();
        authority = Files.writeString(work.resolve("root.pem"), Pki.pem(acme.root()));
        node =
                Json.items(cluster.kubectl().get("node/node1").at("/status/addresses"))
                        .filter(each -> each.path("type").asString().equals("InternalIP"))
                        .map(each -> each.path("address").stringValue())
                        .toList();
        cluster.program("start", ENFORCER);
        cluster.kubectl().ok("label", "namespace", shop.name(), LABEL);
        shop.echo("shop", 1);
        ofPrometheus.echo("prometheus", 1);
        stranger.echo("elsewhere", 1);
        release.install(
                release.issuingValues(
                        work,
                        acme,
                        node,
                        documented()
                                + "  adminFrom: [{namespaceSelector: {matchLabels:"
                                + " {kubernetes.io/metadata.name: "
                                + ofPrometheus.name()
                                + "}}}]\n"));
        service =
                Json.items(edge.get("service/" + release.name()).at("/spec/clusterIPs"))
                        .map(each -> PodNetwork.host(each.stringValue()))
                        .toList();
        gateway = PodNetwork.in(cluster, edge);
        prometheus = PodNetwork.in(cluster, ofPrometheus);
        visitor = PodNetwork.in(cluster, stranger);
        // A CA that comes before kube-proxy knows of the Pods is asked again after two minutes
        // only.
        soon().until(() ->
                !Set.of(REFUSED, NO_ANSWER)
                        .contains(visitor.ask("http://" + service.getFirst() + "/")));
        shop.apply(classed("shop").host(host("shop"), "shop").yaml());
        stranger.apply(classed("elsewhere").host(host("elsewhere"), "elsewhere").yaml());
    }

    @AfterAll
    static void uninstall() {
        try {
            release.helm().ok("uninstall", edge.name(), "--wait");
        } finally {
            cluster.program("stop", ENFORCER);
        }
    }

    /** Else the other tests would say nothing. */
    @Test
    void policiesAreEnforced() {
        String pod = "http://" + visitor.hosts().getFirst() + ":8080/";
        soon().untilAsserted(() -> assertThat(prometheus.ask(pod)).isEqualTo("200"));
        stranger.apply(
                """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: nobody}
                spec: {podSelector: {}, policyTypes: [Ingress]}
                """);
        try {
            soon().untilAsserted(() -> assertThat(prometheus.ask(pod)).isEqualTo(NO_ANSWER));
        } finally {
            stranger.kubectl().delete("networkpolicy/nobody");
        }
        soon().untilAsserted(() -> assertThat(prometheus.ask(pod)).isEqualTo("200"));
    }

    /** That the certificate is there has taken the other replica's answer to its challenge. */
    @Test
    void clientsOfAnyNamespaceAreServed() {
        awaitServed(service.getFirst(), 443, "/");
        String host = host("shop");
        String[] plain = {"--resolve", host + ":80:" + service.getFirst(), "http://" + host + "/"};
        soon().untilAsserted(() -> assertThat(visitor.ask(plain)).isEqualTo("308"));
    }

    @Test
    void onlyWhoIsNamedReachesTheAdminPort() {
        assertThat(gateway.hosts())
                .allSatisfy(each -> {
                    String admin = "http://" + each + ":9090/metrics";
                    soon().untilAsserted(() -> assertThat(prometheus.ask(admin)).isEqualTo("200"));
                    assertThat(visitor.ask(admin)).isEqualTo(NO_ANSWER);
                });
        assertThat(release.helm().ok("test", edge.name(), "--timeout", "2m"))
                .contains("Phase:          Succeeded");
    }

    /**
     * What is on a Pod's own node is always let through, the test bed's API server and Pebble, too:
     * this machine, where nobody listens, stands for them.
     */
    @Test
    void theGatewayReachesWhatIsNamedAndNothingElse() {
        String machine = "http://" + machine();
        soon().untilAsserted(() -> {
            assertThat(gateway.ask(machine + ":6443/")).isEqualTo(REFUSED);
            assertThat(gateway.ask(machine + ":14000/")).isEqualTo(REFUSED);
            assertThat(visitor.ask(machine + ":9/")).isEqualTo(REFUSED);
        });
        assertThat(gateway.ask(machine + ":9/")).isEqualTo(NO_ANSWER);

        String host = host("elsewhere");
        String[] request = {
            "--insecure", "--resolve", host + ":443:" + service.getFirst(), "https://" + host + "/"
        };
        soon().untilAsserted(() -> assertThat(visitor.ask(request)).isEqualTo("504"));
        cluster.kubectl().ok("label", "namespace", stranger.name(), LABEL);
        soon().untilAsserted(() -> assertThat(visitor.ask(request)).isEqualTo("200"));
    }

    /** Clients by IPv6, backends by IPv6, and Pods of both that listen by IPv4 only. */
    @Test
    void bothAddressFamiliesAreServed() {
        assumeTrue(node.size() == 2, "this machine has no IPv6, see conformance/cluster");
        shop.apply(
                """
                apiVersion: v1
                kind: Service
                metadata: {name: six}
                spec:
                  selector: {app: shop}
                  ipFamilyPolicy: SingleStack
                  ipFamilies: [IPv6]
                  ports: [{name: http, port: 80, targetPort: http}]
                """,
                String.format(
                        Locale.ROOT,
                        """
                        apiVersion: v1
                        kind: Pod
                        metadata: {name: half, labels: {app: half}}
                        spec:
                          containers:
                            - name: echo
                              image: %s
                              args: [-listen=0.0.0.0:8080]
                              ports: [{name: http, containerPort: 8080}]
                        ---
                        apiVersion: v1
                        kind: Service
                        metadata: {name: half}
                        spec:
                          selector: {app: half}
                          ipFamilyPolicy: RequireDualStack
                          ports: [{name: http, port: 80, targetPort: http}]
                        """,
                        Manifests.ECHO_IMAGE),
                classed("families")
                        .route(host("shop"), "/six", "Prefix", "six")
                        .route(host("shop"), "/half", "Prefix", "half")
                        .yaml());

        awaitServed(service.getLast(), 443, "/");
        awaitServed(gateway.hosts().getLast(), 8443, "/six");
        awaitServed(service.getLast(), 443, "/half");
        // The other replica may know a moment later.
        soon().untilAsserted(() -> {
            for (int i = 0; i < 20; i++) {
                assertThat(served(service.getLast(), 443, "/half")).isEqualTo("200");
            }
        });
        soon().untilAsserted(() ->
                assertThat(
                                Json.items(
                                                shop.get("ingress/shop")
                                                        .at("/status/loadBalancer/ingress"))
                                        .map(each -> each.path("ip").asString()))
                        .containsExactlyInAnyOrderElementsOf(node));
    }

    /** The values of docs/rbac.md, with other addresses. */
    private static String documented() throws IOException {
        String page = Files.readString(Distribution.home().resolve("docs/rbac.md"));
        Matcher matcher = DOCUMENTED.matcher(page);
        assertThat(matcher.find()).isTrue();
        String machine = machine() + "/32";
        String values =
                matcher.group(1)
                        .replace("192.0.2.1/32", machine)
                        .replace("ports: [{port: 443}]", "ports: [{port: 14000}]");
        assertThat(values).contains(machine, "{port: 14000}");
        return values;
    }

    private static String machine() {
        return cluster.bed().host().getHostAddress();
    }

    private static void awaitServed(String address, int port, String path) {
        soon().ignoreExceptions()
                .untilAsserted(() -> assertThat(served(address, port, path)).isEqualTo("200"));
    }

    /** By the shop, with a certificate of its own. */
    private static String served(String address, int port, String path) {
        String at = host("shop") + ":" + port;
        return visitor.ask(
                "--cacert",
                authority.toString(),
                "--resolve",
                at + ":" + address,
                "https://" + at + path);
    }

    private static Manifests.Ingress classed(String name) {
        return Manifests.ingress(name).spec("  ingressClassName: " + edge.name() + "\n");
    }

    private static String host(String name) {
        return name + "." + edge.name() + ".example";
    }

    private static ConditionFactory soon() {
        return await().atMost(SOON);
    }
}

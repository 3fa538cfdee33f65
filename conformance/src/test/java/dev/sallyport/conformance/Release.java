package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;

/**
 * The chart with the project's image, installed in a namespace and called like it.
 *
 * @param cluster where it is installed
 * @param edge its namespace, which takes Pods of the standard "restricted" only
 */
record Release(Cluster cluster, Namespace edge) {

    private static final Duration ROLLOUT = Duration.ofMinutes(3);
    private static final Duration GOODBYE = Duration.ofMinutes(2);

    /** Of a namespace that has nothing yet; the image is made known to the cluster. */
    static Release in(Cluster cluster, Namespace edge) {
        Image.loaded(cluster);
        cluster.kubectl()
                .ok(
                        "label",
                        "namespace",
                        edge.name(),
                        "pod-security.kubernetes.io/enforce=restricted");
        return new Release(cluster, edge);
    }

    Helm helm() {
        return Helm.in(edge);
    }

    /** What it calls its objects. */
    String name() {
        return edge.name() + "-sallyport";
    }

    /** A file of values in a folder: the image, a class called like the release, and more. */
    Path values(Path work, String more) {
        return values(work, "{type: NodePort}", more);
    }

    /**
     * The same with certificates by Pebble, who comes to ports 80 and 443 of the test bed's node.
     *
     * @param node its addresses that are the Service's, too
     */
    Path issuingValues(Path work, Acme acme, List<String> node, String more) {
        edge.apply(
                "apiVersion: v1\nkind: Secret\nmetadata: {name: acme-ca}\ndata: {ca.crt: "
                        + Manifests.base64(new String(acme.authorityPem(), US_ASCII))
                        + "}\n");
        String issuing =
                String.format(
                        Locale.ROOT,
                        """
                        config:
                          acme:
                            directory: %s
                            agree-terms: true
                            contacts: [admin@shop.example]
                            ca-file: /etc/acme/ca.crt
                        extraVolumes: [{name: acme-ca, secret: {secretName: acme-ca}}]
                        extraVolumeMounts: [{name: acme-ca, mountPath: /etc/acme, readOnly: true}]
                        """,
                        acme.directory());
        String atNode =
                String.format(
                        Locale.ROOT,
                        "{type: NodePort, externalTrafficPolicy: Cluster, ipFamilyPolicy: %s, externalIPs: %s}",
                        node.size() == 1 ? "SingleStack" : "RequireDualStack",
                        JsonMapper.shared().writeValueAsString(node));
        return values(work, atNode, issuing + more);
    }

    private Path values(Path work, String service, String more) {
        String reference = Image.loaded(cluster).reference();
        int colon = reference.lastIndexOf(':');
        return Helm.values(
                work,
                String.format(
                                Locale.ROOT,
                                """
                                image: {repository: %s, tag: %s}
                                ingressClass: {name: %s}
                                service: %s
                                """,
                                reference.substring(0, colon),
                                reference.substring(colon + 1),
                                edge.name(),
                                service)
                        + more);
    }

    /** Until its Pods are ready; what they say where they are not. */
    void install(Path values) {
        Ran ran =
                helm().run(
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
                            + edge.kubectl().run("logs", "deployment/" + name()).all());
        }
    }

    /** Runs one of the program's commands in a Pod. */
    String command(String... words) {
        String[] all = new String[words.length + 4];
        all[0] = "exec";
        all[1] = "deployment/" + name();
        all[2] = "--";
        all[3] = "sallyport";
        System.arraycopy(words, 0, all, 4, words.length);
        return edge.kubectl().ok(all);
    }

    /** Uninstalls it; nothing of it is left of any kind that the API server lists, anywhere. */
    void uninstallWithoutATrace() {
        helm().ok("uninstall", edge.name(), "--wait");
        String ours = "--selector=app.kubernetes.io/instance=" + edge.name();
        await().atMost(GOODBYE)
                .until(() -> edge.kubectl().ok("get", "pods", ours, "--output=name").isEmpty());
        String kinds =
                cluster.kubectl()
                        .ok("api-resources", "--verbs=list", "--output=name")
                        .lines()
                        .filter(kind -> !kind.equals("componentstatuses"))
                        .collect(joining(","));
        // EndpointSlices are the garbage collector's.
        await().atMost(GOODBYE)
                .untilAsserted(() ->
                        assertThat(
                                        cluster.kubectl()
                                                .ok(
                                                        "get",
                                                        kinds,
                                                        "--all-namespaces",
                                                        ours,
                                                        "--output=name"))
                                .isEmpty());
        assertThat(edge.kubectl().ok("get", "secrets", "--selector=owner=helm")).isEmpty();
    }

    /** The unique ids of its Pods, of which none is to end. */
    Set<String> pods() {
        return Json.items(edge.get("pods").path("items"))
                .filter(pod -> pod.path("metadata").path("deletionTimestamp").isMissingNode())
                .map(pod -> pod.path("metadata").path("uid").stringValue())
                .collect(toSet());
    }
}

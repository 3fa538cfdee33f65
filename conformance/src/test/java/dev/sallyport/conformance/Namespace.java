package dev.sallyport.conformance;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;

/** A namespace of one test, deleted with all that is in it. */
final class Namespace implements AutoCloseable {

    private static final Duration ROLLOUT = Duration.ofMinutes(2);

    private final Cluster cluster;
    private final Kubectl kubectl;

    private Namespace(Cluster cluster, Kubectl kubectl) {
        this.cluster = cluster;
        this.kubectl = kubectl;
    }

    static Namespace create(Cluster cluster) {
        String name =
                String.format(
                        Locale.ROOT,
                        "test-%08x",
                        ThreadLocalRandom.current().nextLong(1L << Integer.SIZE));
        cluster.kubectl().ok("create", "namespace", name);
        return new Namespace(cluster, cluster.kubectl().in(name));
    }

    String name() {
        return kubectl.namespace();
    }

    /** kubectl with every right, in this namespace. */
    Kubectl kubectl() {
        return kubectl;
    }

    /**
     * Makes objects what these documents say. What {@link Manifests} writes is for namespace {@code
     * default}; here it is for this one.
     */
    Namespace apply(String... documents) {
        kubectl.apply(
                Stream.of(documents)
                        .map(each -> each.replace("\n  namespace: default\n", "\n"))
                        .toArray(String[]::new));
        return this;
    }

    /** Starts Pods that answer with what they were asked, behind a Service's port 80. */
    Namespace echo(String name, int replicas) {
        apply(Manifests.echoPods(name, replicas));
        kubectl.awaitRollout(name, ROLLOUT);
        // The slices follow the Pods; after an outage of the API server by seconds.
        Awaitility.await("endpoints of " + name)
                .atMost(ROLLOUT)
                .until(() -> readyEndpoints(name) >= replicas);
        return this;
    }

    private long readyEndpoints(String service) {
        return Json.items(get("endpointslices.discovery.k8s.io").path("items"))
                .filter(slice ->
                        slice.at("/metadata/labels/kubernetes.io~1service-name")
                                .asString("")
                                .equals(service))
                .flatMap(slice -> Json.items(slice.path("endpoints")))
                .filter(endpoint -> endpoint.at("/conditions/ready").asBoolean(false))
                .count();
    }

    /** An object, {@code kind/name}. */
    JsonNode get(String object) {
        return kubectl.get(object);
    }

    /** Whether there is an Event about an object of this name. */
    boolean hasEvent(String about, String reason) {
        return Json.items(get("events.events.k8s.io").path("items"))
                .filter(each -> each.path("reason").asString("").equals(reason))
                .map(each -> each.at("/regarding/name").asString(""))
                .anyMatch(about::equals);
    }

    /** A way to a port of a Service. */
    Way wayTo(String service, int port) {
        return cluster.wayTo(name(), service, port);
    }

    /** A kubeconfig of a ServiceAccount of this namespace, see {@link Cluster#kubeconfigOf}. */
    Path kubeconfigOf(String serviceAccount, Path file) {
        return cluster.kubeconfigOf(name(), serviceAccount, file);
    }

    /** Every right in this namespace without kubectl. A kubeconfig is written into a folder. */
    Api api(Path work) {
        apply(
                """
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: tester}
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: RoleBinding
                metadata: {name: tester}
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
                subjects: [{kind: ServiceAccount, name: tester}]
                """);
        return Api.of(kubeconfigOf("tester", work.resolve("tester.conf")), name());
    }

    /** Nobody waits for its end; the name is not used again. */
    @Override
    public void close() {
        kubectl.ok("delete", "namespace", name(), "--wait=false");
    }
}

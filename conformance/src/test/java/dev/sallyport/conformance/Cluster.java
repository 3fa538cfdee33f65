package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The cluster that a run of tests has: the project's own test bed, or the one of a kubeconfig that
 * was given (./verify --kubeconfig). Tests share it; each has namespaces of its own.
 */
final class Cluster implements AutoCloseable {

    private static final String GIVEN = "sallyport.kubeconfig";
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final int ECHO_PORT = 8080;
    private static final JsonMapper JSON = JsonMapper.shared();

    private final Optional<TestBed> bed;
    private final Kubectl kubectl;
    private @Nullable Boolean reachesPods;

    private Cluster(Optional<TestBed> bed, Kubectl kubectl) {
        this.bed = bed;
        this.kubectl = kubectl;
    }

    /** Whether a kubeconfig was given: its cluster is not ours to break. */
    static boolean isGiven() {
        return !System.getProperty(GIVEN, "").isEmpty();
    }

    /** The cluster of the kubeconfig that was given, or else the test bed, brought up. */
    static Cluster open() {
        if (isGiven()) {
            Path kubeconfig = Path.of(System.getProperty(GIVEN));
            if (!Files.isReadable(kubeconfig)) {
                throw new AssertionError(GIVEN + ": " + kubeconfig + " (expected: a kubeconfig)");
            }
            String kubectl = TestBed.program("kubectl", "kubernetes");
            return new Cluster(
                    Optional.empty(), new Kubectl(List.of(kubectl), kubeconfig, "default"));
        }
        TestBed bed = TestBed.hold();
        return new Cluster(
                Optional.of(bed),
                new Kubectl(
                        bed.command("kubectl"), bed.state().resolve("pki/admin.conf"), "default"));
    }

    /** The test bed. A test that needs it is marked so: {@link Need#NODE}. */
    TestBed bed() {
        return bed.orElseThrow(
                () -> new AssertionError("a given cluster has no node of ours: " + GIVEN));
    }

    /** kubectl with every right. */
    Kubectl kubectl() {
        return kubectl;
    }

    /** A kubeconfig with every right. */
    Path kubeconfig() {
        return kubectl.kubeconfig();
    }

    /** A new namespace. */
    Namespace namespace() {
        return Namespace.create(this);
    }

    /**
     * Writes a kubeconfig with a token of a ServiceAccount: whoever uses it has that account's
     * rights and no more.
     */
    Path kubeconfigOf(String namespace, String serviceAccount, Path file) {
        String token =
                kubectl.in(namespace)
                        .ok("create", "token", serviceAccount, "--duration=24h")
                        .strip();
        JsonNode own =
                JSON.readTree(
                        kubectl.ok(
                                "config", "view", "--minify", "--raw", "--flatten", "-o", "json"));
        Map<String, Object> config =
                Map.of(
                        "apiVersion",
                        "v1",
                        "kind",
                        "Config",
                        "clusters",
                        List.of(
                                Map.of(
                                        "name",
                                        "cluster",
                                        "cluster",
                                        own.path("clusters").path(0).path("cluster"))),
                        "users",
                        List.of(Map.of("name", serviceAccount, "user", Map.of("token", token))),
                        "contexts",
                        List.of(
                                Map.of(
                                        "name",
                                        "cluster",
                                        "context",
                                        Map.of(
                                                "cluster",
                                                "cluster",
                                                "user",
                                                serviceAccount,
                                                "namespace",
                                                namespace))),
                        "current-context",
                        "cluster");
        try {
            return Files.writeString(file, JSON.writeValueAsString(config), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether this machine has a route to Pods, as that of the test bed has. */
    synchronized boolean reachesPods() {
        if (bed.isPresent()) {
            return true;
        }
        if (reachesPods == null) {
            try (Namespace namespace = namespace()) {
                namespace.echo("echo", 1);
                String address = namespace.get("pods").at("/items/0/status/podIP").stringValue();
                reachesPods = Way.leadsTo(new InetSocketAddress(address, ECHO_PORT));
            }
        }
        return reachesPods;
    }

    /** The one process of a Pod with one container, on the test bed's node. */
    ProcessHandle processOf(JsonNode pod) {
        bed();
        String id = pod.at("/status/containerStatuses/0/containerID").stringValue();
        String container = id.substring(id.lastIndexOf('/') + 1);
        List<ProcessHandle> found =
                ProcessHandle.allProcesses()
                        .filter(each -> controlGroups(each).contains(container))
                        .toList();
        if (found.size() != 1) {
            throw new AssertionError(found + " (expected: one process of container " + id + ")");
        }
        return found.getFirst();
    }

    private static String controlGroups(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cgroup"));
        } catch (IOException ended) {
            return "";
        }
    }

    /** Makes the image in an archive known to the test bed's node. */
    void load(Path imageArchive) {
        bed().ok(LONG, "load", imageArchive.toString());
    }

    /** The words before a command that is to run in the network of the test bed's node. */
    List<String> inside() {
        return bed().command("in");
    }

    /** Runs a command in the network of the test bed's node. */
    Ran runInside(String... command) {
        return Ran.run(LONG, bed().command(concat("in", command)));
    }

    /**
     * A program of the test bed: {@code stop}, {@code kill}, {@code start}, {@code pause} or {@code
     * continue} it.
     */
    void program(String verb, String name) {
        bed().ok(LONG, "program", verb, name);
    }

    /**
     * A way to a port of a Service, which has Pods, from here: straight where there is a route, as
     * to the test bed's, through a tunnel else.
     */
    Way wayTo(String namespace, String service, int port) {
        String clusterIp =
                kubectl.in(namespace)
                        .get("service/" + service)
                        .path("spec")
                        .path("clusterIP")
                        .stringValue();
        var address = new InetSocketAddress(clusterIp, port);
        return bed.isPresent() || Way.leadsTo(address)
                ? Way.straight(address)
                : Way.tunnel(kubectl.in(namespace), "service/" + service, port);
    }

    private static String[] concat(String first, String... rest) {
        String[] all = new String[rest.length + 1];
        all[0] = first;
        System.arraycopy(rest, 0, all, 1, rest.length);
        return all;
    }

    @Override
    public void close() {
        bed.ifPresent(TestBed::close);
    }
}

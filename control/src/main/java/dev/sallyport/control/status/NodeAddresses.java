package dev.sallyport.control.status;

import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.resource.LoadBalancerAddress;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses of the nodes that run ready Pods of this gateway: the external ones, of a node
 * without one the internal. Nodes are looked up by name, so that no right to list them all is
 * needed.
 *
 * <p>Concurrency: {@link #refresh} by one thread; read by anybody.
 */
public final class NodeAddresses implements AddressSource {
    private static final Logger log = LoggerFactory.getLogger(NodeAddresses.class);

    /** What tells the Pods of one installation from others. */
    private static final List<String> LABELS =
            List.of("app.kubernetes.io/name", "app.kubernetes.io/instance");

    /** What tells them from the installation's other Pods, such as that of {@code helm test}. */
    private static final String COMPONENT = "app.kubernetes.io/component";

    private static final int MOST_NODES = 100; // in one status; the first by name

    private final KubernetesClient client;
    private final BoundedCalls calls;
    private final String namespace;
    private final String pod;
    private String told = "";
    private volatile @Nullable List<LoadBalancerAddress> known;

    /**
     * @param client one that does not retry; stays the caller's
     * @param calls bounds each request
     * @param namespace of the Pod that this process runs in
     * @param pod the Pod that this process runs in
     */
    public NodeAddresses(
            KubernetesClient client, BoundedCalls calls, String namespace, String pod) {
        this.client = client;
        this.calls = calls;
        this.namespace = namespace;
        this.pod = pod;
    }

    @Override
    public void start(Runnable changed) {}

    @Override
    public void refresh() throws InterruptedException {
        try {
            known = look();
            told = "";
        } catch (RuntimeException failed) {
            String what = ApiFault.answer(failed);
            if (!what.equals(told)) {
                told = what;
                tell(failed, what);
            }
        }
    }

    @Override
    public Optional<List<LoadBalancerAddress>> addresses() {
        return Optional.ofNullable(known);
    }

    @Override
    public void close() {}

    private List<LoadBalancerAddress> look() throws InterruptedException {
        Pod own = calls.make(() -> client.pods().inNamespace(namespace).withName(pod).get());
        if (own == null) {
            throw new IllegalStateException(
                    "no Pod " + namespace + "/" + pod + " (POD_NAMESPACE and POD_NAME name it)");
        }
        Set<String> nodes = new TreeSet<>();
        for (Pod one : siblings(own)) {
            if (isRunning(one) && (isReady(one) || isSame(one, own))) {
                nodes.add(one.getSpec().getNodeName());
            }
        }
        List<LoadBalancerAddress> addresses = new ArrayList<>();
        for (String name : nodes.stream().limit(MOST_NODES).toList()) {
            Node node = calls.make(() -> client.nodes().withName(name).get());
            if (node != null) {
                addresses.addAll(of(node));
            }
        }
        return addresses.stream().distinct().sorted(LoadBalancerAddress.ORDER).toList();
    }

    private List<Pod> siblings(Pod own) throws InterruptedException {
        Map<String, String> labels = own.getMetadata().getLabels();
        Map<String, String> selector = new HashMap<>();
        for (String label : LABELS) {
            String value = labels == null ? null : labels.get(label);
            if (value != null) {
                selector.put(label, value);
            }
        }
        if (selector.size() < LABELS.size()) {
            return List.of(own); // whose the others are cannot be told
        }
        String component = labels == null ? null : labels.get(COMPONENT);
        if (component != null) {
            selector.put(COMPONENT, component);
        }
        return calls.make(
                () -> client.pods().inNamespace(namespace).withLabels(selector).list().getItems());
    }

    private static boolean isSame(Pod one, Pod other) {
        return Objects.equals(one.getMetadata().getUid(), other.getMetadata().getUid());
    }

    /** Clients of another one's node would get nothing. */
    private static boolean isReady(Pod pod) {
        return pod.getStatus().getConditions() != null
                && pod.getStatus().getConditions().stream()
                        .anyMatch(condition ->
                                "Ready".equals(condition.getType())
                                        && "True".equals(condition.getStatus()));
    }

    private static boolean isRunning(Pod pod) {
        return pod.getMetadata().getDeletionTimestamp() == null
                && pod.getStatus() != null
                && "Running".equals(pod.getStatus().getPhase())
                && pod.getSpec() != null
                && pod.getSpec().getNodeName() != null;
    }

    static List<LoadBalancerAddress> of(Node node) {
        List<LoadBalancerAddress> external = ofType(node, "ExternalIP");
        return external.isEmpty() ? ofType(node, "InternalIP") : external;
    }

    private static List<LoadBalancerAddress> ofType(Node node, String type) {
        List<NodeAddress> all =
                node.getStatus() == null
                        ? List.of()
                        : Objects.requireNonNullElse(node.getStatus().getAddresses(), List.of());
        return all.stream()
                .filter(address -> type.equals(address.getType()))
                .<LoadBalancerAddress>map(
                        address -> new LoadBalancerAddress.Ip(address.getAddress()))
                .toList();
    }

    private static void tell(RuntimeException failed, String what) {
        String message =
                ApiFault.of(failed) == ApiFault.FORBIDDEN
                        ? "no status of Ingresses without addresses: the rights to get and list Pods in this"
                                + " namespace and to get nodes are lacking; or give --publish-address or"
                                + " --publish-service"
                        : "the nodes of this gateway cannot be looked up";
        log.atWarn().addKeyValue("answer", what).log(message);
    }
}

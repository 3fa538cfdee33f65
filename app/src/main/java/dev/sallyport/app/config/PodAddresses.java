package dev.sallyport.app.config;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The addresses of the pod that the gateway runs in, as the downward API puts them into the
 * environment: {@code POD_IPS} or {@code POD_IP} ({@code status.podIPs}), and {@code HOST_IP}
 * ({@code status.hostIP}), which tells a pod in its node's network.
 */
final class PodAddresses {
    private static final List<String> OF_POD = List.of("POD_IPS", "POD_IP");
    private static final String OF_NODE = "HOST_IP";

    private PodAddresses() {}

    /** Those that are the pod's alone. */
    static Set<InetAddress> of(Map<String, String> environment, List<Problem> problems) {
        Set<InetAddress> pod = new HashSet<>();
        OF_POD.forEach(variable -> pod.addAll(read(variable, environment, problems)));
        boolean shared = read(OF_NODE, environment, problems).stream().anyMatch(pod::contains);
        return shared ? Set.of() : pod;
    }

    private static List<InetAddress> read(
            String variable, Map<String, String> environment, List<Problem> problems) {
        List<InetAddress> addresses = new ArrayList<>();
        for (String text : environment.getOrDefault(variable, "").split(",", -1)) {
            if (text.isBlank()) {
                continue;
            }
            try {
                addresses.add(InetAddress.ofLiteral(text.strip()));
            } catch (IllegalArgumentException notAnAddress) {
                problems.add(
                        new Problem(
                                new Source.Environment(variable),
                                "",
                                text + " (expected: an IP address, as the downward API has it)"));
            }
        }
        return addresses;
    }
}

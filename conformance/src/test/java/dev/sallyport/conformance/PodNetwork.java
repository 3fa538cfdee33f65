package dev.sallyport.conformance;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * The network of a Pod on the test bed's node: what is asked from there has the Pod's address.
 *
 * @param process the Pod's process
 * @param hosts the Pod's addresses as a URL has them, that by IPv4 first
 */
record PodNetwork(ProcessHandle process, List<String> hosts) {

    /** What {@link #ask} says where packets get no answer. */
    static final String NO_ANSWER = "no answer";

    /** What {@link #ask} says where packets come through, and nobody listens. */
    static final String REFUSED = "refused";

    /** A connection within the machine takes no millisecond. */
    private static final String CONNECT_SECONDS = "2";

    private static final int NO_CONNECTION = 7;
    private static final int TIMED_OUT = 28;

    PodNetwork {
        hosts = List.copyOf(hosts);
    }

    /** Of the first Pod of a namespace, which has one container. */
    static PodNetwork in(Cluster cluster, Namespace namespace) {
        JsonNode pod = namespace.get("pods").at("/items/0");
        return new PodNetwork(
                cluster.processOf(pod),
                Json.items(pod.at("/status/podIPs"))
                        .map(each -> host(each.path("ip").stringValue()))
                        .toList());
    }

    /** An address as a URL has it. */
    static String host(String address) {
        return address.contains(":") ? "[" + address + "]" : address;
    }

    /** The status that a URL is answered with, whoever answers; curl's arguments before it. */
    String ask(String... arguments) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "nsenter",
                                "--net=/proc/" + process.pid() + "/ns/net",
                                "curl",
                                "--silent",
                                "--noproxy",
                                "*",
                                "--globoff",
                                "--connect-timeout",
                                CONNECT_SECONDS,
                                "--output",
                                "/dev/null",
                                "--write-out",
                                "%{http_code}"));
        command.addAll(List.of(arguments));
        Ran ran = Ran.run(command.toArray(String[]::new));
        return switch (ran.exit()) {
            case 0 -> ran.out();
            case NO_CONNECTION -> REFUSED;
            case TIMED_OUT -> NO_ANSWER;
            default -> throw new AssertionError(ran.command() + ": " + ran.exit());
        };
    }
}

package dev.sallyport.model.upstream;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;

/**
 * Where the gateway itself can be reached: requests that were sent there would come back, or get at
 * what is not for clients.
 *
 * @param hosts addresses that nobody else has, as a pod's are: whatever the port
 * @param listening addresses shared with others, as a node's are, with the ports that are ours
 */
public record OwnAddresses(Set<InetAddress> hosts, Set<InetSocketAddress> listening) {
    /** Not known. */
    public static final OwnAddresses NONE = new OwnAddresses(Set.of(), Set.of());

    public OwnAddresses {
        hosts = Set.copyOf(hosts);
        listening = Set.copyOf(listening);
    }

    /** Whether a connection to {@code port} of {@code address} would be one to ourselves. */
    public boolean contains(InetAddress address, int port) {
        return hosts.contains(address)
                || (!listening.isEmpty()
                        && listening.contains(new InetSocketAddress(address, port)));
    }
}

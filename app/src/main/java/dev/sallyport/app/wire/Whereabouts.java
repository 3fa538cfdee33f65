package dev.sallyport.app.wire;

import dev.sallyport.app.config.BindAddress;
import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.model.upstream.OwnAddresses;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds out where the gateway can be reached, so that no endpoint leads back to it. */
final class Whereabouts {
    private static final Logger LOG = LoggerFactory.getLogger(Whereabouts.class);

    private Whereabouts() {}

    /** As far as it is known before anything is bound; interfaces that come later are not. */
    static OwnAddresses of(EffectiveConfig config) {
        List<BindAddress> listening = new ArrayList<>();
        config.listeners()
                .forEach(listener ->
                        listening.add(new BindAddress(listener.address(), listener.port())));
        listening.add(config.config().listeners().admin());
        return of(config.podAddresses(), listening, local());
    }

    /**
     * The pod's addresses where it has some for itself; and where the gateway listens, on all of
     * {@code local} where it does not choose.
     */
    static OwnAddresses of(
            Set<InetAddress> pod, List<BindAddress> listening, Set<InetAddress> local) {
        Set<InetSocketAddress> sockets = new HashSet<>();
        for (BindAddress bound : listening) {
            InetAddress address = InetAddress.ofLiteral(bound.host());
            if (bound.port() == 0) {
                continue; // the system's choice, not made yet
            }
            if (!address.isAnyLocalAddress()) {
                sockets.add(new InetSocketAddress(address, bound.port()));
                continue;
            }
            for (InetAddress one : local) {
                // A socket of [::] takes in IPv4 as well.
                if (one instanceof Inet4Address || !(address instanceof Inet4Address)) {
                    sockets.add(new InetSocketAddress(one, bound.port()));
                }
            }
        }
        return new OwnAddresses(pod, sockets);
    }

    private static Set<InetAddress> local() {
        Set<InetAddress> addresses = new HashSet<>();
        try {
            NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .forEach(addresses::add);
        } catch (SocketException unreadable) {
            LOG.atWarn()
                    .setCause(unreadable)
                    .log("the addresses of this machine cannot be read: endpoints may lead back");
        }
        return addresses;
    }
}

package dev.sallyport.control.translate;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Judges whether requests may be sent to an address. */
final class EndpointAddress {
    private EndpointAddress() {}

    private static final Pattern FOUR_NUMBERS = Pattern.compile("[0-9]+(\\.[0-9]+){3}");

    /**
     * The address that a text stands for without asking DNS, or null: IPv6, or IPv4 of four
     * numbers, since not everybody reads {@code 127.1} as the JDK does.
     */
    static @Nullable InetAddress literal(String text) {
        boolean known =
                text.indexOf(':') >= 0
                        ? text.indexOf('%') < 0
                        : FOUR_NUMBERS.matcher(text).matches();
        try {
            return known ? InetAddress.ofLiteral(text) : null;
        } catch (IllegalArgumentException notAnAddress) {
            return null;
        }
    }

    /** Why nobody may be sent there, or empty. IPv4 addresses mapped into IPv6 count as IPv4. */
    static Optional<String> forbidden(InetAddress address, boolean loopbackAllowed) {
        if (address.isLoopbackAddress()) {
            return loopbackAllowed ? Optional.empty() : Optional.of("a loopback address");
        }
        if (isMetadata(address)) {
            return Optional.of("a cloud's metadata service");
        }
        if (address.isLinkLocalAddress()) {
            return Optional.of("a link-local address");
        }
        if (address.isAnyLocalAddress() || isThisNetwork(address)) {
            return Optional.of("no host's address");
        }
        if (address.isMulticastAddress() || isBroadcast(address)) {
            return Optional.of("a multicast or broadcast address");
        }
        return Optional.empty();
    }

    private static boolean isMetadata(InetAddress address) {
        String text = address.getHostAddress();
        return text.equals("169.254.169.254") || text.equals("fd00:ec2:0:0:0:0:0:254");
    }

    private static boolean isThisNetwork(InetAddress address) {
        return address instanceof Inet4Address && address.getAddress()[0] == 0;
    }

    private static boolean isBroadcast(InetAddress address) {
        return address.getHostAddress().equals("255.255.255.255");
    }
}

package dev.sallyport.model.upstream;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which addresses may be connected to. Asked about every endpoint that is written, and again after
 * a name was resolved, so that a name which points at the node itself or at a cloud's metadata
 * service leads nowhere.
 *
 * @param loopback whether 127.0.0.0/8 and ::1 are allowed: for a folder of manifests on one's own
 *     machine, never with a cluster
 * @param own where the gateway itself can be reached
 */
public record AddressGuard(boolean loopback, OwnAddresses own) {
    private static final Pattern FOUR_NUMBERS = Pattern.compile("[0-9]+(\\.[0-9]+){3}");

    /** Metadata services; 169.254.169.254 is told apart from other link-local addresses. */
    private static final Set<InetAddress> METADATA =
            List.of(
                            "169.254.169.254", // nearly everybody
                            "100.100.100.200", // Alibaba
                            "168.63.129.16", // Azure
                            "192.0.0.192", // Oracle
                            "fd00:ec2::254", // AWS
                            "fd00:ec2::23", // AWS, credentials of pods
                            "fd20:ce::254", // Google
                            "fd00:c1::a9fe:a9fe", // Oracle
                            "fd00:42::42") // Scaleway
                    .stream()
                    .map(InetAddress::ofLiteral)
                    .collect(Collectors.toUnmodifiableSet());

    /** One that does not know where the gateway itself can be reached. */
    public AddressGuard(boolean loopback) {
        this(loopback, OwnAddresses.NONE);
    }

    /**
     * The address that a text stands for without asking DNS, or null: IPv6, or IPv4 of four
     * numbers, since not everybody reads {@code 127.1} as the JDK does.
     */
    public static @Nullable InetAddress literal(String text) {
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

    /** Whether a connection may be made. */
    public boolean allows(InetAddress address, int port) {
        return refusal(address, port).isEmpty();
    }

    /** What speaks against a connection: {@code a link-local address}; empty where nothing does. */
    public Optional<String> refusal(InetAddress address, int port) {
        InetAddress plain = embedded(address);
        if (own.contains(plain, port)) {
            return Optional.of("the gateway's own address");
        }
        if (plain.isLoopbackAddress()) {
            return loopback ? Optional.empty() : Optional.of("a loopback address");
        }
        if (METADATA.contains(plain)) {
            return Optional.of("a cloud's metadata service");
        }
        if (plain.isLinkLocalAddress()) {
            return Optional.of("a link-local address");
        }
        if (plain.isAnyLocalAddress() || isThisNetwork(plain)) {
            return Optional.of("no host's address");
        }
        if (plain.isMulticastAddress() || isBroadcast(plain)) {
            return Optional.of("a multicast or broadcast address");
        }
        return Optional.empty();
    }

    /** Whether requests sent to it would come back. */
    public boolean isOwn(InetAddress address, int port) {
        return own.contains(embedded(address), port);
    }

    /**
     * IPv4 addresses also travel inside IPv6 ones: mapped (the JDK unwraps them), compatible,
     * NAT64, 6to4.
     */
    private static InetAddress embedded(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length != 16) {
            return address;
        }
        boolean nat64 =
                bytes[0] == 0
                        && bytes[1] == 0x64
                        && (bytes[2] & 0xff) == 0xff
                        && (bytes[3] & 0xff) == 0x9b
                        && zero(bytes, 4, 12);
        boolean compatible = zero(bytes, 0, 12) && !zero(bytes, 12, 15);
        if (nat64 || compatible) {
            return ofBytes(Arrays.copyOfRange(bytes, 12, 16));
        }
        boolean sixToFour = bytes[0] == 0x20 && bytes[1] == 0x02;
        return sixToFour ? ofBytes(Arrays.copyOfRange(bytes, 2, 6)) : address;
    }

    private static boolean zero(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean isThisNetwork(InetAddress address) {
        byte[] bytes = address.getAddress();
        return bytes.length == 4 && bytes[0] == 0;
    }

    private static boolean isBroadcast(InetAddress address) {
        byte[] bytes = address.getAddress();
        return bytes.length == 4
                && bytes[0] == -1
                && bytes[1] == -1
                && bytes[2] == -1
                && bytes[3] == -1;
    }

    private static InetAddress ofBytes(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException wrongLength) {
            throw new IllegalArgumentException("address: not 4 or 16 bytes", wrongLength);
        }
    }
}

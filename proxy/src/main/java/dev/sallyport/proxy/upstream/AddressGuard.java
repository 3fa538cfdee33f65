package dev.sallyport.proxy.upstream;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.util.Set;

/**
 * Which addresses may be connected to. Asked after a name was resolved, so that a name which points
 * at the node itself or at a cloud's metadata service leads nowhere.
 *
 * @param loopback whether 127.0.0.0/8 and ::1 are allowed: for a folder of manifests on one's own
 *     machine, never with a cluster
 */
public record AddressGuard(boolean loopback) {

    /** Metadata services that are not link-local: AWS (IPv6), Alibaba, Azure, Oracle. */
    private static final Set<InetAddress> METADATA =
            Set.of(
                    literal("fd00:ec2::254"),
                    literal("100.100.100.200"),
                    literal("168.63.129.16"),
                    literal("192.0.0.192"));

    /** Whether a connection may be made. */
    public boolean allows(InetAddress address) {
        InetAddress plain = embedded(address);
        if (plain.isLoopbackAddress()) {
            return loopback;
        }
        return !plain.isAnyLocalAddress()
                && !plain.isLinkLocalAddress()
                && !plain.isMulticastAddress()
                && !isBroadcast(plain)
                && !METADATA.contains(plain);
    }

    /** IPv4 addresses also travel inside IPv6 ones: mapped (JDK unwraps), compatible, NAT64. */
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
        return nat64 || compatible ? ofBytes(java.util.Arrays.copyOfRange(bytes, 12, 16)) : address;
    }

    private static boolean zero(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean isBroadcast(InetAddress address) {
        byte[] bytes = address.getAddress();
        return bytes.length == 4
                && bytes[0] == -1
                && bytes[1] == -1
                && bytes[2] == -1
                && bytes[3] == -1;
    }

    private static InetAddress literal(String text) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(text);
        if (bytes == null) {
            throw new IllegalArgumentException("address: " + text + " (expected: an IP address)");
        }
        return ofBytes(bytes);
    }

    static InetAddress ofBytes(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (java.net.UnknownHostException wrongLength) {
            throw new IllegalArgumentException("address: not 4 or 16 bytes", wrongLength);
        }
    }
}

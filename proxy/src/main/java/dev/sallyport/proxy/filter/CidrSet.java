package dev.sallyport.proxy.filter;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A set of address blocks, {@code 10.0.0.0/8} or {@code 2001:db8::/32}; an address alone is a block
 * of one. IPv4 addresses written as IPv6 ({@code ::ffff:10.0.0.1}) are IPv4.
 */
public final class CidrSet {
    private static final int IPV4_IN_IPV6 = 96; // bits before the IPv4 address

    private final Block[] blocks;

    private CidrSet(Block[] blocks) {
        this.blocks = blocks;
    }

    /**
     * Reads the blocks.
     *
     * @throws IllegalArgumentException with a text for whoever wrote them
     */
    public static CidrSet parse(List<String> texts) {
        return new CidrSet(texts.stream().map(Block::parse).toArray(Block[]::new));
    }

    /** Whether one of the blocks has it; an unresolved address (null) is in none. */
    public boolean contains(@Nullable InetAddress address) {
        if (blocks.length == 0 || address == null) {
            return false;
        }
        byte[] bytes = withoutMapping(address.getAddress());
        for (Block block : blocks) {
            if (block.contains(bytes)) {
                return true;
            }
        }
        return false;
    }

    private static byte[] withoutMapping(byte[] bytes) {
        return isMapped(bytes) ? java.util.Arrays.copyOfRange(bytes, 12, 16) : bytes;
    }

    private static boolean isMapped(byte[] bytes) {
        if (bytes.length != 16 || bytes[10] != -1 || bytes[11] != -1) {
            return false;
        }
        for (int i = 0; i < 10; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    private static final class Block {
        private final byte[] address;
        private final int bits;

        private Block(byte[] address, int bits) {
            this.address = address;
            this.bits = bits;
        }

        static Block parse(String text) {
            int slash = text.indexOf('/');
            String ip = slash < 0 ? text : text.substring(0, slash);
            byte[] bytes = NetUtil.createByteArrayFromIpAddressString(ip);
            if (bytes == null) {
                throw wrong(text);
            }
            int bits = slash < 0 ? bytes.length * 8 : parseBits(text, slash + 1);
            if (bits > bytes.length * 8) {
                throw wrong(text);
            }
            if (isMapped(bytes) && bits >= IPV4_IN_IPV6) {
                bytes = withoutMapping(bytes);
                bits -= IPV4_IN_IPV6;
            }
            return new Block(bytes, bits);
        }

        boolean contains(byte[] other) {
            if (other.length != address.length) {
                return false;
            }
            int whole = bits / 8;
            for (int i = 0; i < whole; i++) {
                if (address[i] != other[i]) {
                    return false;
                }
            }
            int rest = bits % 8;
            return rest == 0 || ((address[whole] ^ other[whole]) & 0xff) >> (8 - rest) == 0;
        }

        private static int parseBits(String text, int from) {
            int length = text.length() - from;
            if (length < 1 || length > 3) {
                throw wrong(text);
            }
            int bits = 0;
            for (int i = from; i < text.length(); i++) {
                char c = text.charAt(i);
                if (c < '0' || c > '9') {
                    throw wrong(text);
                }
                bits = bits * 10 + (c - '0');
            }
            return bits;
        }

        private static IllegalArgumentException wrong(String text) {
            return new IllegalArgumentException(
                    "trusted-proxies: "
                            + text
                            + " (expected: an address block such as 10.0.0.0/8 or 2001:db8::/32)");
        }
    }
}

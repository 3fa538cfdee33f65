package dev.sallyport.acme.order;

import dev.sallyport.model.upstream.AddressGuard;
import java.net.InetAddress;
import java.util.Optional;

/**
 * Whether an address is one of the Internet's. A CA's name that leads to a private network would
 * have us ask whoever is there.
 */
final class PublicAddress {
    private static final AddressGuard GUARD = new AddressGuard(false);

    private PublicAddress() {}

    /** What speaks against it: {@code a private address}; empty where nothing does. */
    static Optional<String> refusal(InetAddress address, int port) {
        Optional<String> never = GUARD.refusal(address, port);
        if (never.isPresent()) {
            return never;
        }
        return isPrivate(address.getAddress())
                ? Optional.of("a private address")
                : Optional.empty();
    }

    /** RFC 1918, RFC 6598, RFC 4193, and the old site-local ones; also inside NAT64 and 6to4. */
    private static boolean isPrivate(byte[] bytes) {
        if (bytes.length == 4) {
            return isPrivate(bytes[0] & 0xff, bytes[1] & 0xff);
        }
        int first = ((bytes[0] & 0xff) << 8) | (bytes[1] & 0xff);
        int second = ((bytes[2] & 0xff) << 8) | (bytes[3] & 0xff);
        return (first & 0xfe00) == 0xfc00
                || (first & 0xffc0) == 0xfec0
                || (first == 0x2002 && isPrivate(bytes[2] & 0xff, bytes[3] & 0xff))
                || (first == 0x64
                        && second == 0xff9b
                        && isPrivate(bytes[12] & 0xff, bytes[13] & 0xff));
    }

    private static boolean isPrivate(int first, int second) {
        return first == 10
                || (first == 172 && (second & 0xf0) == 16)
                || (first == 192 && second == 168)
                || (first == 100 && (second & 0xc0) == 64)
                || (first == 198 && (second & 0xfe) == 18)
                || first >= 240;
    }
}

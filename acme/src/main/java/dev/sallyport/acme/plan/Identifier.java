package dev.sallyport.acme.plan;

import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.upstream.AddressGuard;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Comparator;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * What a certificate is asked to name: RFC 8555's identifiers of type dns, RFC 8738's of type ip.
 */
public sealed interface Identifier {
    /** By text: the one order in which sets of them are written. */
    Comparator<Identifier> ORDER = Comparator.comparing(Identifier::text);

    /** As it stands in an order: a name in lower-case ASCII, or an address as RFC 5952 has it. */
    String text();

    /** A DNS name, perhaps a wildcard. */
    record Dns(Hostname name) implements Identifier {
        @Override
        public String text() {
            return name.text();
        }

        /** Whether only DNS-01 can prove it. */
        public boolean isWildcard() {
            return name instanceof Hostname.Wildcard;
        }

        @Override
        public String toString() {
            return text();
        }
    }

    /** An address. */
    record Ip(InetAddress address) implements Identifier {
        @Override
        public String text() {
            return address instanceof Inet4Address
                    ? address.getHostAddress()
                    : compressed(address.getAddress());
        }

        @Override
        public String toString() {
            return text();
        }
    }

    /**
     * Reads a DNS name as people write it, or an address.
     *
     * @throws IllegalArgumentException with a text for its author, where it is neither
     */
    static Identifier parse(String written) {
        @Nullable InetAddress address = AddressGuard.literal(written.strip());
        return address == null ? new Dns(Hostname.parse(written)) : new Ip(address);
    }

    /** RFC 5952 section 4: no leading zeros, the longest run of zeros (of two or more) as "::". */
    private static String compressed(byte[] address) {
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = ((address[2 * i] & 0xff) << 8) | (address[2 * i + 1] & 0xff);
        }
        int from = -1;
        int longest = 1;
        for (int i = 0; i < 8; i++) {
            int length = 0;
            while (i + length < 8 && groups[i + length] == 0) {
                length++;
            }
            if (length > longest) {
                from = i;
                longest = length;
            }
        }
        return from < 0
                ? joined(groups, 0, 8)
                : joined(groups, 0, from) + "::" + joined(groups, from + longest, 8);
    }

    private static String joined(int[] groups, int from, int to) {
        var text = new StringJoiner(":");
        for (int i = from; i < to; i++) {
            text.add(Integer.toHexString(groups[i]));
        }
        return text.toString();
    }
}

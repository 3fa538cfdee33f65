package dev.sallyport.app.config;

import java.net.InetAddress;

/**
 * A block of IP addresses.
 *
 * @param address the first address, as it was written
 * @param prefix the number of leading bits that count
 */
public record Cidr(String address, int prefix) {
    private static final String FORM = "a CIDR block such as 10.0.0.0/8, fd00::/8 or 192.0.2.1";

    /**
     * Reads {@code 10.0.0.0/8}; an address alone is a block of one.
     *
     * @throws IllegalArgumentException with the expected form
     */
    static Cidr parse(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        try {
            int bits = InetAddress.ofLiteral(address).getAddress().length * 8;
            int prefix = slash < 0 ? bits : Integer.parseInt(text.substring(slash + 1));
            if (prefix < 0 || prefix > bits) {
                throw new IllegalArgumentException(FORM);
            }
            return new Cidr(address, prefix);
        } catch (IllegalArgumentException malformed) {
            throw new IllegalArgumentException(FORM, malformed);
        }
    }

    /** {@code 10.0.0.0/8}. */
    @Override
    public String toString() {
        return address + "/" + prefix;
    }
}

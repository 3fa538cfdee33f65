package dev.sallyport.acme.store;

import dev.sallyport.acme.issuer.Fingerprint;
import dev.sallyport.model.name.Hostname;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * What a certificate is called as long as it is wanted, whatever its names become: fit for a file's
 * name and for a label.
 *
 * @param text 1–200 lower-case letters, digits, '-', '_' and '.', the first a letter or digit
 */
public record CertificateId(String text) {
    private static final Pattern TEXT = Pattern.compile("[a-z0-9][a-z0-9._-]{0,199}");
    private static final int LONGEST_NAME = 160;

    /** That of the one for the gateway's own addresses: no host has it. */
    public static final CertificateId ADDRESSES = new CertificateId("own..addresses");

    public CertificateId {
        if (!TEXT.matcher(text).matches()) {
            throw new IllegalArgumentException(
                    "certificate: "
                            + text
                            + " (expected: 1–200 lower-case letters, digits, '-', '_' and '.')");
        }
    }

    /**
     * That of one host: no two hosts have the same. An exact name is its own; a wildcard, and a
     * name that does not begin as ids do, has two dots in a row, which no name has.
     */
    public static CertificateId of(Hostname host) {
        String text =
                switch (host) {
                    case Hostname.Exact(String name) when begins(name) -> name;
                    case Hostname.Exact(String name) -> "name.." + name;
                    case Hostname.Wildcard wildcard -> "any.." + wildcard.parent();
                };
        return new CertificateId(
                text.length() <= LONGEST_NAME
                        ? text
                        : text.substring(0, LONGEST_NAME) + ".." + digest(text));
    }

    private static boolean begins(String name) {
        char first = name.charAt(0);
        return first != '_' && first != '-';
    }

    private static String digest(String text) {
        return Fingerprint.of(16, text.getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public String toString() {
        return text;
    }
}

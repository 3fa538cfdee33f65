package dev.sallyport.acme.plan;

import dev.sallyport.model.name.Hostname;
import java.net.InetAddress;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The certificate that there is.
 *
 * @param identifiers what it names
 * @param key empty where it is of a kind that we never order
 * @param notBefore from when it is valid
 * @param notAfter until when it is valid; after {@code notBefore}
 * @param issuer the name of the configured issuer that it was ordered from
 * @param replaceable whether the issuer takes orders that say they replace it (RFC 9773)
 * @param outdated what about it is not as its issuer is configured by now, for people; empty where
 *     nothing is
 */
public record CurrentCertificate(
        Set<Identifier> identifiers,
        Optional<KeyAlgorithm> key,
        Instant notBefore,
        Instant notAfter,
        String issuer,
        boolean replaceable,
        Optional<String> outdated) {

    /** One that is as its issuer is configured. */
    public CurrentCertificate(
            Set<Identifier> identifiers,
            Optional<KeyAlgorithm> key,
            Instant notBefore,
            Instant notAfter,
            String issuer,
            boolean replaceable) {
        this(identifiers, key, notBefore, notAfter, issuer, replaceable, Optional.empty());
    }

    public CurrentCertificate {
        identifiers = Set.copyOf(identifiers);
        if (!notAfter.isAfter(notBefore)) {
            throw new IllegalArgumentException(
                    "notAfter: " + notAfter + " (expected: after " + notBefore + ")");
        }
    }

    /** What a leaf says of itself. */
    public static CurrentCertificate of(X509Certificate leaf, String issuer, boolean replaceable) {
        return new CurrentCertificate(
                identifiersOf(leaf),
                KeyAlgorithm.of(leaf.getPublicKey()),
                leaf.getNotBefore().toInstant(),
                leaf.getNotAfter().toInstant(),
                issuer,
                replaceable);
    }

    /** The same, whose issuer is configured in another way by now. */
    public CurrentCertificate outdated(String what) {
        return new CurrentCertificate(
                identifiers, key, notBefore, notAfter, issuer, replaceable, Optional.of(what));
    }

    /** How long it is valid altogether. */
    public Duration lifetime() {
        return Duration.between(notBefore, notAfter);
    }

    /**
     * The DNS names and addresses among a certificate's subject alternative names; a common name
     * does not count. Empty where they cannot be read.
     */
    public static Set<Identifier> identifiersOf(X509Certificate leaf) {
        var found = new TreeSet<>(Identifier.ORDER);
        try {
            Collection<List<?>> names = leaf.getSubjectAlternativeNames();
            if (names != null) {
                for (List<?> name : names) {
                    identifier(name).ifPresent(found::add);
                }
            }
        } catch (CertificateParsingException malformed) {
            return Set.of();
        }
        return Set.copyOf(found);
    }

    /**
     * The DNS name or address of a subject alternative name, as the JDK has them; empty where it is
     * of another kind or cannot be read.
     */
    public static Optional<Identifier> identifier(List<?> name) {
        Object value = name.get(1);
        return switch ((Integer) name.getFirst()) {
            case 2 -> Hostname.tryParse((String) value).map(Identifier.Dns::new);
            case 7 -> address((String) value).map(Identifier.Ip::new);
            default -> Optional.empty();
        };
    }

    private static Optional<InetAddress> address(String text) {
        try {
            return Optional.of(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException malformed) {
            return Optional.empty();
        }
    }
}

package dev.sallyport.tls.certificate;

import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;

/**
 * The certificates of a Secret in the order in which they are served, and what was wrong with their
 * own order.
 *
 * @param served leaf first; without duplicates and without self-signed roots, which clients have or
 *     do not trust (RFC 8446 section 4.4.2 lets the trust anchor be omitted)
 * @param remark what the author should mend; empty if nothing
 */
record Chain(List<X509Certificate> served, Optional<String> remark) {

    /**
     * The chain above one certificate of a Secret.
     *
     * @param written as they stand in {@code tls.crt}, without duplicates
     * @param leaf one of them
     * @param signed whether the first certificate is signed with the key of the second; asked at
     *     most once for each two of them whose names fit
     */
    static Chain of(
            List<X509Certificate> written,
            X509Certificate leaf,
            BiPredicate<X509Certificate, X509Certificate> signed) {
        List<X509Certificate> rest = new ArrayList<>(new LinkedHashSet<>(written));
        rest.remove(leaf);
        rest.removeIf(certificate -> isRoot(certificate, signed));

        List<X509Certificate> path = new ArrayList<>();
        path.add(leaf);
        List<X509Certificate> unused = new ArrayList<>(rest);
        for (Optional<X509Certificate> issuer = issuerOf(leaf, unused, signed);
                issuer.isPresent(); ) {
            path.add(issuer.get());
            unused.remove(issuer.get());
            issuer = issuerOf(issuer.get(), unused, signed);
        }
        if (!unused.isEmpty()) {
            List<X509Certificate> asWritten = new ArrayList<>();
            asWritten.add(leaf);
            asWritten.addAll(rest);
            return new Chain(
                    List.copyOf(asWritten),
                    Optional.of(
                            "tls.crt: "
                                    + SubjectText.of(unused.getFirst())
                                    + " issued no other certificate of the chain"));
        }
        if (!written.getFirst().equals(leaf)) {
            return new Chain(
                    List.copyOf(path),
                    Optional.of(
                            "tls.crt: the leaf is certificate "
                                    + (written.indexOf(leaf) + 1)
                                    + " (expected: the first); served in order"));
        }
        if (!path.subList(1, path.size()).equals(rest)) {
            return new Chain(
                    List.copyOf(path),
                    Optional.of("tls.crt: the intermediates are not in order; served in order"));
        }
        return new Chain(List.copyOf(path), Optional.empty());
    }

    private static Optional<X509Certificate> issuerOf(
            X509Certificate certificate,
            List<X509Certificate> candidates,
            BiPredicate<X509Certificate, X509Certificate> signed) {
        return candidates.stream()
                .filter(issuer -> issued(issuer, certificate, signed))
                .findFirst();
    }

    /**
     * RFC 5280 tells self-signed from self-issued: a key rollover also has one name on both sides.
     */
    private static boolean isRoot(
            X509Certificate certificate, BiPredicate<X509Certificate, X509Certificate> signed) {
        return issued(certificate, certificate, signed);
    }

    private static boolean issued(
            X509Certificate issuer,
            X509Certificate certificate,
            BiPredicate<X509Certificate, X509Certificate> signed) {
        return issuer.getSubjectX500Principal().equals(certificate.getIssuerX500Principal())
                && signed.test(certificate, issuer);
    }

    /** Whether {@code certificate} is signed with the key of {@code issuer}. */
    static boolean isSigned(X509Certificate certificate, X509Certificate issuer) {
        try {
            certificate.verify(issuer.getPublicKey());
            return true;
        } catch (GeneralSecurityException | RuntimeException ofAnotherKey) {
            return false;
        }
    }
}

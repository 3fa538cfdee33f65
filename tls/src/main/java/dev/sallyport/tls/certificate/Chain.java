package dev.sallyport.tls.certificate;

import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

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
     */
    static Chain of(List<X509Certificate> written, X509Certificate leaf) {
        List<X509Certificate> rest = new ArrayList<>(new LinkedHashSet<>(written));
        rest.remove(leaf);
        rest.removeIf(Chain::isRoot);

        List<X509Certificate> path = new ArrayList<>();
        path.add(leaf);
        List<X509Certificate> unused = new ArrayList<>(rest);
        for (Optional<X509Certificate> issuer = issuerOf(leaf, unused); issuer.isPresent(); ) {
            path.add(issuer.get());
            unused.remove(issuer.get());
            issuer = issuerOf(issuer.get(), unused);
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
            X509Certificate certificate, List<X509Certificate> candidates) {
        return candidates.stream().filter(issuer -> issued(issuer, certificate)).findFirst();
    }

    /**
     * RFC 5280 tells self-signed from self-issued: a key rollover also has one name on both sides.
     */
    private static boolean isRoot(X509Certificate certificate) {
        return issued(certificate, certificate);
    }

    private static boolean issued(X509Certificate issuer, X509Certificate certificate) {
        if (!issuer.getSubjectX500Principal().equals(certificate.getIssuerX500Principal())) {
            return false;
        }
        try {
            certificate.verify(issuer.getPublicKey());
            return true;
        } catch (GeneralSecurityException | RuntimeException ofAnotherKey) {
            return false;
        }
    }
}

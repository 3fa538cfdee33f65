package dev.sallyport.model.certificate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The certificates of one host, in order of preference; the client's signature algorithms decide
 * which it gets.
 *
 * <p>Equality is identity: two connections are in the same certificate scope when they were given
 * the same set.
 */
public final class CertificateSet {
    private final List<ServedCertificate> certificates;

    private CertificateSet(List<ServedCertificate> certificates) {
        this.certificates = certificates;
    }

    /**
     * One certificate for each kind of key, ECDSA first.
     *
     * @param candidates in order of precedence: of two with the same kind of key the first is
     *     taken; not empty
     */
    public static CertificateSet of(List<ServedCertificate> candidates) {
        if (candidates.isEmpty()) {
            throw new IllegalArgumentException(
                    "candidates: none (expected: at least one certificate)");
        }
        List<ServedCertificate> chosen = new ArrayList<>();
        for (ServedCertificate candidate : candidates) {
            if (chosen.stream()
                    .noneMatch(c -> c.bundle().keyType() == candidate.bundle().keyType())) {
                chosen.add(candidate);
            }
        }
        chosen.sort(Comparator.comparing(served -> served.bundle().keyType()));
        return new CertificateSet(List.copyOf(chosen));
    }

    /** At least one, most preferred first. */
    public List<ServedCertificate> certificates() {
        return certificates;
    }

    /** Whether every certificate of the set covers {@code host} (normalised). */
    public boolean covers(String host) {
        for (ServedCertificate served : certificates) {
            if (!served.bundle().covers(host)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return certificates.toString();
    }
}

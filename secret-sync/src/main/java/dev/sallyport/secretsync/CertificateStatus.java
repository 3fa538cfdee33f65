package dev.sallyport.secretsync;

import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import java.util.List;
import java.util.Optional;

/**
 * What is known of the certificate in a Secret.
 *
 * @param exists whether the Secret is there
 * @param inService what is served, perhaps from before an update that was rejected
 * @param findings about the Secret
 */
public record CertificateStatus(
        boolean exists, Optional<ServedCertificate> inService, List<Finding> findings) {

    /** No such Secret, and there never was. */
    public static final CertificateStatus MISSING =
            new CertificateStatus(false, Optional.empty(), List.of());

    /** Whether there is such a Secret is not known yet: nothing is said of it. */
    public static final CertificateStatus SOUGHT =
            new CertificateStatus(true, Optional.empty(), List.of());

    public CertificateStatus {
        findings = List.copyOf(findings);
    }

    /** Whether it is {@link #SOUGHT}. */
    public boolean isSought() {
        return equals(SOUGHT);
    }
}

package dev.sallyport.tls.certificate;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import java.time.Instant;
import java.util.Collection;
import java.util.List;

/** What is to be said of a usable bundle at a time and for hosts. */
public final class CertificateJudgement {
    private CertificateJudgement() {}

    /**
     * Not yet valid, expired, expires soon, temporary, not covering a host.
     *
     * @param origin the Secret, for findings
     * @param hosts those it is meant for; may be empty
     */
    public static List<Finding> of(
            CertificateBundle bundle, ObjectRef origin, Collection<Hostname> hosts, Instant now) {
        return List.of();
    }

    /** Whether an issuer made it only until the real one is there. */
    public static boolean temporary(CertificateBundle bundle) {
        return false;
    }
}

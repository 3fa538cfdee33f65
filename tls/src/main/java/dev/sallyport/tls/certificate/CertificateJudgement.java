package dev.sallyport.tls.certificate;

import static dev.sallyport.model.finding.Reason.CERTIFICATE_EXPIRED;
import static dev.sallyport.model.finding.Reason.CERTIFICATE_EXPIRES_SOON;
import static dev.sallyport.model.finding.Reason.CERTIFICATE_NOT_YET_VALID;
import static dev.sallyport.model.finding.Reason.CERTIFICATE_TEMPORARY;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;

/** What is to be said of a usable bundle at a time. */
public final class CertificateJudgement {
    /**
     * The longest that {@link dev.sallyport.model.finding.Reason#CERTIFICATE_EXPIRES_SOON} is told
     * ahead. Certificates are renewed when a third of their life is left, so that half of that
     * third (a sixth) means that renewals fail.
     */
    public static final Duration SOON = Duration.ofDays(14);

    /** The authority that cert-manager makes for one temporary certificate and throws away. */
    private static final String TEMPORARY_ISSUER = "CN=cert-manager.local";

    private CertificateJudgement() {}

    /**
     * Not yet valid, expired, expires soon, temporary. The texts stay the same as long as what they
     * say does: a finding that names the present is a new one every hour.
     *
     * @param origin the Secret, for findings
     */
    public static List<Finding> of(CertificateBundle bundle, ObjectRef origin, Instant now) {
        List<Finding> findings = new ArrayList<>();
        if (now.isBefore(bundle.notBefore())) {
            findings.add(
                    Finding.of(
                            CERTIFICATE_NOT_YET_VALID,
                            origin,
                            "tls.crt: valid from "
                                    + bundle.notBefore()
                                    + " (expected: a time that has come)",
                            "Wait, or check the clocks of the issuer and of this machine."));
        } else if (now.isAfter(bundle.notAfter())) {
            findings.add(
                    Finding.of(
                            CERTIFICATE_EXPIRED,
                            origin,
                            "tls.crt: expired at " + bundle.notAfter(),
                            "Renew the certificate: clients refuse it."));
        } else if (expiresSoon(bundle, now)) {
            findings.add(
                    Finding.of(
                            CERTIFICATE_EXPIRES_SOON,
                            origin,
                            "tls.crt: expires at " + bundle.notAfter(),
                            "Find out why it was not renewed."));
        }
        if (temporary(bundle)) {
            findings.add(
                    Finding.of(
                            CERTIFICATE_TEMPORARY,
                            origin,
                            "tls.crt: a temporary certificate of cert-manager",
                            "Wait for the issuer, or look at the Certificate's conditions."));
        }
        return List.copyOf(findings);
    }

    /**
     * Whether cert-manager made it only until the real one is there. Its issuer's name could be
     * anybody's; but that issuer has a key on P-521 and comes with no chain. The serial number that
     * cert-manager means to put into the subject is not in the certificates it makes: the subject
     * stays as the Certificate has it.
     */
    public static boolean temporary(CertificateBundle bundle) {
        if (!bundle.issuer().equals(TEMPORARY_ISSUER) || bundle.chain().size() != 1) {
            return false;
        }
        try {
            return new X509CertificateHolder(bundle.chain().getFirst())
                    .getSignatureAlgorithm()
                    .getAlgorithm()
                    .equals(X9ObjectIdentifiers.ecdsa_with_SHA512);
        } catch (IOException unlikeTheJdk) {
            return false;
        }
    }

    private static boolean expiresSoon(CertificateBundle bundle, Instant now) {
        Duration sixth = Duration.between(bundle.notBefore(), bundle.notAfter()).dividedBy(6);
        Duration ahead = sixth.compareTo(SOON) < 0 ? sixth : SOON;
        return now.isAfter(bundle.notAfter().minus(ahead));
    }
}

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
import org.bouncycastle.asn1.ASN1String;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.cert.X509CertificateHolder;

/** What is to be said of a usable bundle at a time. */
public final class CertificateJudgement {
    /**
     * The longest that {@link dev.sallyport.model.finding.Reason#CERTIFICATE_EXPIRES_SOON} is told
     * ahead. Certificates are renewed when a third of their life is left, so that half of that
     * third (a sixth) means that renewals fail.
     */
    public static final Duration SOON = Duration.ofDays(14);

    /** What cert-manager's temporary certificates are recognised by, in its own words. */
    private static final String TEMPORARY_ISSUER = "CN=cert-manager.local";

    private static final String TEMPORARY_SERIAL = "1234567890";

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

    /** Whether an issuer made it only until the real one is there. */
    public static boolean temporary(CertificateBundle bundle) {
        if (!bundle.issuer().equals(TEMPORARY_ISSUER)) {
            return false;
        }
        try {
            RDN[] serials =
                    new X509CertificateHolder(bundle.chain().getFirst())
                            .getSubject()
                            .getRDNs(BCStyle.SERIALNUMBER);
            return serials.length == 1
                    && serials[0].getFirst().getValue() instanceof ASN1String serial
                    && serial.getString().equals(TEMPORARY_SERIAL);
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

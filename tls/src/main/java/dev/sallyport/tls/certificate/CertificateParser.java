package dev.sallyport.tls.certificate;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;

/** From the PEM texts of a TLS Secret to a proven bundle. */
public final class CertificateParser {
    private CertificateParser() {}

    /**
     * Reads a TLS Secret. Total: whatever the bytes, the answer is a bundle or findings.
     *
     * @param origin the Secret, for findings
     * @param tlsCrt empty where the Secret lacks it
     * @param tlsKey empty where the Secret lacks it; the caller's to wipe
     */
    public static Parsed<CertificateBundle> parse(ObjectRef origin, byte[] tlsCrt, byte[] tlsKey) {
        return Parsed.rejected(
                dev.sallyport.model.finding.Finding.of(
                        dev.sallyport.model.finding.Reason.CERTIFICATE_UNREADABLE, origin, "", ""));
    }
}

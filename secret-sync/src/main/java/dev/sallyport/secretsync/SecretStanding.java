package dev.sallyport.secretsync;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Reason;
import java.util.Optional;

/**
 * How the certificate in service stands to the Secret as it is now.
 *
 * @param served what is in service of it
 * @param servedVersion the Secret's newest resourceVersion that has these contents; empty where no
 *     API server holds it, or nothing is served
 * @param latestVersion the Secret's resourceVersion; empty where no API server holds it, or it is
 *     gone
 * @param unserved why its contents are not what is served; empty where they are, and where there
 *     never was a Secret
 */
public record SecretStanding(
        Optional<CertificateBundle> served,
        String servedVersion,
        String latestVersion,
        Optional<Reason> unserved) {}

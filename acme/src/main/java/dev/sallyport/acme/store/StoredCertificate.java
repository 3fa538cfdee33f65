package dev.sallyport.acme.store;

import dev.sallyport.model.certificate.CertificateBundle;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Optional;

/**
 * A certificate that was issued and found to be what was ordered.
 *
 * @param id which certificate it is
 * @param issuer the configured issuer's name
 * @param directory the CA's directory
 * @param bundle its chain and key
 * @param location its URL at the CA
 * @param issued when we got it
 * @param profile which certificate profile was asked for, an empty text where none was; empty where
 *     that is not known
 */
public record StoredCertificate(
        CertificateId id,
        String issuer,
        URI directory,
        CertificateBundle bundle,
        Optional<URI> location,
        Instant issued,
        Optional<String> profile) {

    /** One of which it is not known with what profile it was ordered. */
    public StoredCertificate(
            CertificateId id,
            String issuer,
            URI directory,
            CertificateBundle bundle,
            Optional<URI> location,
            Instant issued) {
        this(id, issuer, directory, bundle, location, issued, Optional.empty());
    }

    /** The first of its chain. */
    public X509Certificate leaf() {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(
                                    new ByteArrayInputStream(bundle.chain().getFirst()));
        } catch (CertificateException impossible) {
            throw new IllegalStateException("a bundle's chain was read before", impossible);
        }
    }
}

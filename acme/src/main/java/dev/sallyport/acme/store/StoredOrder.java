package dev.sallyport.acme.store;

import dev.sallyport.acme.plan.CertificateOrder;
import java.net.URI;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;

/**
 * An order in progress.
 *
 * @param id which certificate it is for
 * @param issuer the configured issuer's name
 * @param directory the CA's directory
 * @param order what was ordered
 * @param key the key of the certificate to come
 * @param location its URL; empty where the CA was asked, or was about to be, and its answer is not
 *     known
 * @param begun when
 */
public record StoredOrder(
        CertificateId id,
        String issuer,
        URI directory,
        CertificateOrder order,
        KeyMaterial key,
        Optional<URI> location,
        Instant begun) {

    /**
     * Whether a certificate is what came of it: a process that ended between storing that and
     * removing the order leaves both. It is not to be gone on with, nor its key used again.
     */
    public boolean isDoneBy(StoredCertificate certificate) {
        return Arrays.equals(certificate.leaf().getPublicKey().getEncoded(), key.spki());
    }

    /** At its URL. */
    public StoredOrder at(URI url) {
        return new StoredOrder(id, issuer, directory, order, key, Optional.of(url), begun);
    }
}

package dev.sallyport.acme.order;

import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.store.CertificateId;
import java.security.cert.X509Certificate;
import java.util.Optional;

/**
 * What is to be ordered now.
 *
 * @param id which certificate it is for
 * @param order what it is to be
 * @param replaces the leaf that it takes the place of, to be named to the CA (RFC 9773)
 */
public record OrderRequest(
        CertificateId id, CertificateOrder order, Optional<X509Certificate> replaces) {}

package dev.sallyport.control.stored;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;

/**
 * A certificate that was in service.
 *
 * @param secret the Secret it came from
 * @param version of the Secret that had these contents last
 * @param digest of these contents, by which they are known again; empty where it is not known
 * @param bundle chain and key
 */
record StoredCertificate(
        ObjectRef secret, ObjectVersion version, String digest, CertificateBundle bundle) {}

package dev.sallyport.acme.keep;

import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.StoredCertificate;

/** What became of a certificate in the store. */
public sealed interface StoredChange {

    /** It is there, in place of the one before. */
    record Put(StoredCertificate certificate) implements StoredChange {}

    /** It is there no more. */
    record Removed(CertificateId id) implements StoredChange {}
}

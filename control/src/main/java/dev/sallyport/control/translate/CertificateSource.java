package dev.sallyport.control.translate;

import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.CertificateStatus;

/** Says which certificate is in service for a Secret. */
public interface CertificateSource {

    /** The certificate of a Secret that something refers to. */
    CertificateStatus status(ObjectRef secret);

    /** Nothing refers to the Secret any more. */
    void release(ObjectRef secret);
}

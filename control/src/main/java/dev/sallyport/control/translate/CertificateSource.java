package dev.sallyport.control.translate;

import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.CertificateStatus;
import java.util.Collection;

/** Says which certificate is in service for a Secret. */
public interface CertificateSource {

    /** The certificate of a Secret that something refers to. */
    CertificateStatus status(ObjectRef secret);

    /** Whether it is not known yet what {@link #status} will say, and soon will be. */
    default boolean isAwaited(ObjectRef secret) {
        return status(secret).isSought();
    }

    /** {@link #status} will be asked for these: what can be done side by side, is. */
    default void prepare(Collection<ObjectRef> secrets) {}

    /** Nothing refers to the Secret any more. */
    void release(ObjectRef secret);
}

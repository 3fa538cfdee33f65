package dev.sallyport.control.reconcile;

import dev.sallyport.control.translate.CertificateSource;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.CertificateCatalog;
import dev.sallyport.secretsync.CertificateStatus;
import java.util.Collection;

/** The catalog as translators see it. */
public record CatalogSource(CertificateCatalog catalog) implements CertificateSource {
    @Override
    public CertificateStatus status(ObjectRef secret) {
        return catalog.status(secret);
    }

    @Override
    public void prepare(Collection<ObjectRef> secrets) {
        catalog.prepare(secrets);
    }

    @Override
    public void release(ObjectRef secret) {
        catalog.release(secret);
    }
}

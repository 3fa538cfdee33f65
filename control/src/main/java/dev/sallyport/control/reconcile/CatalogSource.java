package dev.sallyport.control.reconcile;

import dev.sallyport.control.translate.CertificateSource;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.CertificateCatalog;
import dev.sallyport.secretsync.CertificateStatus;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * The catalog as translators see it; notes which Secrets they refer to, and says nothing of one
 * that is still being looked for. Confined to one thread, as the catalog is.
 */
public final class CatalogSource implements CertificateSource {
    private final CertificateCatalog catalog;
    private final boolean lookedFor;
    private final Set<ObjectRef> referenced = new HashSet<>();
    private final Set<ObjectRef> sought = new HashSet<>(); // nobody knows yet whether it exists
    private final Set<ObjectRef> unreadable = new HashSet<>(); // nobody will, for the time being
    private Set<ObjectRef> wanted = new HashSet<>();
    private Set<ObjectRef> released = new HashSet<>();

    /** Of a catalog that is told of every Secret there is. */
    public CatalogSource(CertificateCatalog catalog) {
        this(catalog, false);
    }

    /**
     * @param lookedFor whether a Secret that the catalog does not know may exist all the same,
     *     since it is looked for only now that something refers to it, or was forgotten before
     */
    CatalogSource(CertificateCatalog catalog, boolean lookedFor) {
        this.catalog = catalog;
        this.lookedFor = lookedFor;
    }

    @Override
    public CertificateStatus status(ObjectRef secret) {
        CertificateStatus status = catalog.status(secret);
        if (lookedFor && referenced.add(secret)) {
            released.remove(secret);
            wanted.add(secret);
            if (status.equals(CertificateStatus.MISSING)) {
                sought.add(secret);
            }
        }
        return sought.contains(secret) ? CertificateStatus.SOUGHT : status;
    }

    @Override
    public boolean isAwaited(ObjectRef secret) {
        return sought.contains(secret) && !unreadable.contains(secret);
    }

    @Override
    public void prepare(Collection<ObjectRef> secrets) {
        catalog.prepare(secrets);
    }

    @Override
    public void release(ObjectRef secret) {
        catalog.release(secret);
        if (referenced.remove(secret)) {
            sought.remove(secret);
            unreadable.remove(secret);
            if (!wanted.remove(secret)) {
                released.add(secret);
            }
        }
    }

    /** The source told of the Secret, be it that there is none; whether it was looked for. */
    boolean answered(ObjectRef secret) {
        unreadable.remove(secret);
        return sought.remove(secret);
    }

    /**
     * The source cannot tell of the Secret, be it that nothing refers to it yet: nothing is said of
     * it, and nobody waits.
     *
     * @return whether somebody waited
     */
    boolean unreadable(ObjectRef secret) {
        return unreadable.add(secret) && sought.contains(secret);
    }

    /** How many Secrets are being looked for. */
    int outstanding() {
        return (int) sought.stream().filter(this::isAwaited).count();
    }

    /** Tells {@code demand} what changed since the last call. */
    void tell(SecretDemand demand) {
        if (!wanted.isEmpty() || !released.isEmpty()) {
            Set<ObjectRef> unknown = new HashSet<>(wanted);
            unknown.retainAll(sought);
            demand.changed(wanted, unknown, released);
            wanted = new HashSet<>();
            released = new HashSet<>();
        }
    }
}

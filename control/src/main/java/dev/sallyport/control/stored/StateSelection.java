package dev.sallyport.control.stored;

import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.reconcile.ServedTruth.Provenance;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.control.translate.UsedObjects;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import dev.sallyport.secretsync.SecretMaterial;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is worth storing of what is known: what is served, and nothing else. Not the newest contents
 * of a Secret, but those in service.
 *
 * @param settings what the objects come to mean
 */
record StateSelection(TranslationSettings settings) {

    /**
     * The state to store.
     *
     * @param asOf when all of it was known to be so
     */
    StoredState of(ControlState state, Instant asOf) {
        Map<ObjectRef, StoredCertificate> certificates = new LinkedHashMap<>();
        CertificateTable table = state.applied().certificates();
        table.hosts().forEach((_, set) -> add(set, state, certificates));
        table.fallback().ifPresent(set -> add(set, state, certificates));
        return new StoredState(
                asOf,
                UsedObjects.of(state.resources(), settings, state.snapshot()),
                List.copyOf(certificates.values()));
    }

    private static void add(
            CertificateSet set,
            ControlState state,
            Map<ObjectRef, StoredCertificate> certificates) {
        for (ServedCertificate served : set.certificates()) {
            ObjectRef source = served.source();
            if (source.kind().equals("Secret") && !certificates.containsKey(source)) {
                certificates.put(source, stored(served, state));
            }
        }
    }

    private static StoredCertificate stored(ServedCertificate served, ControlState state) {
        ObjectRef secret = served.source();
        Provenance provenance = state.truth().provenance().get(served.bundle());
        String version = provenance == null ? "" : provenance.resourceVersion();
        if (state.resources().get(secret) instanceof Resource.OfSecret(SecretMaterial latest, _)) {
            // Unusable contents that came later have a digest of their own.
            boolean same = state.truth().unserved().get(secret) == null;
            return new StoredCertificate(
                    secret,
                    new ObjectVersion(latest.version().uid(), version),
                    same ? latest.digest() : "",
                    served.bundle());
        }
        return new StoredCertificate(secret, new ObjectVersion("", version), "", served.bundle());
    }
}

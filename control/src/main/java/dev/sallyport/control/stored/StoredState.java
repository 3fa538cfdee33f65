package dev.sallyport.control.stored;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Finding;
import java.time.Instant;
import java.util.List;

/**
 * What a gateway served, as the objects it was made of.
 *
 * @param asOf when all of it was known to be so
 * @param objects all but Secrets
 * @param certificates what handshakes were answered with
 * @param findings what could not be read of it; empty for one that is to be written
 */
record StoredState(
        Instant asOf,
        List<Resource> objects,
        List<StoredCertificate> certificates,
        List<Finding> findings) {
    StoredState {
        objects = List.copyOf(objects);
        certificates = List.copyOf(certificates);
        findings = List.copyOf(findings);
    }

    /** One to be written. */
    StoredState(Instant asOf, List<Resource> objects, List<StoredCertificate> certificates) {
        this(asOf, objects, certificates, List.of());
    }
}

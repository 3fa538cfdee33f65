package dev.sallyport.model.snapshot;

import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.finding.Finding;
import java.util.List;

/**
 * What the data plane made of a snapshot.
 *
 * @param version the snapshot's
 * @param certificates what handshakes are answered with now: the snapshot's, without what could not
 *     be put in service and with what stands in for it
 * @param findings what could not be put in service, and why: a port that is taken, a certificate
 *     that the native library refuses
 */
public record Applied(long version, CertificateTable certificates, List<Finding> findings) {
    public Applied {
        findings = List.copyOf(findings);
    }

    /** All of a snapshot's certificates are in service. */
    public static Applied whole(GatewaySnapshot snapshot, List<Finding> findings) {
        return new Applied(snapshot.version(), snapshot.certificates(), findings);
    }
}

package dev.sallyport.model.snapshot;

import dev.sallyport.model.finding.Finding;
import java.util.List;

/**
 * What the data plane made of a snapshot.
 *
 * @param version the snapshot's
 * @param findings what could not be put in service, and why: a port that is taken, a certificate
 *     that the native library refuses
 */
public record Applied(long version, List<Finding> findings) {
    public Applied {
        findings = List.copyOf(findings);
    }
}

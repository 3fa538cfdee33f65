package dev.sallyport.control.reconcile;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import java.time.Instant;

/**
 * How what handshakes are answered with stands to the Secrets. Immutable.
 *
 * @param provenance where each certificate in service comes from; by identity
 * @param unserved the Secrets whose contents are not what is served
 */
public record ServedTruth(
        ShardedMap<CertificateBundle, Provenance> provenance,
        ShardedMap<ObjectRef, Unserved> unserved) {

    /** Nothing is served. */
    public static final ServedTruth EMPTY = new ServedTruth(ShardedMap.empty(), ShardedMap.empty());

    /**
     * Where a certificate in service comes from.
     *
     * @param secret the Secret, or the gateway itself
     * @param resourceVersion the Secret's newest that has these contents; empty where no API server
     *     holds it
     * @param firstServed when the data plane had put it in service
     */
    public record Provenance(ObjectRef secret, String resourceVersion, Instant firstServed) {}

    /**
     * A Secret whose contents are not what is served.
     *
     * @param resourceVersion of these contents; empty where no API server holds them, or they are
     *     gone
     * @param reason why they are not
     */
    public record Unserved(String resourceVersion, Reason reason) {}
}

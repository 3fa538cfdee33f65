package dev.sallyport.control.reconcile;

import dev.sallyport.control.resource.IngressStanding;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.AcmeHost;
import dev.sallyport.control.translate.FindingIndex;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the control side knows at one moment. Immutable.
 *
 * @param snapshot the one in service; version 0 before the first
 * @param resources the objects that it was made of, and those that make no difference to it; of a
 *     cluster's Secrets only those that something refers to, or did
 * @param applied what the data plane said of it
 * @param truth how what it serves stands to the Secrets
 * @param ingresses all Ingresses, with whether they are ours
 * @param acmeHosts the hosts that are to have certificates by ACME
 * @param remarks what is wrong or worth knowing, from sources, Secrets and translation
 * @param objects how many {@code resources} there are, by kind
 * @param sought how many Secrets are referred to of which nobody has told yet
 * @param reconciles how many rounds ran
 * @param published how many of them put a new snapshot in service
 * @param failures how many rounds a bug ended; the snapshot before stayed
 * @param lastDuration how long the last round took, with {@code DataPlane.apply}
 * @param lastApplied when a snapshot was last put in service
 */
public record ControlState(
        GatewaySnapshot snapshot,
        ShardedMap<ObjectRef, Resource> resources,
        Applied applied,
        ServedTruth truth,
        ShardedMap<ObjectRef, IngressStanding> ingresses,
        ShardedMap<Hostname, AcmeHost> acmeHosts,
        FindingIndex remarks,
        Map<String, Integer> objects,
        int sought,
        long reconciles,
        long published,
        long failures,
        Duration lastDuration,
        Optional<Instant> lastApplied) {

    /** Before the first round. */
    public static final ControlState EMPTY =
            new ControlState(
                    GatewaySnapshot.EMPTY,
                    ShardedMap.empty(),
                    new Applied(0, CertificateTable.EMPTY, List.of()),
                    ServedTruth.EMPTY,
                    ShardedMap.empty(),
                    ShardedMap.empty(),
                    FindingIndex.EMPTY,
                    Map.of(),
                    0,
                    0,
                    0,
                    0,
                    Duration.ZERO,
                    Optional.empty());

    public ControlState {
        objects = Map.copyOf(objects);
    }

    /** The same with what the data plane says by now. */
    ControlState with(Applied now, ServedTruth truthNow) {
        return new ControlState(
                snapshot,
                resources,
                now,
                truthNow,
                ingresses,
                acmeHosts,
                remarks,
                objects,
                sought,
                reconciles,
                published,
                failures,
                lastDuration,
                lastApplied);
    }

    /**
     * Whether all of this is as it was stored, since no API server has answered yet: nothing may be
     * written to one on account of it.
     */
    public boolean stale() {
        return !remarks.of(SourceUpdate.STALENESS).isEmpty();
    }

    /** The uid of an object; empty where it is not among the resources, or no API server has it. */
    public Optional<String> uid(ObjectRef ref) {
        Resource resource = resources.get(ref);
        return resource == null || resource.version().uid().isEmpty()
                ? Optional.empty()
                : Optional.of(resource.version().uid());
    }

    /** All remarks, with those of the data plane, in {@link Finding#ORDER}. Sorts on demand. */
    public List<Finding> findings() {
        return remarks.sortedWith(applied.findings());
    }
}

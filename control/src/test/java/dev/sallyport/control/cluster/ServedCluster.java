package dev.sallyport.control.cluster;

import static org.awaitility.Awaitility.await;

import dev.sallyport.control.ClusterControl;
import dev.sallyport.control.ControlSettings;
import dev.sallyport.control.RecordingDataPlane;
import dev.sallyport.control.ReportSettings;
import dev.sallyport.control.stored.StoreSettings;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A control side that watches a cluster, and what its data plane was given. */
final class ServedCluster implements AutoCloseable {
    private final ClusterClient cluster;
    private final ClusterControl control;
    private final RecordingDataPlane dataPlane = new RecordingDataPlane();

    private ServedCluster(
            ClusterAccess access,
            ClusterSettings settings,
            Optional<StoreSettings> store,
            ReportSettings told)
            throws Exception {
        this.cluster = ClusterClient.open(access);
        this.control =
                ClusterControl.open(
                        cluster,
                        settings,
                        store,
                        told,
                        Optional.empty(),
                        ControlSettings.forCluster(List.of(), Optional.empty()),
                        dataPlane,
                        Clock.system(ZoneOffset.UTC));
    }

    /** Begins; waits for nothing. */
    static ServedCluster begin(ClusterAccess access, ClusterSettings settings) throws Exception {
        return new ServedCluster(access, settings, Optional.empty(), ReportSettings.NOTHING);
    }

    /** Begins with a last known good state on disk; waits for nothing. */
    static ServedCluster begin(
            ClusterAccess access,
            ClusterSettings settings,
            StoreSettings store,
            ReportSettings told)
            throws Exception {
        return new ServedCluster(access, settings, Optional.of(store), told);
    }

    /** Begins, and waits for the first snapshot. */
    static ServedCluster start(ClusterAccess access, ClusterSettings settings) throws Exception {
        ServedCluster served = begin(access, settings);
        served.awaitFirst();
        return served;
    }

    /** Waits for the first snapshot. */
    void awaitFirst() throws Exception {
        var _ = control.firstApplied().get(60, TimeUnit.SECONDS);
    }

    ClusterControl control() {
        return control;
    }

    RecordingDataPlane dataPlane() {
        return dataPlane;
    }

    GatewaySnapshot now() {
        return dataPlane.last();
    }

    /** Whether requests for the host are routed. */
    boolean routes(String host) {
        return now().routes().find(host, "/") != null;
    }

    /** The serial of the certificate that a host is served with; empty for the default. */
    String serial(String host) {
        return serial(now(), host);
    }

    static String serial(GatewaySnapshot snapshot, String host) {
        CertificateSet set = snapshot.certificates().find(host);
        return set == null ? "" : set.certificates().getFirst().bundle().serial();
    }

    /** The findings of a reason, by now. */
    List<Finding> findings(Reason reason) {
        return control.state().findings().stream()
                .filter(finding -> finding.reason() == reason)
                .toList();
    }

    /** Waits until the host is served with the certificate. */
    void awaitSerial(String host, String serial) {
        await(host + " with " + serial)
                .atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(5))
                .until(() -> serial(host).equals(serial));
    }

    /** Waits until the host is routed. */
    void awaitRoute(String host) {
        await("a route for " + host)
                .atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(5))
                .until(() -> routes(host));
    }

    @Override
    public void close() {
        control.close();
        cluster.close();
    }
}

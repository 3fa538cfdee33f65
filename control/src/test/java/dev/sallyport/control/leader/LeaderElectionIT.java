package dev.sallyport.control.leader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.cluster.ApiServer;
import dev.sallyport.control.cluster.ClusterAccess;
import dev.sallyport.control.cluster.ClusterClient;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a real API server, with the times that are used. */
@Tag("cluster")
class LeaderElectionIT {
    private static final AtomicInteger LEASES = new AtomicInteger();

    @TempDir private static Path folder;
    private static ApiServer api;

    private final String lease = "lease-" + LEASES.incrementAndGet();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeAll
    static void start() {
        api = ApiServer.in(folder.resolve("api"));
        api.namespace("edge");
        api.allowIn(
                "edge",
                "leader",
                "edge",
                """
                - {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
                - {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: NAMES, verbs: [get, update]}
                """
                        .replace(
                                "NAMES", "[lease-1, lease-2, lease-3, lease-4, lease-5, lease-6]"));
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened.reversed()) {
            one.close();
        }
    }

    @Test
    void oneLeadsWithNoOtherRightsAndIsFollowedSoonAfterGivingUp() throws Exception {
        LeaderElection one = candidate("one", api.as("edge", "gateway"));
        await().until(one::leads);
        LeaderElection two = candidate("two", api.as("edge", "gateway"));
        await().during(Duration.ofSeconds(3))
                .atMost(Duration.ofSeconds(10))
                .until(() -> one.leads() && !two.leads());
        String renewed =
                api.apply(
                                """
                                apiVersion: coordination.k8s.io/v1
                                kind: Lease
                                metadata: {name: "NAME", namespace: edge, labels: {somebody: wrote}}
                                """
                                        .replace("NAME", lease))
                        .getFirst()
                        .getMetadata()
                        .getResourceVersion();
        await("a renewal over what others wrote")
                .atMost(Duration.ofSeconds(10))
                .until(() -> !current().getMetadata().getResourceVersion().equals(renewed));
        assertThat(one.leads()).isTrue();
        one.close();
        assertThat(one.leads()).isFalse();
        await().atMost(Duration.ofSeconds(8)).until(two::leads);
        Lease now = current();
        assertThat(now.getSpec().getHolderIdentity()).isEqualTo("two");
        assertThat(now.getSpec().getLeaseTransitions()).isEqualTo(1);
        assertThat(now.getMetadata().getLabels()).containsEntry("somebody", "wrote");
    }

    @Test
    void whoSitsInABlackHoleStopsWithinTenSecondsAndIsFollowed() throws Exception {
        var hole = new BlackHole(api.port());
        opened.add(hole);
        LeaderElection one = candidate("one", api.adminBehind(hole.port()));
        await().until(one::leads);
        LeaderElection two = candidate("two", api.admin());
        hole.swallow(true);
        long began = System.nanoTime();
        await().atMost(Duration.ofSeconds(25))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    assertThat(one.leads() && two.leads()).as("two leaders").isFalse();
                    if (sinceSeconds(began) > 10.2) {
                        assertThat(one.leads()).as("leads after ten seconds of silence").isFalse();
                    }
                    return two.leads();
                });
        hole.swallow(false);
        await().during(Duration.ofSeconds(3))
                .atMost(Duration.ofSeconds(10))
                .until(() -> two.leads() && !one.leads());
    }

    @Test
    void anApiServerThatIsKilledEndsLeadershipUntilItIsBack() throws Exception {
        LeaderElection one = candidate("one", api.admin());
        LeaderElection two = candidate("two", api.admin());
        await().until(() -> one.leads() || two.leads());
        api.kill();
        long began = System.nanoTime();
        await().atMost(Duration.ofSeconds(20))
                .until(() -> {
                    boolean late = sinceSeconds(began) > 10.2; // before it is asked who leads
                    boolean led = one.leads() || two.leads();
                    assertThat(late && led).as("leads after ten seconds").isFalse();
                    return !led;
                });
        api.start();
        await().atMost(Duration.ofSeconds(20))
                .until(() -> {
                    assertThat(one.leads() && two.leads()).as("two leaders").isFalse();
                    return one.leads() || two.leads();
                });
    }

    @Test
    void closingIsQuickWhileTheApiServerIsSilent() throws Exception {
        var hole = new BlackHole(api.port());
        opened.add(hole);
        LeaderElection one = candidate("one", api.adminBehind(hole.port()));
        await().until(one::leads);
        hole.swallow(true);
        long began = System.nanoTime();
        one.close();
        assertThat(sinceSeconds(began)).isLessThan(5);
        await().until(() -> !one.leads());
    }

    @Test
    void aLeaseThatSomebodyMadeForUsIsTaken() throws Exception {
        api.apply(
                """
                apiVersion: coordination.k8s.io/v1
                kind: Lease
                metadata: {name: NAME, namespace: edge}
                """
                        .replace("NAME", lease));
        LeaderElection one = candidate("one", api.as("edge", "gateway"));
        await().until(one::leads);
    }

    @Test
    void withoutTheRightNobodyLeads() throws Exception {
        LeaderElection one = candidate("one", api.as("edge", "stranger"));
        await().during(Duration.ofSeconds(3))
                .atMost(Duration.ofSeconds(6))
                .until(() -> !one.leads());
    }

    private LeaderElection candidate(String identity, ClusterAccess access) throws Exception {
        ClusterClient cluster = ClusterClient.open(access);
        opened.add(cluster);
        LeaderElection election =
                LeaderElection.of(
                        cluster.hastyClient(),
                        "edge",
                        lease,
                        identity,
                        LeaseTimes.DEFAULT,
                        Clock.system(ZoneOffset.UTC),
                        new Random(LEASES.get()));
        opened.add(election);
        election.start();
        return election;
    }

    private Lease current() {
        return api.client().leases().inNamespace("edge").withName(lease).get();
    }

    private static double sinceSeconds(long began) {
        return (System.nanoTime() - began) / 1e9;
    }
}

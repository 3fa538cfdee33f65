package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.model.finding.Reason;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a real API server says is served. */
@Tag("cluster")
class WatchingIT {
    @TempDir private static Path folder;
    private static ApiServer api;

    @BeforeAll
    static void start() {
        api = ApiServer.in(folder.resolve("api"));
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    @Test
    void whatIsThereAtTheStartIsInTheFirstSnapshot() throws Exception {
        api.apply(Site.of("default", "early"));
        api.apply(Site.tlsSecret("default", "early", 1));
        try (ServedCluster served = ServedCluster.start(api.admin(), ClusterSettings.DEFAULT)) {
            assertThat(
                            ServedCluster.serial(
                                    served.dataPlane().snapshots().getFirst(), "early.example.com"))
                    .isEqualTo(Site.serial(1));
            assertThat(served.routes("early.example.com")).isTrue();
            assertThat(served.control().waitingFor()).isEmpty();
        }
    }

    @Test
    void everyChangeIsServed() throws Exception {
        try (ServedCluster served = ServedCluster.start(api.admin(), ClusterSettings.DEFAULT)) {
            api.apply(Site.of("default", "later"));
            served.awaitRoute("later.example.com");
            await().until(() -> !served.findings(Reason.SECRET_MISSING).isEmpty());
            api.apply(Site.tlsSecret("default", "later", 1));
            served.awaitSerial("later.example.com", Site.serial(1));
            api.apply(Site.tlsSecret("default", "later", 2));
            served.awaitSerial("later.example.com", Site.serial(2));
            api.client()
                    .network()
                    .v1()
                    .ingresses()
                    .inNamespace("default")
                    .withName("later")
                    .delete();
            await().until(() -> !served.routes("later.example.com"));
        }
    }
}

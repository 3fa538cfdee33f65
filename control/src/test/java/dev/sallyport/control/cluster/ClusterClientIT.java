package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a real API server. */
@Tag("cluster")
class ClusterClientIT {
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
    void aKubeconfigLeadsToItsApiServer() throws Exception {
        try (ClusterClient cluster = ClusterClient.open(api.admin())) {
            assertThat(cluster.client().namespaces().withName("default").get()).isNotNull();
            assertThat(cluster.namespace()).isEqualTo("default");
            assertThat(cluster.url()).startsWith("https://127.0.0.1:" + api.port());
        }
    }

    @Test
    void aServiceAccountMayDoWhatItsRolesSay() throws Exception {
        api.namespace("shop");
        try (ClusterClient cluster = ClusterClient.open(api.as("shop", "gateway"))) {
            assertThatThrownBy(() -> cluster.client().services().inNamespace("shop").list())
                    .isInstanceOfSatisfying(
                            KubernetesClientException.class,
                            refused -> assertThat(refused.getCode()).isEqualTo(403));
        }
    }

    @Test
    void aPodsTokenIsReadAgainWhenItChanges() throws Exception {
        Path account = Files.createDirectories(folder.resolve("account"));
        Files.writeString(account.resolve("ca.crt"), api.authority());
        Files.writeString(account.resolve("token"), "expired");
        Files.writeString(account.resolve("namespace"), "edge\n");
        ClusterAccess access =
                ClusterAccess.of(
                                Optional.empty(),
                                Map.of(
                                        "KUBERNETES_SERVICE_HOST",
                                        "127.0.0.1",
                                        "KUBERNETES_SERVICE_PORT",
                                        String.valueOf(api.port())),
                                account)
                        .orElseThrow();
        try (ClusterClient cluster = ClusterClient.open(access)) {
            assertThat(cluster.namespace()).isEqualTo("edge");
            assertThatThrownBy(() -> cluster.client().namespaces().list())
                    .isInstanceOfSatisfying(
                            KubernetesClientException.class,
                            refused -> assertThat(refused.getCode()).isEqualTo(401));
            Files.writeString(account.resolve("token"), api.token("edge", "gateway"));
            assertThatThrownBy(() -> cluster.client().namespaces().list())
                    .isInstanceOfSatisfying(
                            KubernetesClientException.class,
                            refused ->
                                    assertThat(refused.getMessage())
                                            .contains("system:serviceaccount:edge:gateway"));
        }
    }

    @Test
    void theHastyClientFailsWhereTheOtherGoesOnTrying() throws Exception {
        try (ClusterClient cluster = ClusterClient.open(api.admin())) {
            var hasty = cluster.hastyClient();
            assertThat(hasty.getConfiguration().getRequestRetryBackoffLimit()).isZero();
            assertThat(cluster.client().getConfiguration().getRequestRetryBackoffLimit())
                    .isPositive();
            api.kill();
            assertThatThrownBy(() -> hasty.namespaces().list())
                    .isInstanceOf(KubernetesClientException.class);
            api.start();
            await().untilAsserted(() -> assertThat(hasty.namespaces().list()).isNotNull());
        }
    }
}

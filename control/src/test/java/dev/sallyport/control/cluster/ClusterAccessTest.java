package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.pkitesting.CertificateBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterAccessTest {
    private static final Map<String, String> POD =
            Map.of("KUBERNETES_SERVICE_HOST", "fd00::1", "KUBERNETES_SERVICE_PORT", "6443");

    @TempDir private Path folder;

    private Optional<ClusterAccess> access(Map<String, String> environment) {
        return ClusterAccess.of(Optional.empty(), environment, folder);
    }

    private void account() throws Exception {
        Files.writeString(
                folder.resolve("ca.crt"),
                new CertificateBuilder()
                        .ecp256()
                        .subject("CN=ca")
                        .setIsCertificateAuthority(true)
                        .buildSelfSigned()
                        .getCertificatePEM());
        Files.writeString(folder.resolve("token"), "t\n");
        Files.writeString(folder.resolve("namespace"), "edge");
    }

    @Test
    void aPodsServiceAccountLeadsToItsCluster() throws Exception {
        assertThat(access(POD)).as("no token").isEmpty();
        account();
        assertThat(access(POD).map(Object::toString))
                .contains("service account at https://[fd00::1]:6443");
        assertThat(access(Map.of())).as("no cluster").isEmpty();
        assertThat(access(Map.of("KUBERNETES_SERVICE_HOST", "h", "KUBERNETES_SERVICE_PORT", "x")))
                .isEmpty();
        try (ClusterClient client = ClusterClient.open(access(POD).orElseThrow())) {
            assertThat(client.namespace()).isEqualTo("edge");
            assertThat(client.url()).startsWith("https://[fd00::1]:6443");
            assertThat(client.client().getConfiguration().getOauthTokenProvider().getToken())
                    .isEqualTo("t");
        }
    }

    @Test
    void theEnvironmentNamesTheNamespaceBeforeTheAccountDoes() throws Exception {
        account();
        Map<String, String> named =
                Map.of("KUBERNETES_SERVICE_HOST", "h", "POD_NAMESPACE", "gateways");
        try (ClusterClient client = ClusterClient.open(access(named).orElseThrow())) {
            assertThat(client.namespace()).isEqualTo("gateways");
        }
    }

    @Test
    void aKubeconfigComesBeforeThePodsOwnCluster() throws Exception {
        account();
        Path file = folder.resolve("admin.conf");
        assertThat(ClusterAccess.of(Optional.of(file), POD, folder))
                .contains(new ClusterAccess.Kubeconfig(file, Optional.empty()));
    }

    @Test
    void aTokenFileThatIsGoneForAMomentDoesNotLogTheGatewayOut() throws Exception {
        account();
        var token = new TokenFile(folder.resolve("token"));
        assertThat(token.getToken()).isEqualTo("t");
        Files.writeString(folder.resolve("token"), "next");
        assertThat(token.getToken()).isEqualTo("next");
        Files.delete(folder.resolve("token"));
        assertThat(token.getToken()).isEqualTo("next");
        Files.writeString(folder.resolve("token"), "");
        assertThat(token.getToken()).isEqualTo("next");
    }

    @Test
    void whatIsNoKubeconfigIsRefusedWithoutItsContents() throws Exception {
        refused("token: hunter2: [", "admin.conf: not a kubeconfig");
        refused("apiVersion: v1\nkind: Config\n", "current-context: missing");
        refused(
                """
                apiVersion: v1
                kind: Config
                clusters: [{name: c, cluster: {server: "https://h:1", certificate-authority: nowhere.crt}}]
                users: [{name: u, user: {token: hunter2}}]
                contexts: [{name: x, context: {cluster: c, user: u}}]
                current-context: x
                """,
                "certificates or keys cannot be read");
    }

    private void refused(String text, String because) throws Exception {
        Path file = Files.writeString(folder.resolve("admin.conf"), text);
        assertThatThrownBy(() ->
                        ClusterClient.open(new ClusterAccess.Kubeconfig(file, Optional.empty())))
                .isInstanceOf(InvalidKubeconfig.class)
                .hasMessageContaining(because)
                .hasMessageNotContaining("hunter2");
    }
}

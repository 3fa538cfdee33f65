package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A client with a service account, and a server whose authority changes. */
class AuthorityFileTest {
    private static final byte[] VERSION =
            "{\"major\":\"1\",\"minor\":\"35\"}".getBytes(StandardCharsets.UTF_8);

    @TempDir private Path folder;
    private final X509Bundle first = authority("first");
    private final X509Bundle second = authority("second");
    private HttpsServer server;
    private int port;

    private static X509Bundle authority(String name) {
        try {
            return new CertificateBuilder()
                    .ecp256()
                    .subject("CN=" + name)
                    .setIsCertificateAuthority(true)
                    .buildSelfSigned();
        } catch (Exception cannotBe) {
            throw new IllegalStateException(cannotBe);
        }
    }

    @BeforeEach
    void start() throws Exception {
        trust(first.getCertificatePEM());
        Files.writeString(folder.resolve("token"), "t");
        serve(first, "127.0.0.1");
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    /** Puts a server in the place of the one before, which takes its connections with it. */
    private void serve(X509Bundle authority, String address) throws Exception {
        if (server != null) {
            server.stop(0);
        }
        X509Bundle leaf =
                new CertificateBuilder()
                        .ecp256()
                        .subject("CN=api")
                        .addSanIpAddress(address)
                        .buildIssuedBy(authority);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(leaf.toKeyManagerFactory().getKeyManagers(), null, null);
        await().ignoreExceptions()
                .until(() -> {
                    server =
                            HttpsServer.create(
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                                    0);
                    return true;
                });
        port = server.getAddress().getPort();
        server.setHttpsConfigurator(new HttpsConfigurator(tls));
        server.createContext(
                "/",
                exchange -> {
                    exchange.sendResponseHeaders(200, VERSION.length);
                    exchange.getResponseBody().write(VERSION);
                    exchange.close();
                });
        server.start();
    }

    /** As the kubelet does: another file takes its place. */
    private void trust(String pem) throws Exception {
        Path next = Files.writeString(folder.resolve("next"), pem);
        Files.move(next, folder.resolve("ca.crt"), StandardCopyOption.REPLACE_EXISTING);
    }

    private ClusterClient client() throws Exception {
        return ClusterClient.open(
                new ClusterAccess.ServiceAccount("127.0.0.1", port, folder, Optional.empty()));
    }

    private static void assertAnswers(ClusterClient client) {
        assertThat(client.client().getKubernetesVersion().getMinor()).isEqualTo("35");
    }

    private static void assertIsNotTrusted(ClusterClient client) {
        assertThatThrownBy(() -> client.client().getKubernetesVersion())
                .isInstanceOf(KubernetesClientException.class)
                .hasStackTraceContaining("PKIX path");
    }

    @Test
    void aNewAuthorityIsTrustedWithoutAnotherClient() throws Exception {
        try (ClusterClient client = client()) {
            assertAnswers(client);
            var hasty = client.hastyClient();
            serve(second, "127.0.0.1");
            assertIsNotTrusted(client);
            trust(second.getCertificatePEM());
            assertAnswers(client);
            assertThat(hasty.getKubernetesVersion().getMinor()).isEqualTo("35");
            serve(first, "127.0.0.1");
            assertIsNotTrusted(client);
        }
    }

    @Test
    void bothAreTrustedWhileOneReplacesTheOther() throws Exception {
        try (ClusterClient client = client()) {
            trust(first.getCertificatePEM() + "\n" + second.getCertificatePEM());
            assertAnswers(client);
            serve(second, "127.0.0.1");
            assertAnswers(client);
        }
    }

    @Test
    void whatCannotBeReadChangesNothing() throws Exception {
        try (ClusterClient client = client()) {
            for (String broken :
                    new String[] {"", "garbage", first.getCertificatePEM().substring(0, 200)}) {
                trust(broken);
                serve(first, "127.0.0.1");
                assertAnswers(client);
            }
            Files.delete(folder.resolve("ca.crt"));
            serve(first, "127.0.0.1");
            assertAnswers(client);
            trust(second.getCertificatePEM());
            serve(second, "127.0.0.1");
            assertAnswers(client);
        }
    }

    @Test
    void aCertificateForAnotherAddressIsNotTrusted() throws Exception {
        serve(first, "127.0.0.2");
        try (ClusterClient client = client()) {
            assertThatThrownBy(() -> client.client().getKubernetesVersion())
                    .hasStackTraceContaining("No subject alternative names matching IP address");
        }
    }

    @Test
    void withoutAnAuthorityThereIsNoClient() throws Exception {
        assertThatCode(() -> client().close()).doesNotThrowAnyException();
        trust("garbage");
        assertThatThrownBy(this::client)
                .isInstanceOf(InvalidKubeconfig.class)
                .hasMessageContaining("ca.crt: no certificate can be read");
        Files.delete(folder.resolve("ca.crt"));
        assertThatThrownBy(this::client).isInstanceOf(InvalidKubeconfig.class);
    }
}

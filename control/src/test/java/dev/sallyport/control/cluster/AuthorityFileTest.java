package dev.sallyport.control.cluster;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A client with a service account, and a server whose authority changes. */
class AuthorityFileTest {
    private static final String VERSION = "{\"major\":\"1\",\"minor\":\"35\"}";

    @TempDir private Path folder;
    private final X509Bundle first = authority("first");
    private final X509Bundle second = authority("second");
    private final ServerSocket server = listening();
    private final int port = server.getLocalPort();
    private volatile @Nullable SSLSocketFactory tls;

    private static ServerSocket listening() {
        try {
            return new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException cannotBe) {
            throw new UncheckedIOException(cannotBe);
        }
    }

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
        Thread.startVirtualThread(this::accept);
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    /** From the next connection on; the port stays bound, or another process could have it. */
    private void serve(X509Bundle authority, String address) throws Exception {
        X509Bundle leaf =
                new CertificateBuilder()
                        .ecp256()
                        .subject("CN=api")
                        .addSanIpAddress(address)
                        .buildIssuedBy(authority);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(leaf.toKeyManagerFactory().getKeyManagers(), null, null);
        tls = context.getSocketFactory();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket connection = server.accept();
                Thread.startVirtualThread(() -> answer(connection));
            } catch (IOException closed) {
                return;
            }
        }
    }

    /** One request a connection, so that each is a handshake. */
    private void answer(Socket accepted) {
        try (Socket connection =
                Objects.requireNonNull(tls)
                        .createSocket(accepted, InputStream.nullInputStream(), true)) {
            var request =
                    new BufferedReader(
                            new InputStreamReader(connection.getInputStream(), US_ASCII));
            String line = request.readLine();
            while (line != null && !line.isEmpty()) {
                line = request.readLine();
            }
            connection
                    .getOutputStream()
                    .write(
                            ("HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                            + "Content-Type: application/json\r\nContent-Length: "
                                            + VERSION.length()
                                            + "\r\n\r\n"
                                            + VERSION)
                                    .getBytes(US_ASCII));
        } catch (IOException notTrusted) {
            // the client says so
        }
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

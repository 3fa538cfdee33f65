package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** SIGTERM with a request in flight. */
final class DrainIT {

    @ParameterizedTest
    @EnumSource(Version.class)
    void requestsInFlightAreAnsweredBeforeTheEnd(Version version, @TempDir Path work)
            throws Exception {
        Pki pki = Pki.in(work);
        var arrived = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        try (Backend slow = Backend.start((request, reply) -> answer(arrived, release, reply));
                HttpClient client =
                        HttpClient.newBuilder()
                                .version(version)
                                .sslContext(pki.clientContext())
                                .build();
                Gateway gateway = Gateway.in(work, pki, folder(work, pki, slow)).start()) {
            CompletableFuture<HttpResponse<String>> answer =
                    client.sendAsync(
                            HttpRequest.newBuilder(
                                            URI.create(
                                                    "https://a.test:" + gateway.https() + "/slow"))
                                    .timeout(Duration.ofSeconds(60))
                                    .build(),
                            BodyHandlers.ofString());
            assertThat(arrived.await(20, TimeUnit.SECONDS)).isTrue();

            gateway.terminate();
            await().atMost(Duration.ofSeconds(20)).until(() -> gateway.readyz() != 200);
            await().atMost(Duration.ofSeconds(20)).until(() -> !accepts(gateway.https()));
            release.countDown();

            assertThat(answer.get(20, TimeUnit.SECONDS).body()).isEqualTo("slowly done");
            assertThat(answer.join().version()).isEqualTo(version);
            assertThat(gateway.awaitExit()).isZero();
        }
    }

    private static void answer(CountDownLatch arrived, CountDownLatch release, Reply reply)
            throws IOException {
        try {
            reply.raw(Reply.head(200, "Content-Length: 11") + "\r\nslowly ");
            arrived.countDown();
            if (!release.await(60, TimeUnit.SECONDS)) {
                throw new IOException("never released");
            }
            reply.raw("done");
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static Folder folder(Path work, Pki pki, Backend slow) {
        return Folder.in(work)
                .put(
                        "all.yaml",
                        Manifests.service("slow", slow),
                        Manifests.secret("tls", pki.ecdsa("a.test")),
                        ingress("all").tls("tls", "a.test").host("a.test", "slow").yaml());
    }

    private static boolean accepts(int port) {
        try (var connection = RawClient.plain(port).open()) {
            return connection.socket().isConnected();
        } catch (IOException e) {
            return false;
        }
    }
}

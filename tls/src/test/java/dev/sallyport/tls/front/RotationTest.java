package dev.sallyport.tls.front;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.tls.certificate.TestCertificates;
import io.netty.util.LeakPresenceDetector;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tables that change, and caches that are too small, under handshakes from several threads. */
class RotationTest {
    private static final int CLIENTS = 4;
    private static final int HANDSHAKES = 25; // by each client

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final Set<String> seen = ConcurrentHashMap.newKeySet();

    @AfterEach
    void close() {
        timer.shutdown();
    }

    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    private TestServer server(int cached) {
        return new TestServer(
                new TlsFront(cached, () -> TestCertificates.NOW, new byte[32], timer));
    }

    /** Dials until all clients are done; each answer must present what the server says it did. */
    private void dialFromAllSides(int port, List<String> names) throws Exception {
        AtomicInteger next = new AtomicInteger();
        try (var threads = Executors.newFixedThreadPool(CLIENTS)) {
            List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                String version = i % 2 == 0 ? "TLSv1.3" : "TLSv1.2";
                clients.add(
                        threads.submit(() -> {
                            for (int n = 0; n < HANDSHAKES; n++) {
                                String name = names.get(next.getAndIncrement() % names.size());
                                dial(port, version, name);
                            }
                        }));
            }
            for (Future<?> client : clients) {
                client.get(60, TimeUnit.SECONDS);
            }
        }
    }

    private void dial(int port, String version, String name) {
        try {
            var answer = new JdkClient(port).versions(version).dial(name);
            seen.add(answer.subject());
            if (!answer.line().contains("set=" + answer.subject() + " ")) {
                wrong.add(answer.toString());
            }
        } catch (java.io.IOException failed) {
            wrong.add(failed.toString());
        }
    }

    private static CertificateSet again(CertificateSet set) {
        CertificateBundle bundle = set.certificates().getFirst().bundle();
        try {
            return CertificateSet.of(
                    List.of(
                            TestPki.served(
                                    bundle.privateKey()
                                            .use(key -> {
                                                try {
                                                    return CertificateBundle.of(
                                                            bundle.chain(), key);
                                                } catch (GeneralSecurityException e) {
                                                    throw new IllegalStateException(e);
                                                }
                                            }))));
        } catch (IllegalStateException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void noHandshakeFailsWhileCertificatesRotate() throws Exception {
        List<CertificateSet> versions = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            versions.add(TestPki.set("v" + i));
        }
        TestServer server = server(100);
        AtomicInteger rotations = new AtomicInteger();
        try (server) {
            CertificateSet[] current = {versions.getFirst()};
            server.table.set(TestPki.table().host("rot.test", current[0]).build());
            Future<?> rotating =
                    timer.scheduleWithFixedDelay(
                            () -> {
                                CertificateSet fresh =
                                        again(versions.get(rotations.incrementAndGet() % 8));
                                server.table.set(TestPki.table().host("rot.test", fresh).build());
                                server.front.forget(current[0].certificates().getFirst().bundle());
                                current[0] = fresh;
                            },
                            0,
                            3,
                            TimeUnit.MILLISECONDS);
            dialFromAllSides(server.listen(TlsPolicy.DEFAULT), List.of("rot.test"));
            rotating.cancel(false);
        }
        assertThat(wrong).isEmpty();
        assertThat(seen).hasSizeGreaterThan(2);
        assertThat(rotations.get()).isGreaterThan(20);
        assertThat(server.front.credentialsFreed())
                .isEqualTo(server.front.credentialsCreated())
                .isGreaterThan(10);
    }

    @Test
    void aCacheOfOneServesManyNamesRightly() throws Exception {
        manyNames(1);
    }

    @Test
    void aCacheOfNoneServesManyNamesRightly() throws Exception {
        manyNames(0);
    }

    private void manyNames(int cached) throws Exception {
        TestServer server = server(cached);
        try (server) {
            var table = TestPki.table();
            List<String> names = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                table.host("n" + i + ".test", TestPki.set("n" + i));
                names.add("n" + i + ".test");
            }
            server.table.set(table.build());
            dialFromAllSides(server.listen(TlsPolicy.DEFAULT), names);
            assertThat(server.front.credentialsHeld()).isLessThanOrEqualTo(cached);
        }
        assertThat(wrong).isEmpty();
        assertThat(seen).hasSize(8);
        assertThat(server.front.credentialsFreed())
                .isEqualTo(server.front.credentialsCreated())
                .isGreaterThan(8);
    }
}

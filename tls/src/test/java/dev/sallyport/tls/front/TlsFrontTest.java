package dev.sallyport.tls.front;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.tls.certificate.TestCertificates;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Handshakes over sockets: the JDK's client against a front. */
class TlsFrontTest {
    private static final List<String> VERSIONS = List.of("TLSv1.2", "TLSv1.3");

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private TestServer server;
    private int port;

    @BeforeEach
    void listen() {
        server = new TestServer(new TlsFront(100, () -> TestCertificates.NOW, new byte[32], timer));
        port = server.listen(TlsPolicy.DEFAULT);
        server.table.set(
                TestPki.table()
                        .host("shop.example.com", TestPki.set("exact"))
                        .host("*.example.com", TestPki.set("wildcard"))
                        .fallback(TestPki.set("default"))
                        .build());
    }

    @AfterEach
    void close() {
        server.close();
        timer.shutdown();
        assertThat(server.front.credentialsFreed()).isEqualTo(server.front.credentialsCreated());
    }

    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void theExactNameIsPresented() throws IOException {
        for (String version : VERSIONS) {
            var answer = new JdkClient(port).versions(version).dial("shop.example.com");
            assertThat(answer.subject()).isEqualTo("exact");
            assertThat(answer.line())
                    .contains("sni=shop.example.com set=exact fallback=false")
                    .contains("version=" + version)
                    .contains("resumed=false");
        }
    }
}

package dev.sallyport.tls.front;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.listener.ClientAuthentication;
import dev.sallyport.model.listener.ClientAuthentication.TrustAnchors;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.model.listener.TlsProfile;
import dev.sallyport.tls.certificate.TestCertificates;
import dev.sallyport.tls.certificate.TestCertificates.Made;
import dev.sallyport.tls.context.TicketKeys;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a session is good for, tried with a client that offers whatever session it is given,
 * wherever it is told to.
 */
class ResumptionTest {
    private static final List<String> VERSIONS = List.of("-tls1_2", "-tls1_3");
    private static final String NAME = "a.test";

    private static final Made CA =
            TestCertificates.valid()
                    .subject("CN=Client CA")
                    .keys(TestCertificates.keyPair("EC-secp384r1"))
                    .authority()
                    .make();
    private static final Made CLIENT =
            TestCertificates.valid()
                    .subject("CN=alice")
                    .validity(
                            TestCertificates.NOW.minus(Duration.ofDays(1)),
                            TestCertificates.NOW.plus(Duration.ofDays(36_500)))
                    .issuedBy(CA)
                    .make();
    private static final TrustAnchors ANCHORS = TrustAnchors.of(List.of(CA.der()));
    private static final TlsPolicy OPEN = TlsPolicy.DEFAULT;
    private static final TlsPolicy OPTIONAL = policy(new ClientAuthentication.Optional(ANCHORS));
    private static final TlsPolicy REQUIRED = policy(new ClientAuthentication.Required(ANCHORS));

    private final AtomicReference<Instant> now = new AtomicReference<>(TestCertificates.NOW);
    private final EmbeddedChannel time = new EmbeddedChannel();
    private final TestServer server =
            new TestServer(new TlsFront(10, now::get, new byte[32], time.eventLoop()));
    private Path session;

    @BeforeEach
    void prepare() throws IOException {
        server.table.set(TestPki.table().host(NAME, TestPki.set("one")).build());
        session = OpenSslClient.sessionFile();
        time.freezeTime();
    }

    @AfterEach
    void close() throws IOException {
        Files.delete(session);
        server.close();
        var _ = time.close();
        assertThat(server.front.credentialsFreed()).isEqualTo(server.front.credentialsCreated());
    }

    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    private static TlsPolicy policy(ClientAuthentication authentication) {
        return new TlsPolicy(
                TlsProfile.INTERMEDIATE,
                TlsPolicy.DEFAULT_GROUPS,
                List.of("h2", "http/1.1"),
                authentication);
    }

    private String earn(int port, String version, String... options) throws IOException {
        return dial(port, NAME, version, "-sess_out", options);
    }

    private String offer(int port, String version, String... options) throws IOException {
        return dial(port, NAME, version, "-sess_in", options);
    }

    private String dial(int port, String name, String version, String use, String... options)
            throws IOException {
        List<String> all = new ArrayList<>(List.of(version, use, session.toString()));
        all.addAll(Arrays.asList(options));
        return new OpenSslClient(port).outcome(name, all.toArray(String[]::new));
    }

    private static String[] asAlice() throws IOException {
        Path certificate = OpenSslClient.sessionFile();
        Path key = OpenSslClient.sessionFile();
        Files.writeString(certificate, CLIENT.crt());
        Files.writeString(key, CLIENT.key());
        return new String[] {"-cert", certificate.toString(), "-key", key.toString()};
    }

    private void passTime(Duration duration) {
        now.updateAndGet(instant -> instant.plus(duration));
        time.advanceTimeBy(61, TimeUnit.SECONDS);
        time.runScheduledPendingTasks();
    }

    @Test
    void sessionsResume() throws IOException {
        int port = server.listen(OPEN);
        for (String version : VERSIONS) {
            assertThat(earn(port, version)).contains("resumed=false");
            assertThat(offer(port, version)).contains("resumed=true");
        }
    }

    @Test
    void sessionsOutliveARotatedCertificate() throws IOException {
        int port = server.listen(OPEN);
        for (String version : VERSIONS) {
            earn(port, version);
            server.table.set(TestPki.table().host(NAME, TestPki.set("two")).build());
            assertThat(offer(port, version)).contains("set=two").contains("resumed=true");
        }
    }

    @Test
    void aResumedConnectionHasTheScopeOfItsOwnName() throws IOException {
        server.table.set(
                TestPki.table()
                        .host(NAME, TestPki.set("one"))
                        .fallback(TestPki.set("default"))
                        .build());
        int port = server.listen(OPEN);
        for (String version : VERSIONS) {
            earn(port, version);
            assertThat(dial(port, "other.test", version, "-sess_in"))
                    .contains("sni=other.test set=default fallback=true")
                    .contains("resumed=true");
        }
    }

    @Test
    void anOpenSessionIsNotTakenWhereCertificatesAreRequired() throws IOException {
        int open = server.listen(OPEN);
        int required = server.listen(REQUIRED);
        for (String version : VERSIONS) {
            earn(open, version);
            assertThat(offer(open, version)).contains("resumed=true"); // it is a good one
            assertThat(offer(required, version)).doesNotStartWith("sni=");
            assertThat(offer(required, version, asAlice())).contains("resumed=false");
        }
    }

    @Test
    void anOptionalSessionIsNotTakenWhereCertificatesAreRequired() throws IOException {
        int optional = server.listen(OPTIONAL);
        int required = server.listen(REQUIRED);
        for (String version : VERSIONS) {
            earn(optional, version);
            assertThat(offer(optional, version)).contains("resumed=true");
            assertThat(offer(required, version)).doesNotStartWith("sni=");
        }
    }

    @Test
    void aSessionOfAnotherAuthoritysClientsIsNotTaken() throws IOException {
        Made otherCa =
                TestCertificates.valid()
                        .subject("CN=Other CA")
                        .keys(TestCertificates.keyPair("EC-secp521r1"))
                        .authority()
                        .make();
        int required = server.listen(REQUIRED);
        int other =
                server.listen(
                        policy(
                                new ClientAuthentication.Required(
                                        TrustAnchors.of(List.of(otherCa.der())))));
        for (String version : VERSIONS) {
            assertThat(earn(required, version, asAlice())).contains("resumed=false");
            assertThat(offer(required, version)).contains("resumed=true");
            assertThat(offer(other, version)).doesNotStartWith("sni=");
        }
    }

    @Test
    void aSessionOfAnotherProfileIsNotTaken() throws IOException {
        int intermediate = server.listen(OPEN);
        int modern =
                server.listen(
                        new TlsPolicy(
                                TlsProfile.MODERN,
                                OPEN.groups(),
                                OPEN.applicationProtocols(),
                                OPEN.clientAuthentication()));
        earn(intermediate, "-tls1_3");
        assertThat(offer(modern, "-tls1_3")).contains("resumed=false");
    }

    @Test
    void aResumedClientWhoseCertificateHasExpiredIsRefused() throws IOException {
        int required = server.listen(REQUIRED);
        for (String version : VERSIONS) {
            earn(required, version, asAlice());
            assertThat(offer(required, version)).contains("resumed=true");
            Instant before =
                    now.getAndSet(CLIENT.certificate().getNotAfter().toInstant().plusSeconds(1));
            assertThat(offer(required, version)).doesNotStartWith("sni=");
            now.set(before);
        }
        assertThat(server.outcomes.failures).contains(HandshakeFailure.CLIENT_CERTIFICATE);
    }

    @Test
    void ticketsLiveAsLongAsTheirKeyIsKept() throws IOException {
        int port = server.listen(OPEN);
        for (String version : VERSIONS) {
            earn(port, version);
            passTime(TicketKeys.PERIOD.multipliedBy(TicketKeys.KEPT));
            assertThat(offer(port, version)).contains("resumed=true");
            passTime(TicketKeys.PERIOD);
            assertThat(offer(port, version)).contains("resumed=false");
        }
    }

    @Test
    void renewedTicketsLiveOn() throws IOException {
        // In TLS 1.3 only: openssl does not save the ticket that TLS 1.2 renews.
        int port = server.listen(OPEN);
        earn(port, "-tls1_3");
        for (int i = 0; i < 4; i++) {
            passTime(TicketKeys.PERIOD.multipliedBy(TicketKeys.KEPT));
            assertThat(offer(port, "-tls1_3", "-sess_out", session.toString()))
                    .contains("resumed=true");
        }
    }

    @Test
    void replicasWithOneSecretResumeEachOthersSessions() throws IOException {
        int port = server.listen(OPEN);
        try (var replica =
                        new TestServer(new TlsFront(10, now::get, new byte[32], time.eventLoop()));
                var stranger =
                        new TestServer(
                                new TlsFront(
                                        10,
                                        now::get,
                                        "0123456789abcdef0123456789abcdef"
                                                .getBytes(
                                                        java.nio.charset.StandardCharsets.US_ASCII),
                                        time.eventLoop()))) {
            replica.table.set(server.table.get());
            stranger.table.set(server.table.get());
            int replicaPort = replica.listen(OPEN);
            int strangerPort = stranger.listen(OPEN);
            for (String version : VERSIONS) {
                earn(port, version);
                assertThat(offer(replicaPort, version)).contains("resumed=true");
                assertThat(offer(strangerPort, version)).contains("resumed=false");
            }
        }
    }
}

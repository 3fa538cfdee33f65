package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The packaged gateway with a wall clock that is wrong, or is set while it runs. */
final class ClockIT {
    private static final System.Logger LOG = System.getLogger("conformance.figures");
    private static final String HOST = "shop.test";

    @TempDir private Path work;
    private Pki pki;
    private Leaf leaf;
    private Backend echo;
    private Folder folder;
    private SettableClock clock;

    @BeforeEach
    void write() {
        clock = SettableClock.in(work);
        pki = Pki.in(work);
        leaf = valid(-10, 80);
        echo = Backend.echo("echo");
        folder =
                Folder.in(work)
                        .put(
                                "shop.yaml",
                                Manifests.service("echo", echo),
                                ingress("shop").tls("shop-tls", HOST).host(HOST, "echo").yaml())
                        .put("tls.yaml", Manifests.secret("shop-tls", leaf));
    }

    @AfterEach
    void stop() {
        echo.close();
    }

    @ParameterizedTest
    @CsvSource({"-400, CertificateNotYetValid", "400, CertificateExpired"})
    void aGatewayWhoseClockIsWrongFromTheStartServesAndRenews(int days, String told)
            throws IOException {
        try (Gateway gateway = start(days)) {
            assertServes(gateway, leaf);
            gateway.awaitFinding(told, "shop-tls");
            assertThat(RawClient.tls(gateway.https(), HOST).get(HOST, "/").first("date"))
                    .as("the gateway's own time")
                    .hasValueSatisfying(
                            date -> assertThat(date).contains(" " + yearIn(days) + " "));
            Leaf renewed = valid(-1, 89);
            folder.put("tls.yaml", Manifests.secret("shop-tls", renewed));
            gateway.awaitServed(HOST, renewed);
        }
    }

    @Test
    void aClockThatIsSetWhileTheGatewayRunsChangesWhatItSaysAndNothingThatItDoes()
            throws IOException {
        try (Gateway gateway = start(0);
                RawClient.Connection kept = RawClient.tls(gateway.https(), HOST).open()) {
            assertServes(gateway, leaf);
            assertStillOpen(kept);
            for (int days : new int[] {400, -400, 1, -1, 400, 0}) {
                Duration busy = cpu(gateway);
                clock.set(days);
                awaitTold(gateway, days);
                assertServes(gateway, leaf);
                assertStillOpen(kept);
                assertThat(cpu(gateway).minus(busy))
                        .as("at " + days + " days nothing is done again and again")
                        .isLessThan(Duration.ofSeconds(4));
            }
            assertThat(gateway.readyz()).isEqualTo(200);
            assertThat(gateway.metrics().sum("sallyport_snapshots_published_total")).isEqualTo(1);
            assertThat(gateway.out().lines().toList())
                    .as("durations are by the clock that only goes forward")
                    .isNotEmpty()
                    .allMatch(line -> line.matches(".*\"duration_ms\":\\d{1,4}(\\.\\d+)?,.*"));
        }
    }

    /** The clients' own clock is right. */
    @Test
    void noRequestFailsWhileTheClockIsSet() throws Exception {
        try (Gateway gateway = start(0);
                Load load = Load.https(gateway.httpsAddress(), HOST, pki::clientContext)) {
            for (int days : new int[] {400, -400, 0}) {
                clock.set(days);
                awaitFinding(gateway, days);
                Leaf renewed = valid(-1, 80);
                folder.put("tls.yaml", Manifests.secret("shop-tls", renewed));
                gateway.awaitServed(HOST, renewed);
            }
            LOG.log(
                    System.Logger.Level.INFO,
                    "clock set to 400 days, -400 and back, with a renewal each time: {0}",
                    load.assertNothingFailed(10));
        }
    }

    @Test
    void aRenewalFromBehindAClockThatWasSetBackWaitsOnlyUntilItIsSetRight() throws IOException {
        try (Gateway gateway = start(0)) {
            assertServes(gateway, leaf);
            clock.set(-1);
            awaitClock(gateway, -1);
            Leaf renewed =
                    pki.issue(
                            wanted ->
                                    wanted.valid(
                                            SettableClock.REAL
                                                    .instant()
                                                    .minusSeconds(3600)
                                                    .toString(),
                                            SettableClock.inDays(89).toString()),
                            HOST);
            folder.put("tls.yaml", Manifests.secret("shop-tls", renewed));
            gateway.awaitFinding("CertificateNotYetValid", "shop-tls", "stays in service");
            assertServes(gateway, leaf);
            clock.set(0);
            gateway.awaitServed(HOST, renewed);
            gateway.awaitNoFinding("CertificateNotYetValid");
        }
    }

    private Gateway start(int days) {
        clock.set(days);
        return Gateway.in(work, pki, folder).config(Load.ENDLESS).behind(clock.words()).start();
    }

    private void awaitTold(Gateway gateway, int days) throws IOException {
        awaitClock(gateway, days);
        awaitFinding(gateway, days);
    }

    private static void awaitFinding(Gateway gateway, int days) {
        if (days < -10) {
            gateway.awaitFinding("CertificateNotYetValid", "shop-tls");
        } else if (days > 80) {
            gateway.awaitFinding("CertificateExpired", "shop-tls");
        } else {
            gateway.awaitNoFinding("shop-tls");
        }
    }

    /** Waits until the process follows. */
    private static void awaitClock(Gateway gateway, int days) {
        String day = LocalDate.ofInstant(SettableClock.inDays(days), ZoneOffset.UTC).toString();
        await().atMost(Duration.ofSeconds(20))
                .until(() -> {
                    RawClient.plain(gateway.http()).get("nobody.test", "/");
                    return gateway.out()
                            .lines()
                            .reduce((_, last) -> last)
                            .filter(line -> line.contains("\"time\":\"" + day))
                            .isPresent();
                });
    }

    private static void assertServes(Gateway gateway, Leaf expected) throws IOException {
        BigInteger serial = Handshakes.serial(gateway.https(), HOST);
        assertThat(serial).isEqualTo(expected.serial());
        assertThat(RawClient.tls(gateway.https(), HOST).get(HOST, "/").status()).isEqualTo(200);
    }

    private static void assertStillOpen(RawClient.Connection connection) throws IOException {
        connection.send("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n");
        assertThat(connection.response().status()).isEqualTo(200);
    }

    private static Duration cpu(Gateway gateway) {
        return gateway.process().info().totalCpuDuration().orElseThrow();
    }

    private static int yearIn(int days) {
        return LocalDate.ofInstant(SettableClock.inDays(days), ZoneOffset.UTC).getYear();
    }

    private Leaf valid(int from, int to) {
        Instant now = SettableClock.REAL.instant();
        List<String> dates =
                List.of(
                        now.plus(Duration.ofDays(from)).toString(),
                        now.plus(Duration.ofDays(to)).toString());
        return pki.issue(wanted -> wanted.valid(dates.getFirst(), dates.getLast()), HOST);
    }
}

package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A wrong clock where there is an API server: by it the certificate of that looks expired or not
 * yet valid, so that no connection to it can be made any more.
 */
@OnCluster(needs = Need.NODE)
final class ClusterClockIT {
    private static final System.Logger LOG = System.getLogger("conformance.figures");
    private static final Duration SOON = Duration.ofSeconds(60);

    /** In days; the API server's certificate is the test bed's, valid for ten years. */
    private static final int EXPIRED = 4000;

    private static final int NOT_YET_VALID = -400;
    private static final String REFUSED = "validity check failed";

    @TempDir private Path work;
    private Cluster cluster;
    private Namespace namespace;
    private Pki pki;
    private GatewayAccount account;
    private Api api;
    private SettableClock clock;
    private String host;
    private Leaf leaf;

    @BeforeEach
    void prepare(Cluster shared, Namespace own) {
        cluster = shared;
        namespace = own;
        clock = SettableClock.in(work);
        pki = Pki.in(work);
        account = GatewayAccount.in(namespace, work);
        api = namespace.api(work);
        host = "shop." + namespace.name() + ".test";
        namespace.echo("echo", 1);
        leaf = rotate();
        namespace.apply(
                account.classed(ingress("shop")).tls("shop", host).host(host, "echo").yaml());
    }

    /** Whatever a test came to, the next one has a whole cluster. */
    @AfterEach
    void mend() {
        cluster.program("start", "apiserver");
        // It ends when it cannot renew its lease.
        cluster.program("start", "cert-manager");
        account.close();
        api.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {EXPIRED, NOT_YET_VALID})
    void aClockThatIsSetWrongEndsNoServiceAndIsFollowedOnceItIsRight(int days) throws Exception {
        try (Gateway gateway = launch()) {
            await().atMost(SOON).until(() -> gateway.readyz() == 200);
            gateway.awaitServed(host, leaf);
            // The clients' own clock is right.
            try (Load load = Load.https(gateway.httpsAddress(), host, pki::clientContext)) {
                clock.set(days);
                gateway.awaitFinding(
                        days < 0 ? "CertificateNotYetValid" : "CertificateExpired", "\"shop\"");
                // What is connected stays so: only whoever connects anew judges the certificate.
                cluster.program("kill", "apiserver");
                cluster.program("start", "apiserver");
                await().atMost(SOON)
                        .until(() ->
                                gateway.findings().stream()
                                        .anyMatch(finding ->
                                                finding.contains("ApiServerUnreachable")
                                                        && finding.contains(REFUSED)));
                Leaf renewed = rotate();
                assertThat(gateway.readyz()).isEqualTo(200);
                assertThat(Handshakes.serial(gateway.httpsAddress(), host))
                        .isEqualTo(leaf.serial());
                assertThat(gateway.metrics().sum("sallyport_source_age_seconds")).isPositive();

                clock.set(0);
                gateway.awaitServed(host, renewed);
                gateway.awaitNoFinding("ApiServerUnreachable");
                gateway.awaitNoFinding("\"shop\"");
                LOG.log(
                        System.Logger.Level.INFO,
                        "clock set to {0} days in a cluster, and back: {1}",
                        Integer.toString(days),
                        load.assertNothingFailed(10));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {EXPIRED, NOT_YET_VALID})
    void aStartWithAWrongClockSaysWhatItWaitsForAndWhy(int days) {
        clock.set(days);
        try (Gateway gateway = launch()) {
            await().atMost(SOON)
                    .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                    .until(() -> gateway.adminGet("/readyz").body().contains(REFUSED));
            assertThat(gateway.readyz()).isEqualTo(503);
            assertThat(gateway.adminGet("/readyz").body()).contains("the list of");
            clock.set(0);
            await().atMost(SOON).until(() -> gateway.readyz() == 200);
            gateway.awaitServed(host, leaf);
        }
    }

    private Gateway launch() {
        return account.gateway(cluster, work, pki)
                .config(Load.ENDLESS)
                .behind(clock.words())
                .launch();
    }

    private Leaf rotate() {
        Leaf next =
                pki.issue(
                        wanted ->
                                wanted.valid(
                                        SettableClock.inDays(-10).toString(),
                                        SettableClock.inDays(80).toString()),
                        host);
        api.apply(Api.Kind.SECRET, "shop", Manifests.secret("shop", next));
        return next;
    }
}

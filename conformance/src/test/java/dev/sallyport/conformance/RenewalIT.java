package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/**
 * A certificate that cert-manager renews, with a new key each time, and that people delete, under
 * traffic that believes nothing but certificates for its host: no request and no handshake fails.
 */
@OnCluster(needs = Need.PODS)
final class RenewalIT {

    private static final System.Logger LOG = System.getLogger("conformance.figures");
    private static final int RENEWALS = Integer.getInteger("conformance.renewals", 10);
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final String NAME = "shop";

    @TempDir private static Path work;
    private static Pki pki;
    private static Namespace namespace;
    private static GatewayAccount account;
    private static Api api;
    private static CertManager certManager;
    private static Gateway gateway;
    private static String host;

    @BeforeAll
    static void start(Cluster cluster, Namespace own) {
        namespace = own;
        pki = Pki.in(work);
        account = GatewayAccount.in(namespace, work);
        api = namespace.api(work);
        certManager = new CertManager(api, pki.material());
        host = "shop." + namespace.name() + ".test";
        namespace
                .echo("echo", 2)
                .apply(
                        CertManager.caIssuer("authority", pki.authority()),
                        certificate(),
                        account.classed(ingress(NAME)).tls(NAME, host).host(host, "echo").yaml());
        gateway = account.gateway(cluster, work, pki).config(Load.ENDLESS).start();
        awaitServed(certManager.awaitReady(NAME));
        gateway.awaitStatus(host, "/", 308);
    }

    @AfterAll
    static void stop() {
        try {
            gateway.close();
        } finally {
            account.close();
            api.close();
        }
    }

    private static String certificate() {
        return CertManager.certificate(
                NAME, "authority", "dnsNames: [" + host + "], " + CertManager.ECDSA);
    }

    @Test
    void nothingFailsWhileKeysAreRenewed() throws Exception {
        try (Load load = Load.https(address(), host, pki::clientContext)) {
            TlsSecret served = certManager.secret(NAME);
            Set<String> keys = new HashSet<>(Set.of(served.key()));
            List<Long> nanos = new ArrayList<>();
            for (int i = 0; i < RENEWALS; i++) {
                long start = System.nanoTime();
                certManager.renew(NAME);
                served = certManager.awaitAnother(NAME, served);
                keys.add(served.key());
                awaitServed(served);
                nanos.add(System.nanoTime() - start);
                certManager.awaitReady(NAME);
            }
            String traffic = load.assertNothingFailed(RENEWALS);
            await("what kubectl shows of it")
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> namespace.hasEvent(NAME, "CertificateServed"));
            assertThat(keys).as("keys").hasSize(RENEWALS + 1);
            LOG.log(
                    System.Logger.Level.INFO,
                    "{0} renewals with a new key under load: asked for to served {1}; {2}",
                    RENEWALS,
                    new Times(nanos),
                    traffic);
        }
    }

    /** Whoever deletes a Secret hardly means to end the service. */
    @Test
    void nothingFailsWhileTheSecretIsDeletedAndIssuedAgain() throws Exception {
        try (Load load = Load.https(address(), host, pki::clientContext)) {
            TlsSecret before = certManager.secret(NAME);
            api.delete(Api.Kind.SECRET, NAME);
            TlsSecret again = certManager.awaitAnother(NAME, before);
            awaitServed(again);

            // Nobody issues it any more.
            api.delete(Api.Kind.CERTIFICATE, NAME);
            api.delete(Api.Kind.SECRET, NAME);
            gateway.awaitFinding("SecretDeleted", NAME);
            assertThat(Handshakes.serial(address(), host)).isEqualTo(again.serial());

            namespace.apply(certificate());
            awaitServed(certManager.awaitAnother(NAME, again));
            gateway.awaitNoFinding("SecretDeleted");
            load.assertNothingFailed(10);
        }
    }

    /** Other Secrets, of Helm's releases say, are large, many, and none of a gateway's business. */
    @Test
    @OnCluster(needs = Need.NODE)
    void onlySecretsWithCertificatesAreAskedFor(Cluster cluster) throws IOException {
        String user = "system:serviceaccount:" + namespace.name() + ":gateway";
        List<String> asked;
        try (Stream<String> lines = Files.lines(cluster.bed().state().resolve("log/audit.log"))) {
            asked =
                    lines.filter(line -> line.contains('"' + user + '"'))
                            .map(line -> JSON.readTree(line).path("requestURI").asString())
                            .distinct()
                            .toList();
        }
        assertThat(asked).isNotEmpty();
        assertThat(asked)
                .allMatch(uri ->
                        uri.contains("fieldSelector=type%3Dkubernetes.io%2Ftls")
                                || uri.contains("fieldSelector=metadata.name%3D")
                                || uri.matches("/api/v1/namespaces/[^/]+/secrets/[^/?]+"));
    }

    private static InetSocketAddress address() {
        return gateway.httpsAddress();
    }

    private static void awaitServed(TlsSecret secret) {
        await("the certificate of " + secret)
                .pollInterval(Duration.ofMillis(2))
                .atMost(SOON)
                .until(() -> Handshakes.serial(address(), host).equals(secret.serial()));
    }
}

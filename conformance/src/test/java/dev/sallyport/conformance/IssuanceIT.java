package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import tools.jackson.databind.JsonNode;

/**
 * Certificates that cert-manager gets for Ingresses, from Pebble by HTTP-01 and from an authority
 * in a Secret. One gateway, with the rights it asks for, serves them all side by side; each has
 * hosts of its own.
 */
@OnCluster(needs = Need.PODS)
final class IssuanceIT {

    /** A test that mostly waits for cert-manager, as the others of this class do meanwhile. */
    @Test
    @Execution(ExecutionMode.CONCURRENT)
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    private @interface SideBySide {}

    private static final System.Logger LOG = System.getLogger("conformance.figures");

    /** Half of the certificates are in service so soon after their Secret was there. */
    private static final Duration AT_ONCE = Duration.ofSeconds(3);

    /** How often a certificate is issued to measure that. */
    private static final int ISSUED = 5;

    /**
     * A challenge is answered so soon after the solver's Ingress and endpoint were there; mostly
     * within a second, but for a machine that is busy. cert-manager's five checks take as long.
     */
    private static final Duration ANSWERED = Duration.ofSeconds(10);

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String CHALLENGES = "/.well-known/acme-challenge/";
    private static final String SOLVER = "acme.cert-manager.io/http01-solver=true";
    private static final Pattern KEY_AUTHORIZATION = Pattern.compile("[\\w-]+\\.[\\w-]{43}");

    /** Of the cluster's default issuer, as the test bed starts cert-manager with it. */
    private static final String DEFAULT_ISSUER = "by-default";

    @TempDir private static Path work;
    private static Pki pki;
    private static Optional<Acme> acme;
    private static Optional<X509Certificate> pebble;
    private static Namespace namespace;
    private static GatewayAccount account;
    private static Api api;
    private static CertManager certManager;
    private static Gateway gateway;

    @BeforeAll
    static void start(Cluster cluster, Namespace own) {
        namespace = own;
        acme = Acme.of(cluster);
        pki = Pki.in(work);
        pebble = acme.map(Acme::root);
        account = GatewayAccount.in(namespace, work);
        api = namespace.api(work);
        certManager = new CertManager(api, pki.material());
        namespace.echo("echo", 1).apply(CertManager.caIssuer("authority", pki.authority()));
        Gateway.Starter starter =
                account.gateway(cluster, work, pki)
                        .config(
                                "hsts: {max-age: 365d}\ntls: {default-certificate: "
                                        + namespace.name()
                                        + "/by-address}\n");
        acme.ifPresent(server -> {
            String ingressClass = account.ingressClass();
            namespace.apply(
                    CertManager.acmeIssuer("pebble", server, ingressClass),
                    clusterIssuer(ingressClass));
            starter.ports(80, 443);
        });
        if (!Cluster.isGiven()) {
            account.makeDefaultClass();
        }
        gateway = starter.start();
    }

    /** For all namespaces, by the ACME server. */
    private static String clusterIssuer(String name) {
        return CertManager.acmeIssuer(name, acme.orElseThrow(), account.ingressClass())
                .replace("kind: Issuer", "kind: ClusterIssuer");
    }

    /** Whom to believe about what the ACME server issued. */
    private static X509Certificate pebble() {
        return pebble.orElseThrow();
    }

    @AfterAll
    static void stop() {
        try {
            gateway.close();
        } finally {
            namespace
                    .kubectl()
                    .ok("delete", "--ignore-not-found", "clusterissuer/" + account.ingressClass());
            account.close();
            api.close();
        }
    }

    @SideBySide
    @OnCluster(needs = Need.ACME)
    void anAnnotationIsAllThatAHostNeeds() throws IOException {
        String host = host("annotated");
        long created = System.nanoTime();
        namespace.apply(
                byIngress("annotated", host).annotation("cert-manager.io/issuer", "pebble").yaml());

        // Until it is issued: HTTP is redirected, HTTPS answers with a certificate for nobody.
        gateway.awaitStatus(host, "/", 308);
        assertThat(https(host).get(host, "/").status()).isEqualTo(200);
        gateway.awaitFinding("CertificatePending", "\"annotated\"");

        JsonNode solver = awaitSolver(host);
        long asked = System.nanoTime() - created;
        assertThat(path(solver)).startsWith(CHALLENGES);
        awaitEndpoint(solver.at("/spec/rules/0/http/paths/0/backend/service/name").asString());
        long answerable = System.nanoTime() - created;
        assertThat(awaitChallenge(host, path(solver))).startsWith(token(path(solver)) + ".");
        long solved = System.nanoTime() - created;
        assertThat(Duration.ofNanos(solved - answerable)).isLessThan(ANSWERED);
        assertThat(plain().get(host, "/").status()).isEqualTo(308);
        assertThat(plain().get(host, CHALLENGES + "another").status()).isEqualTo(308);
        assertThat(https(host).get(host, path(solver)).status()).isEqualTo(200);

        awaitTrusted(host, pebble());
        long took = System.nanoTime() - created;
        TlsSecret secret = certManager.awaitReady("annotated");
        assertThat(Handshakes.serial(address(), host)).isEqualTo(secret.serial());
        gateway.awaitNoFinding("\"annotated\"");
        assertThat(https(host).get(host, "/").first("strict-transport-security")).isPresent();
        await().atMost(SOON).until(() -> solver(host).isEmpty());
        gateway.awaitStatus(host, path(solver), 308);
        LOG.log(
                System.Logger.Level.INFO,
                "first issuance by HTTP-01: {0} from the Ingress to a trusted handshake; the challenge was there"
                        + " after {1}, its endpoint {2} later, the answer {3} after that",
                Times.seconds(took),
                Times.seconds(asked),
                Times.millis(Duration.ofNanos(answerable - asked)),
                Times.millis(Duration.ofNanos(solved - answerable)));
    }

    /** By the gateway's own measure: it notes when its data plane had each certificate. */
    @SideBySide
    void aCertificateIsInServiceAtOnceWhenItAppears() throws IOException {
        String host = host("by-ca");
        long created = System.nanoTime();
        namespace.apply(
                byIngress("by-ca", host).annotation("cert-manager.io/issuer", "authority").yaml());
        List<Long> took = new ArrayList<>();
        String before = "";
        for (int i = 0; i < ISSUED; i++) {
            if (i > 0) {
                certManager.awaitReady("by-ca");
                certManager.renew("by-ca");
            }
            CertManager.Appearance issued = certManager.awaitAppearance("by-ca", before);
            awaitServed(host, issued.secret().serial());
            before = issued.secret().serial().toString(16);
            // The clocks are one: it may have been served before it was seen to be there.
            took.add(Math.max(0, firstServed(host).toEpochMilli() - issued.after().toEpochMilli()));
        }
        assertTrusted(host, pki.clientContext());
        var times = new Times(took.stream().map(TimeUnit.MILLISECONDS::toNanos).toList());
        LOG.log(
                System.Logger.Level.INFO,
                "{0} certificates by an authority in a Secret, in {1}: in service after {2} at most",
                ISSUED,
                Times.seconds(System.nanoTime() - created),
                times);
        assertThat(times.percentile(50)).isLessThan(AT_ONCE);
    }

    /** When the data plane had the certificate that it has for a host now. */
    private static Instant firstServed(String host) {
        return await("the moment from which " + host + " is served")
                .pollInterval(Duration.ofMillis(20))
                .atMost(SOON)
                .until(
                        () ->
                                Json.items(gateway.api("certificates"))
                                        .filter(row -> row.path("host").asString().equals(host))
                                        .map(row -> row.path("firstServed").asString(""))
                                        .filter(at -> !at.isEmpty())
                                        .map(Instant::parse)
                                        .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    @SideBySide
    void aWildcardCertificateIsServedForEachNameBelowIt() throws IOException {
        String domain = host("wild");
        namespace.apply(
                byIngress("wild", "*." + domain)
                        .annotation("cert-manager.io/issuer", "authority")
                        .yaml(),
                account.classed(ingress("below"))
                        .tls("never", "exact." + domain)
                        .host("exact." + domain, "echo")
                        .yaml());
        TlsSecret secret = certManager.awaitReady("wild");
        for (String name : List.of("a.", "b.", "exact.")) {
            awaitServed(name + domain, secret.serial());
            assertTrusted(name + domain, pki.clientContext());
        }
        assertThat(Handshakes.serial(address(), domain)).isNotEqualTo(secret.serial());
        assertThat(Handshakes.serial(address(), "a.b." + domain)).isNotEqualTo(secret.serial());
    }

    @SideBySide
    void eachClientGetsTheKindOfKeyThatItVerifies() {
        String host = host("pair");
        String names = "dnsNames: [" + host + "], ";
        namespace.apply(
                CertManager.certificate("pair-ecdsa", "authority", names + CertManager.ECDSA),
                CertManager.certificate("pair-rsa", "authority", names + CertManager.RSA),
                account.classed(ingress("pair"))
                        .tls("pair-ecdsa", host)
                        .tls("pair-rsa", host)
                        .host(host, "echo")
                        .yaml());
        TlsSecret ecdsa = certManager.awaitReady("pair-ecdsa");
        TlsSecret rsa = certManager.awaitReady("pair-rsa");
        awaitServed(host, ecdsa.serial());
        awaitBySignature(host, "ECDSA+SHA256", ecdsa);
        awaitBySignature(host, "RSA-PSS+SHA256", rsa);
        certManager.renew("pair-rsa");
        awaitBySignature(host, "RSA-PSS+SHA256", certManager.awaitAnother("pair-rsa", rsa));
        awaitBySignature(host, "ECDSA+SHA256", ecdsa);
    }

    /** The annotation names no issuer: cert-manager takes its default one. */
    @SideBySide
    @OnCluster(needs = {Need.ACME, Need.NODE})
    void tlsAcmeIsAllThatAHostNeedsWhereThereIsADefaultIssuer() throws IOException {
        String host = host("automatic");
        namespace.apply(clusterIssuer(DEFAULT_ISSUER));
        try {
            namespace.apply(
                    byIngress("automatic", host)
                            .annotation("kubernetes.io/tls-acme", "true")
                            .yaml());
            gateway.awaitFinding("CertificatePending", "\"automatic\"");
            awaitTrusted(host, pebble());
            TlsSecret secret = certManager.awaitReady("automatic");
            assertThat(Handshakes.serial(address(), host)).isEqualTo(secret.serial());
            JsonNode issuer = api.get(Api.Kind.CERTIFICATE, "automatic").at("/spec/issuerRef");
            assertThat(issuer.path("kind").asString()).isEqualTo("ClusterIssuer");
            assertThat(issuer.path("name").asString()).isEqualTo(DEFAULT_ISSUER);
        } finally {
            namespace.kubectl().ok("delete", "clusterissuer/" + DEFAULT_ISSUER);
        }
    }

    private static void awaitBySignature(String host, String algorithm, TlsSecret expected) {
        await("a certificate for " + algorithm)
                .atMost(SOON)
                .untilAsserted(() ->
                        assertThat(
                                        OpenSsl.connect(
                                                        address(),
                                                        "-servername",
                                                        host,
                                                        "-sigalgs",
                                                        algorithm)
                                                .serial())
                                .isEqualTo(expected.serial()));
    }

    /** cert-manager's stand-in is served, and nobody is told to insist on HTTPS because of it. */
    @SideBySide
    @OnCluster(needs = Need.ACME)
    void aTemporaryCertificateStandsInUntilTheRealOneIsThere() throws IOException {
        String host = host("temporary");
        namespace.apply(
                CertManager.certificate(
                        "temporary",
                        "pebble",
                        "dnsNames: [" + host + "], " + CertManager.ECDSA,
                        "cert-manager.io/issue-temporary-certificate"),
                byIngress("temporary", host).yaml());
        await().atMost(SOON)
                .until(() ->
                        Handshakes.leaf(address(), host)
                                .getIssuerX500Principal()
                                .getName()
                                .contains("cert-manager.local"));
        RawClient.Response response = https(host).get(host, "/");
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.first("strict-transport-security")).isEmpty();
        gateway.awaitFinding("CertificateTemporary", "\"temporary\"");

        awaitTrusted(host, pebble());
        assertThat(https(host).get(host, "/").first("strict-transport-security")).isPresent();
        gateway.awaitNoFinding("CertificateTemporary", "\"temporary\"");
    }

    /** The challenge is a path of the Ingress itself, which is redirected but for it. */
    @SideBySide
    @OnCluster(needs = Need.ACME)
    void aChallengeThatIsEditedIntoTheIngressIsAnswered() throws IOException {
        String host = host("edited");
        namespace.apply(
                byIngress("edited", host)
                        .annotation("cert-manager.io/issuer", "pebble")
                        .annotation("acme.cert-manager.io/http01-edit-in-place", "true")
                        .yaml());
        String path =
                await().atMost(SOON)
                        .until(
                                () ->
                                        Json.items(
                                                        api.get(Api.Kind.INGRESS, "edited")
                                                                .at("/spec/rules/0/http/paths"))
                                                .map(each -> each.path("path").asString())
                                                .filter(each -> each.startsWith(CHALLENGES))
                                                .findFirst(),
                                Optional::isPresent)
                        .orElseThrow();
        awaitChallenge(host, path);
        assertThat(plain().get(host, "/").status()).isEqualTo(308);
        awaitTrusted(host, pebble());
        await().atMost(SOON)
                .until(() -> !api.get(Api.Kind.INGRESS, "edited").toString().contains(CHALLENGES));
        gateway.awaitStatus(host, path, 308);
    }

    /**
     * The host has rules of its own for the same paths, also more specific ones, and a redirect.
     */
    @SideBySide
    @OnCluster(needs = Need.ACME)
    void aChallengeWinsOverRulesOfTheHost() throws IOException {
        String host = host("ruled");
        namespace.apply(
                account.classed(ingress("older")).route(host, "/older", "Prefix", "echo").yaml());
        Instant created = created(api.get(Api.Kind.INGRESS, "older"));
        await("the next second, since age counts by seconds")
                .until(() -> SettableClock.REAL.instant().isAfter(created.plusSeconds(2)));
        namespace.apply(
                account.classed(ingress("ruled"))
                        .annotation("cert-manager.io/cluster-issuer", account.ingressClass())
                        .annotation("kubernetes.io/tls-acme", "true")
                        .tls("ruled", host)
                        .route(host, "/.well-known", "Prefix", "echo")
                        .route(
                                host,
                                "/.well-known/acme-challenge/",
                                "ImplementationSpecific",
                                "echo")
                        .route(host, "/", "Prefix", "echo")
                        .yaml());
        JsonNode solver = awaitSolver(host);
        // Somebody writes the very path into the older Ingress.
        api.patch(
                Api.Kind.INGRESS,
                "older",
                String.format(
                        Locale.ROOT,
                        """
                        {"spec": {"rules": [{"host": "%s", "http": {"paths": [{"path": "%s", "pathType": "Exact",
                          "backend": {"service": {"name": "echo", "port": {"number": 80}}}}]}}]}}
                        """,
                        host,
                        path(solver)));
        gateway.awaitFinding("RouteConflict", "\"older\"", path(solver));
        assertThat(created(api.get(Api.Kind.INGRESS, "older"))).isBefore(created(solver));
        awaitChallenge(host, path(solver));
        awaitTrusted(host, pebble());
        assertThat(https(host).get(host, "/.well-known/security.txt").status()).isEqualTo(200);
    }

    /** Solver Ingresses by the annotation from before classes were a field. */
    @SideBySide
    @OnCluster(needs = Need.ACME)
    void aChallengeWithALegacyClassIsAnswered() throws IOException {
        String host = host("legacy");
        namespace.apply(
                CertManager.acmeIssuerWith(
                        "legacy", acme.orElseThrow(), "class: " + account.ingressClass()),
                byIngress("legacy", host).annotation("cert-manager.io/issuer", "legacy").yaml());
        JsonNode solver = awaitSolver(host);
        assertThat(solver.at("/spec/ingressClassName").isMissingNode()).isTrue();
        assertThat(solver.at("/metadata/annotations/kubernetes.io~1ingress.class").asString())
                .isEqualTo(account.ingressClass());
        awaitTrusted(host, pebble());
    }

    /** Nobody says a class, so the cluster's default one is meant. */
    @SideBySide
    @OnCluster(needs = {Need.ACME, Need.ALONE})
    void aChallengeWithoutAClassIsAnswered() throws IOException {
        String host = host("classless");
        namespace.apply(
                CertManager.acmeIssuerWith(
                        "classless", acme.orElseThrow(), "serviceType: ClusterIP"),
                byIngress("classless", host)
                        .annotation("cert-manager.io/issuer", "classless")
                        .yaml());
        awaitTrusted(host, pebble());
    }

    /** The host is served and redirected all the while, and nobody who visits it notices. */
    @SideBySide
    @OnCluster(needs = Need.ACME)
    void aRenewalByChallengeDropsNothing() throws Exception {
        String host = host("renewed");
        namespace.apply(
                byIngress("renewed", host).annotation("cert-manager.io/issuer", "pebble").yaml());
        awaitTrusted(host, pebble());
        TlsSecret before = certManager.awaitReady("renewed");
        awaitNoSolver(host); // cert-manager tidies up a while later
        try (Load load = Load.https(address(), host, () -> Pki.trusting(pebble()))) {
            certManager.renew("renewed");
            awaitChallenge(host, path(awaitSolver(host)));
            assertThat(plain().get(host, "/").status()).isEqualTo(308);
            TlsSecret renewed = certManager.awaitAnother("renewed", before);
            assertThat(renewed.key()).isNotEqualTo(before.key());
            awaitServed(host, renewed.serial());
            LOG.log(
                    System.Logger.Level.INFO,
                    "renewal by HTTP-01 under load: {0}",
                    load.assertNothingFailed(10));
        }
    }

    /** The solver's Ingress has no host; clients that ask for an address send no server name. */
    @SideBySide
    @OnCluster(needs = Need.ACME)
    void aCertificateForAnAddressIsIssuedAndServed() {
        String address = gateway.address();
        namespace.apply(
                CertManager.certificate(
                        "by-address",
                        "pebble",
                        "ipAddresses: [" + address + "], " + CertManager.ECDSA));
        JsonNode solver =
                await().atMost(SOON)
                        .until(IssuanceIT::solverWithoutHost, Optional::isPresent)
                        .orElseThrow();
        awaitChallenge(address, path(solver));
        TlsSecret secret = certManager.awaitReady("by-address");
        awaitServed("", secret.serial());
    }

    /** A host whose issuer cannot do anything goes on, and is served once it can. */
    @SideBySide
    void aBrokenIssuerEndsNoService() throws IOException {
        String host = host("broken");
        String issuer =
                """
                apiVersion: cert-manager.io/v1
                kind: Issuer
                metadata:
                  name: broken
                spec: {ca: {secretName: not-there}}
                """;
        namespace.apply(
                issuer,
                byIngress("broken", host).annotation("cert-manager.io/issuer", "broken").yaml());
        await().atMost(SOON).until(() -> api.find(Api.Kind.CERTIFICATE, "broken").isPresent());
        gateway.awaitFinding("CertificatePending", "\"broken\"");
        assertThat(plain().get(host, "/").status()).isEqualTo(308);
        assertThat(https(host).get(host, "/").status()).isEqualTo(200);

        namespace.apply(issuer.replace("not-there", "authority"));
        awaitTrusted(host, pki.clientContext());
        gateway.awaitNoFinding("\"broken\"");
    }

    /** A host name of one test. */
    private static String host(String name) {
        return name + "." + namespace.name() + ".test";
    }

    /** An Ingress with a host and a Secret of the Ingress's name. */
    private static Manifests.Ingress byIngress(String name, String host) {
        return account.classed(ingress(name)).tls(name, host).host(host, "echo");
    }

    private static InetSocketAddress address() {
        return gateway.httpsAddress();
    }

    private static RawClient plain() {
        return RawClient.plain(gateway.httpAddress());
    }

    private static RawClient https(String host) {
        return RawClient.tls(address(), host);
    }

    private static Optional<JsonNode> solver(String host) {
        return api.list(Api.Kind.INGRESS, SOLVER)
                .filter(each -> each.at("/spec/rules/0/host").asString("").equals(host))
                .findFirst();
    }

    private static Optional<JsonNode> solverWithoutHost() {
        return solver("");
    }

    private static JsonNode awaitSolver(String host) {
        return await("a solver's Ingress for " + host)
                .pollInterval(Duration.ofMillis(20))
                .atMost(SOON)
                .until(() -> solver(host), Optional::isPresent)
                .orElseThrow();
    }

    private static void awaitNoSolver(String host) {
        await("no solver's Ingress for " + host)
                .atMost(CertManager.PATIENCE)
                .until(() -> solver(host).isEmpty());
    }

    private static Instant created(JsonNode object) {
        return Instant.parse(object.at("/metadata/creationTimestamp").asString());
    }

    private static String path(JsonNode solver) {
        return solver.at("/spec/rules/0/http/paths/0/path").asString();
    }

    private static String token(String path) {
        return path.substring(CHALLENGES.length());
    }

    /** Waits until a Service has an endpoint that is ready. */
    private static void awaitEndpoint(String service) {
        await("an endpoint of " + service)
                .pollInterval(Duration.ofMillis(20))
                .atMost(CertManager.PATIENCE)
                .until(() ->
                        api.list(Api.Kind.ENDPOINT_SLICE, "kubernetes.io/service-name=" + service)
                                .map(slice -> slice.path("endpoints"))
                                .filter(JsonNode::isArray) // without endpoints it is null
                                .flatMap(Json::items)
                                .anyMatch(each -> each.at("/conditions/ready").asBoolean(false)));
    }

    /** Waits until the solver's Pod answers through the gateway, and gives what it says. */
    private static String awaitChallenge(String host, String path) {
        return await("the challenge of " + host)
                .pollInterval(Duration.ofMillis(20))
                .atMost(SOON)
                .until(
                        () -> plain().get(host, path).body(),
                        body -> KEY_AUTHORIZATION.matcher(body).matches());
    }

    private static void awaitServed(String host, BigInteger serial) {
        await("the certificate of " + host)
                .pollInterval(Duration.ofMillis(5))
                .atMost(SOON)
                .until(() -> Handshakes.serial(address(), host).equals(serial));
    }

    /** Waits until a client that believes an authority gets an answer. */
    private static void awaitTrusted(String host, X509Certificate authority) throws IOException {
        awaitTrusted(host, Pki.trusting(authority));
    }

    private static void awaitTrusted(String host, SSLContext trust) throws IOException {
        await("a trusted certificate for " + host)
                .pollInterval(Duration.ofMillis(20))
                .atMost(CertManager.PATIENCE)
                .ignoreExceptionsInstanceOf(javax.net.ssl.SSLException.class)
                .untilAsserted(() -> assertTrusted(host, trust));
    }

    private static void assertTrusted(String host, SSLContext trust) throws IOException {
        try (SSLSocket socket = Handshakes.connect(trust, address(), host)) {
            var connection = new RawClient.Connection(socket);
            connection.send(RawClient.head("GET / HTTP/1.1", "Host: " + host, "Connection: close"));
            RawClient.Response response = connection.response();
            assertThat(response.status()).isEqualTo(200);
            assertThat(Echo.parse(response.body()).host()).isEqualTo(host);
        }
    }
}

package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * What cert-manager writes, and what clients and ACME servers then see: solvers, Ingresses edited
 * in place, certificates that stand in. No cert-manager runs here.
 */
final class CertManagerIT {
    private static final String TOKEN = "hZ3-LoUqdN_0b7sGv2m4Yt8Wc6XkRj1Pf5aQeDiTnBs";
    private static final String CHALLENGE = "/.well-known/acme-challenge/" + TOKEN;
    private static final String SOLVER = "acme.cert-manager.io/http01-solver";
    private static final String SOLVER_FILE = "solver.yaml";

    @TempDir private static Path work;
    private static Pki pki;
    private static Backend app;
    private static Backend solver;
    private static Folder folder;
    private static Gateway gateway;
    private static Curl curl;

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
        app = Backend.echo("app");
        solver = Backend.echo("solver");
        folder =
                Folder.in(work)
                        .put(
                                "services.yaml",
                                Manifests.service("app", app),
                                Manifests.service("solver", solver))
                        .put(
                                "secrets.yaml",
                                Manifests.secret("shop", pki.ecdsa("shop.test")),
                                Manifests.secret("wild", pki.ecdsa("*.wild.test")))
                        .put(
                                "ingresses.yaml",
                                ingress("shop")
                                        .tls("shop", "shop.test")
                                        .host("shop.test", "app")
                                        .yaml(),
                                ingress("wild")
                                        .tls("wild", "*.wild.test")
                                        .host("*.wild.test", "app")
                                        .yaml(),
                                ingress("squatter")
                                        .created("2020-01-01T00:00:00Z") // the solver's is younger
                                        .route("squatted.test", CHALLENGE, "Exact", "app")
                                        .route("squatted.test", "/.well-known", "Prefix", "app")
                                        .yaml(),
                                ingress("default").defaultBackend("app").yaml());
        gateway = Gateway.in(work, pki, folder).config("hsts:\n  max-age: 1d\n").start();
        curl = new Curl(gateway, pki);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        for (Backend backend : List.of(app, solver)) {
            backend.close();
            assertThat(backend.violations()).isEmpty();
        }
    }

    /** As cert-manager does when a challenge is over. */
    @AfterEach
    void cleanUp() {
        if (folder.resolve(SOLVER_FILE).toFile().exists()) {
            folder.delete(SOLVER_FILE);
            await().until(() ->
                    Json.items(gateway.api("routes")).noneMatch(CertManagerIT::isOfAChallenge));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2-prior-knowledge"})
    void aChallengeBeatsTheRedirect(String protocol) {
        assertThat(curl.http("shop.test", CHALLENGE, protocol).status()).isEqualTo(308);

        present("shop.test", "Exact");

        Curl.Answer answer = curl.http("shop.test", CHALLENGE, protocol);
        assertThat(answer.version()).isEqualTo(protocol.equals("--http1.1") ? "1.1" : "2");
        assertThat(answer.echo().backend()).isEqualTo("solver");
        assertThat(curl.http("shop.test", CHALLENGE + "x", protocol).status()).isEqualTo(308);
        assertThat(curl.http("shop.test", CHALLENGE + "/x", protocol).status()).isEqualTo(308);
        assertThat(curl.http("shop.test", "/", protocol).status()).isEqualTo(308);

        cleanUp();

        assertThat(curl.http("shop.test", CHALLENGE, protocol).status()).isEqualTo(308);
    }

    @Test
    void aChallengeIsAnsweredOverTlsAsWell() {
        present("shop.test", "ImplementationSpecific");

        assertThat(curl.https("shop.test", CHALLENGE).echo().backend()).isEqualTo("solver");
        assertThat(curl.https("shop.test", CHALLENGE + "/x").echo().backend()).isEqualTo("app");
    }

    @Test
    void theSolverSeesTheHostAndThePathAsTheyWere() {
        present("shop.test", "Exact");

        Echo echo =
                curl.http("shop.test", CHALLENGE + "?a=%2e%2E&b", "-H", "Host: Shop.Test").echo();

        assertThat(echo.backend()).isEqualTo("solver");
        assertThat(echo.all("host")).containsExactly("Shop.Test");
        assertThat(echo.target()).isEqualTo(CHALLENGE + "?a=%2e%2E&b");
    }

    @Test
    void aChallengeBeatsAnOlderRuleForItsPath() {
        assertThat(curl.http("squatted.test", CHALLENGE).echo().backend()).isEqualTo("app");

        present("squatted.test", "Exact");

        assertThat(curl.http("squatted.test", CHALLENGE).echo().backend()).isEqualTo("solver");
        assertThat(gateway.findings())
                .anyMatch(finding ->
                        finding.contains("RouteConflict") && finding.contains("squatter"));
    }

    @Test
    void aChallengeForAHostUnderAWildcardLeavesTheRestToTheWildcard() {
        present("a.wild.test", "Exact");

        assertThat(curl.http("a.wild.test", CHALLENGE).echo().backend()).isEqualTo("solver");
        assertThat(curl.http("b.wild.test", CHALLENGE).status()).isEqualTo(308);
        assertThat(curl.http("a.wild.test", "/").status()).isEqualTo(308);
        assertThat(curl.https("a.wild.test", "/").echo().backend()).isEqualTo("app");
    }

    @Test
    void aChallengeForAnAddressHasNoHostAndLeavesTheHostsOfOthersAlone() {
        present("", "Exact");

        assertThat(curl.http("127.0.0.1", CHALLENGE).echo().backend()).isEqualTo("solver");
        assertThat(
                        curl.http("127.0.0.1", CHALLENGE, "-H", "Host: [2001:db8::1]:80")
                                .echo()
                                .backend())
                .isEqualTo("solver");
        assertThat(curl.http("nobody.test", CHALLENGE).echo().backend()).isEqualTo("solver");
        assertThat(curl.http("shop.test", CHALLENGE).status()).isEqualTo(308);
        assertThat(curl.https("shop.test", CHALLENGE).echo().backend()).isEqualTo("app");
        assertThat(curl.http("127.0.0.1", "/").echo().backend()).isEqualTo("app");
    }

    @Test
    void aChallengeWrittenIntoAUsersIngressBeatsItsRedirect() {
        folder.put(
                SOLVER_FILE,
                ingress("edited")
                        .annotation("acme.cert-manager.io/http01-edit-in-place", "true")
                        .annotation("cert-manager.io/issuer", "ca")
                        .tls("edited", "edited.test")
                        .route("edited.test", CHALLENGE, "Exact", "solver")
                        .host("edited.test", "app")
                        .yaml());
        awaitSolver("edited.test");

        assertThat(curl.http("edited.test", CHALLENGE).echo().backend()).isEqualTo("solver");
        assertThat(curl.http("edited.test", "/").status()).isEqualTo(308);
        assertThat(curl.https("edited.test", CHALLENGE, "--insecure").echo().backend())
                .isEqualTo("solver");
    }

    @Test
    void whileItsCertificateIsBeingIssuedAHostAnswersTheChallengeAndHttps() {
        folder.put(
                "issued.yaml",
                ingress("issued")
                        .annotation("cert-manager.io/cluster-issuer", "letsencrypt")
                        .tls("issued", "issued.test")
                        .host("issued.test", "app")
                        .yaml());
        present("issued.test", "Exact");

        assertThat(curl.http("issued.test", CHALLENGE).echo().backend()).isEqualTo("solver");
        assertThat(curl.http("issued.test", "/").status()).isEqualTo(308);
        assertThat(curl.httpsExit("issued.test", "/")).isEqualTo(60);
        assertThat(curl.https("issued.test", "/", "--insecure").echo().backend()).isEqualTo("app");
        assertThat(gateway.findings())
                .filteredOn(finding -> finding.contains("default/issued"))
                .singleElement()
                .asString()
                .contains("CertificatePending")
                .contains("kubectl -n default describe certificate issued");

        folder.put("issued-secret.yaml", Manifests.secret("issued", pki.ecdsa("issued.test")));

        await().until(() -> curl.httpsExit("issued.test", "/") == 0);
        assertThat(gateway.findings()).noneMatch(finding -> finding.contains("default/issued"));
        folder.delete("issued.yaml").delete("issued-secret.yaml");
    }

    @Test
    void aTemporaryCertificateIsServedWithoutHstsAndReportedAsNotFinal() {
        Leaf standIn = pki.temporary(Pki.curve("secp256r1"), "new.test");
        folder.put("new.yaml", ingress("new").tls("new", "new.test").host("new.test", "app").yaml())
                .put("new-secret.yaml", Manifests.secret("new", standIn));
        await().until(() -> row("new.test").contains("\"temporary\":true"));

        Curl.Answer answer = curl.https("new.test", "/", "--insecure");
        assertThat(answer.echo().backend()).isEqualTo("app");
        assertThat(answer.all("strict-transport-security")).isEmpty();
        assertThat(gateway.findings())
                .filteredOn(finding -> finding.contains("CertificateTemporary"))
                .singleElement()
                .asString()
                .contains("\"new\"");

        folder.put("new-secret.yaml", Manifests.secret("new", pki.rsa("new.test")));

        await().until(() -> curl.httpsExit("new.test", "/") == 0);
        assertThat(curl.https("new.test", "/").all("strict-transport-security"))
                .containsExactly("max-age=86400");
        folder.delete("new.yaml").delete("new-secret.yaml");
    }

    @Test
    void ofAPairATemporaryCertificateIsNotServedBesideARealOne() {
        folder.put(
                        "pair.yaml",
                        ingress("pair")
                                .tls("pair-ecdsa", "pair.test")
                                .tls("pair-rsa", "pair.test")
                                .host("pair.test", "app")
                                .yaml())
                .put(
                        "pair-secrets.yaml",
                        Manifests.secret(
                                "pair-ecdsa", pki.temporary(Pki.curve("secp256r1"), "pair.test")),
                        Manifests.secret("pair-rsa", pki.rsa("pair.test")));
        await().until(() -> row("pair.test").contains("pair-rsa"));

        assertThat(curl.https("pair.test", "/").all("strict-transport-security")).hasSize(1);
        assertThat(row("pair.test")).doesNotContain("pair-ecdsa");

        folder.put(
                "pair-secrets.yaml",
                Manifests.secret("pair-ecdsa", pki.ecdsa("pair.test")),
                Manifests.secret("pair-rsa", pki.rsa("pair.test")));

        await().until(() -> row("pair.test").contains("pair-ecdsa"));
        for (String cipher :
                List.of("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256")) {
            assertThat(
                            curl.https("pair.test", "/", "--tls-max", "1.2", "--ciphers", cipher)
                                    .all("strict-transport-security"))
                    .hasSize(1);
        }
        folder.delete("pair.yaml").delete("pair-secrets.yaml");
    }

    private static void present(String host, String pathType) {
        folder.put(
                SOLVER_FILE,
                ingress("cm-acme-http-solver-x7k2p")
                        .label(SOLVER, "true")
                        .annotation(
                                "nginx.ingress.kubernetes.io/whitelist-source-range",
                                "0.0.0.0/0,::/0")
                        .route(host, CHALLENGE, pathType, "solver")
                        .yaml());
        awaitSolver(host.isEmpty() ? "*" : host);
    }

    private static void awaitSolver(String host) {
        await().until(() ->
                Json.items(gateway.api("routes"))
                        .anyMatch(route ->
                                isOfAChallenge(route)
                                        && route.get("host").asString().equals(host)));
    }

    private static boolean isOfAChallenge(JsonNode route) {
        return route.get("pathType").asString().equals("Challenge");
    }

    /** The rows of {@code sallyport certs} for a host. */
    private static String row(String host) {
        return Json.items(gateway.api("certificates"))
                .filter(row -> row.get("host").asString().equals(host))
                .toList()
                .toString();
    }
}

package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hosts, paths, redirects and fields, asked for with curl. */
final class ServingIT {

    private static final String SOLVER_PATH = "/.well-known/acme-challenge/live-token";

    @TempDir private static Path work;
    private static Pki pki;
    private static Leaf shop;
    private static Leaf wildcard;
    private static Backend echo;
    private static Backend fallback;
    private static Backend solver;
    private static Backend odd;
    private static List<Backend> first;
    private static Folder folder;
    private static Gateway gateway;
    private static Curl curl;

    /**
     * A row of the table at https://kubernetes.io/docs/concepts/services-networking/ingress/
     * (Examples).
     *
     * @param paths what the Ingress has, as {@code Type path}; each goes to a backend of its own
     * @param request the request's path
     * @param answer the index of the path that answers; -1 for the default backend
     */
    record PathRow(List<String> paths, String request, int answer) {}

    private static final List<PathRow> PATHS =
            List.of(
                    new PathRow(List.of("Prefix /"), "/any/path/at.all", 0),
                    new PathRow(List.of("Exact /foo"), "/foo", 0),
                    new PathRow(List.of("Exact /foo"), "/bar", -1),
                    new PathRow(List.of("Exact /foo"), "/foo/", -1),
                    new PathRow(List.of("Exact /foo/"), "/foo", -1),
                    new PathRow(List.of("Prefix /foo"), "/foo", 0),
                    new PathRow(List.of("Prefix /foo"), "/foo/", 0),
                    new PathRow(List.of("Prefix /foo/"), "/foo", 0),
                    new PathRow(List.of("Prefix /foo/"), "/foo/", 0),
                    new PathRow(List.of("Prefix /aaa/bb"), "/aaa/bbb", -1),
                    new PathRow(List.of("Prefix /aaa/bbb"), "/aaa/bbb", 0),
                    new PathRow(List.of("Prefix /aaa/bbb/"), "/aaa/bbb", 0),
                    new PathRow(List.of("Prefix /aaa/bbb"), "/aaa/bbb/", 0),
                    new PathRow(List.of("Prefix /aaa/bbb"), "/aaa/bbb/ccc", 0),
                    new PathRow(List.of("Prefix /aaa/bbb"), "/aaa/bbbxyz", -1),
                    new PathRow(List.of("Prefix /", "Prefix /aaa"), "/aaa/ccc", 1),
                    new PathRow(
                            List.of("Prefix /", "Prefix /aaa", "Prefix /aaa/bbb"), "/aaa/bbb", 2),
                    new PathRow(List.of("Prefix /", "Prefix /aaa", "Prefix /aaa/bbb"), "/ccc", 0),
                    new PathRow(List.of("Prefix /aaa"), "/ccc", -1),
                    new PathRow(List.of("Prefix /foo", "Exact /foo"), "/foo", 1));

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
        shop = pki.ecdsa("shop.test");
        wildcard = pki.ecdsa("*.wild.test");
        Leaf other = pki.ecdsa("other.test", "also.test");
        Leaf fallbackLeaf = pki.ecdsa("default.test");
        echo = Backend.echo("echo");
        fallback = Backend.echo("fallback");
        solver = Backend.echo("solver");
        odd = Backend.start(ServingIT::answerOddly);
        first = List.of(Backend.echo("path-0"), Backend.echo("path-1"), Backend.echo("path-2"));
        folder =
                Folder.in(work)
                        .put(
                                "services.yaml",
                                Manifests.service("echo", echo),
                                Manifests.service("fallback", fallback),
                                Manifests.service("solver", solver),
                                Manifests.service("odd", odd),
                                Manifests.service("path-0", first.get(0)),
                                Manifests.service("path-1", first.get(1)),
                                Manifests.service("path-2", first.get(2)),
                                specialServices(echo.port()))
                        .put(
                                "secrets.yaml",
                                Manifests.secret("shop", shop),
                                Manifests.secret("wild", wildcard),
                                Manifests.secret("other", other),
                                Manifests.secret("fallback", fallbackLeaf))
                        .put(
                                "shop.yaml",
                                ingress("shop")
                                        .tls("shop", "shop.test")
                                        .route("shop.test", "/odd", "Prefix", "odd")
                                        .host("shop.test", "echo")
                                        .yaml(),
                                ingress("wild")
                                        .tls("wild", "*.wild.test")
                                        .host("*.wild.test", "echo")
                                        .yaml(),
                                ingress("other")
                                        .tls("other", "other.test", "also.test")
                                        .host("other.test", "echo")
                                        .host("also.test", "fallback")
                                        .yaml(),
                                ingress("cm-acme-http-solver-x7k2p")
                                        .route("shop.test", SOLVER_PATH, "Exact", "solver")
                                        .yaml(),
                                ingress("idn").host("bücher.test", "echo").yaml(),
                                ingress("upper").host("UPPER.test", "echo").yaml(),
                                ingress("ports")
                                        .route("named.test", "/", "Prefix", "named", "name: web")
                                        .route(
                                                "external.test",
                                                "/",
                                                "Prefix",
                                                "external",
                                                "number: " + echo.port())
                                        .host("empty.test", "empty")
                                        .host("missing.test", "no-such-service")
                                        .yaml(),
                                ingress("default").defaultBackend("fallback").yaml())
                        .put("paths.yaml", pathTable());
        gateway =
                Gateway.in(work, pki, folder)
                        .jvm("-Dio.netty.leakDetection.level=paranoid")
                        .start();
        curl = new Curl(gateway, pki);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        for (Backend backend : backends()) {
            backend.close();
            assertThat(backend.violations()).isEmpty();
        }
    }

    private static List<Backend> backends() {
        List<Backend> all = new ArrayList<>(first);
        all.addAll(List.of(echo, fallback, solver, odd));
        return all;
    }

    /** A Service with two named ports, an ExternalName, and one without endpoints. */
    private static String specialServices(int port) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: v1
                kind: Service
                metadata:
                  name: named
                  namespace: default
                spec:
                  ports:
                    - name: metrics
                      port: 9100
                    - name: web
                      port: 8000
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata:
                  name: named-1
                  namespace: default
                  labels:
                    kubernetes.io/service-name: named
                addressType: IPv4
                ports:
                  - name: metrics
                    port: 1
                  - name: web
                    port: %1$d
                endpoints:
                  - addresses: ["127.0.0.1"]
                ---
                apiVersion: v1
                kind: Service
                metadata:
                  name: external
                  namespace: default
                spec:
                  type: ExternalName
                  externalName: localhost
                  ports:
                    - port: %1$d
                ---
                apiVersion: v1
                kind: Service
                metadata:
                  name: empty
                  namespace: default
                spec:
                  ports:
                    - name: http
                      port: 80
                """,
                port);
    }

    private static String[] pathTable() {
        List<String> documents = new ArrayList<>();
        for (int row = 0; row < PATHS.size(); row++) {
            Manifests.Ingress ingress = ingress("row-" + row);
            List<String> paths = PATHS.get(row).paths();
            for (int i = 0; i < paths.size(); i++) {
                String[] words = paths.get(i).split(" ", 2);
                ingress.route("row-" + row + ".test", words[1], words[0], "path-" + i);
            }
            documents.add(ingress.yaml());
        }
        return documents.toArray(String[]::new);
    }

    private static void answerOddly(Request request, Reply reply) throws IOException {
        switch (request.target()) {
            case "/odd/trailers" ->
                    reply.raw(
                            Reply.head(200, "Transfer-Encoding: chunked", "Trailer: X-Sum")
                                    + "\r\n5\r\nhello\r\n0\r\nX-Sum: 5d41\r\n\r\n");
            case "/odd/early-hints" -> {
                reply.raw(Reply.head(103, "Link: </style.css>; rel=preload") + "\r\n");
                reply.send(200, "hinted");
            }
            case "/odd/hops" ->
                    reply.send(
                            200,
                            "hops",
                            "Connection: X-Secret",
                            "X-Secret: 1",
                            "Keep-Alive: timeout=5",
                            "X-Kept: 1");
            case "/odd/until-close" -> {
                reply.raw(Reply.head(200, "Content-Type: text/plain") + "\r\nto the end");
                reply.close();
            }
            case "/odd/not-modified" -> reply.raw(Reply.head(304, "ETag: \"x\"") + "\r\n");
            case "/odd/refuses" -> {
                reply.send(413, "too much", "Connection: close");
                request.body().transferTo(OutputStream.nullOutputStream());
                reply.close();
            }
            default -> reply.send(404, "no such oddity");
        }
    }

    // Certificates and hosts

    @ParameterizedTest
    @ValueSource(strings = {"shop.test", "other.test", "any.wild.test"})
    void everyHostIsServedWithItsOwnCertificate(String host) {
        assertThat(curl.https(host, "/x").echo().backend()).isEqualTo("echo");
    }

    @Test
    void oneSecretServesAllItsHosts() {
        assertThat(curl.https("also.test", "/").echo().backend()).isEqualTo("fallback");
    }

    @Test
    void aWildcardCoversOneLabelOnly() {
        assertThat(curl.httpsExit("two.labels.wild.test", "/")).isEqualTo(60);
        assertThat(curl.httpsExit("wild.test", "/")).isEqualTo(60);
    }

    @Test
    void anUnknownHostGetsTheDefaultCertificateAndNoTenants() throws IOException {
        assertThat(Handshakes.leaf(gateway.https(), "unknown.test").getIssuerX500Principal())
                .isNotEqualTo(shop.certificate().getIssuerX500Principal());
    }

    @Test
    void hostsAreComparedWithoutCase() {
        assertThat(curl.http("upper.test", "/").echo().backend()).isEqualTo("echo");
        assertThat(curl.https("SHOP.test", "/").echo().backend()).isEqualTo("echo");
    }

    @Test
    void aHostInUnicodeIsServedUnderItsAsciiForm() {
        assertThat(curl.http("xn--bcher-kva.test", "/").echo().backend()).isEqualTo("echo");
    }

    @Test
    void aHostOutsideTheConnectionsCertificateIsMisdirected() {
        assertThat(curl.https("shop.test", "/", "--header", "Host: other.test").status())
                .isEqualTo(421);
        assertThat(
                        curl.https("shop.test", "/", "--http1.1", "--header", "Host: other.test")
                                .status())
                .isEqualTo(421);
    }

    @Test
    void aConnectionServesAllHostsOfItsCertificate() {
        assertThat(curl.https("other.test", "/", "--header", "Host: also.test").echo().backend())
                .isEqualTo("fallback");
    }

    // Redirects

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/a/b?c=d&e=f",
                "/a%2Fb/%c3%A4/../c/./d//e?x=%20+&&=;'",
                "/?",
                "/~!$&'()*+,;=:@/x",
                "/?next=http://evil.test/",
            })
    void plainRequestsAreRedirectedByteForByte(String path) {
        Curl.Answer answer = curl.http("shop.test", path);

        assertThat(answer.status()).isEqualTo(308);
        assertThat(answer.all("location")).containsExactly("https://shop.test" + path);
    }

    @Test
    void aHostWithoutTlsIsNotRedirected() {
        assertThat(curl.http("upper.test", "/").status()).isEqualTo(200);
    }

    @Test
    void aLiveChallengeIsNeverRedirected() {
        assertThat(curl.http("shop.test", SOLVER_PATH).echo().backend()).isEqualTo("solver");
    }

    // Routes

    @ParameterizedTest
    @MethodSource("pathRows")
    void pathsMatchAsTheKubernetesTableSays(int row, PathRow expected) {
        String backend = curl.http("row-" + row + ".test", expected.request()).echo().backend();

        assertThat(backend)
                .isEqualTo(expected.answer() < 0 ? "fallback" : "path-" + expected.answer());
    }

    static List<Arguments> pathRows() {
        List<Arguments> rows = new ArrayList<>();
        for (int row = 0; row < PATHS.size(); row++) {
            rows.add(Arguments.of(row, PATHS.get(row)));
        }
        return rows;
    }

    @Test
    void whatNoRuleMatchesGoesToTheDefaultBackend() {
        assertThat(curl.http("nobody.test", "/x").echo().backend()).isEqualTo("fallback");
    }

    @Test
    void portsAreFoundByName() {
        assertThat(curl.http("named.test", "/").echo().backend()).isEqualTo("echo");
    }

    @Test
    void anExternalNameIsResolved() {
        assertThat(curl.http("external.test", "/").echo().backend()).isEqualTo("echo");
    }

    @Test
    void anEndpointThatLeadsBackToTheGatewayIsRefused() {
        folder.put(
                "back.yaml",
                ingress("back").host("back.test", "back").yaml(),
                """
                apiVersion: v1
                kind: Service
                metadata: {name: back}
                spec: {ports: [{name: http, port: 80}]}
                """,
                Manifests.endpoints("back", "http", gateway.admin(), "127.0.0.1"));
        gateway.awaitFinding("EndpointForbidden", "the gateway's own address");

        assertThat(curl.http("back.test", "/metrics").status()).isEqualTo(503);
    }

    @Test
    void aServiceWithoutEndpointsAnswers503() {
        assertThat(curl.http("empty.test", "/").status()).isEqualTo(503);
    }

    @Test
    void aMissingServiceAnswers503WithAFinding() {
        assertThat(curl.http("missing.test", "/").status()).isEqualTo(503);
        assertThat(gateway.awaitFinding("ServiceMissing", "no-such-service")).contains("shop.yaml");
    }

    @Test
    void errorsAreJsonForThoseWhoAsk() {
        Curl.Answer answer = curl.http("empty.test", "/", "--header", "Accept: application/json");

        assertThat(answer.all("content-type")).singleElement().asString().contains("json");
        assertThat(answer.body()).startsWith("{");
    }

    // Requests as backends see them

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void targetMethodAndBodyReachTheBackendAsTheyWere(String version) {
        String target = "/a%2Fb/%C3%A4/x//y?q=%20+&&=/../.";

        Echo seen =
                curl.https("shop.test", target, version, "-X", "PATCH", "-d", "a=1&b=%20").echo();

        assertThat(seen.method()).isEqualTo("PATCH");
        assertThat(seen.target()).isEqualTo(target);
        assertThat(seen.body()).isEqualTo("a=1&b=%20");
    }

    @Test
    void http2IsSpokenWhereTheClientCan() {
        assertThat(curl.https("shop.test", "/", "--http2").version()).isEqualTo("2");
        assertThat(curl.https("shop.test", "/", "--http1.1").version()).isEqualTo("1.1");
    }

    @Test
    void http2WithPriorKnowledgeIsSpokenWithoutTls() {
        assertThat(curl.http("upper.test", "/", "--http2-prior-knowledge").version())
                .isEqualTo("2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void forwardingFieldsTellOfTheClientsConnection(String version) {
        Echo seen = curl.https("shop.test", "/", version).echo();

        assertThat(seen.all("x-forwarded-for")).containsExactly("127.0.0.1");
        assertThat(seen.all("x-forwarded-proto")).containsExactly("https");
        assertThat(seen.all("x-forwarded-port")).hasSize(1);
        assertThat(seen.all("x-forwarded-host")).hasSize(1);
        assertThat(seen.all("x-forwarded-host").getFirst()).startsWith("shop.test");
        assertThat(seen.all("host").getFirst()).startsWith("shop.test");
        assertThat(seen.all("x-request-id")).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void forwardingFieldsOfUntrustedClientsAreDropped(String version) {
        Echo seen =
                curl.https(
                                "shop.test",
                                "/",
                                version,
                                "-H",
                                "X-Forwarded-For: 6.6.6.6",
                                "-H",
                                "X-Forwarded-Proto: gopher",
                                "-H",
                                "X-Forwarded-Host: evil.test",
                                "-H",
                                "X-Forwarded-Port: 666",
                                "-H",
                                "X-Request-ID: mine",
                                "-H",
                                "Forwarded: for=6.6.6.6",
                                "-H",
                                "X-Real-IP: 6.6.6.6",
                                "-H",
                                "X_Forwarded_For: 6.6.6.6")
                        .echo();

        assertThat(seen.fields())
                .noneMatch(field -> field.value().matches(".*(6\\.6\\.6\\.6|gopher|evil|mine).*"))
                .noneMatch(field -> field.value().equals("666")); // a request id may hold that
        assertThat(seen.names()).noneMatch(name -> name.startsWith("x_"));
    }

    @Test
    void hopByHopFieldsOfRequestsStayHere() {
        Echo seen =
                curl.https(
                                "shop.test",
                                "/",
                                "--http1.1",
                                "-H",
                                "Connection: keep-alive, X-Gone",
                                "-H",
                                "X-Gone: 1",
                                "-H",
                                "Keep-Alive: timeout=5",
                                "-H",
                                "Proxy-Connection: keep-alive",
                                "-H",
                                "X-Kept: 1")
                        .echo();

        assertThat(seen.names())
                .contains("x-kept")
                .doesNotContain("x-gone", "keep-alive", "proxy-connection", "upgrade");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void hopByHopFieldsOfResponsesStayHere(String version) {
        Curl.Answer answer = curl.https("shop.test", "/odd/hops", version);

        assertThat(answer.all("x-kept")).containsExactly("1");
        assertThat(answer.all("x-secret")).isEmpty();
        assertThat(answer.all("keep-alive")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void headHasTheLengthAndNoBody(String version) {
        Curl.Answer answer = curl.https("shop.test", "/x", version, "--head");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.all("content-length")).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void notModifiedHasNoBody(String version) {
        Curl.Answer answer = curl.https("shop.test", "/odd/not-modified", version);

        assertThat(answer.status()).isEqualTo(304);
        assertThat(answer.body()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void aBodyThatEndsWithTheBackendsConnectionIsWhole(String version) {
        assertThat(curl.https("shop.test", "/odd/until-close", version).body())
                .isEqualTo("to the end");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void trailersOfResponsesArePassedOn(String version) {
        Curl.Answer answer =
                curl.https("shop.test", "/odd/trailers", version, "-H", "TE: trailers");

        assertThat(answer.body()).isEqualTo("hello");
        assertThat(answer.all("x-sum")).containsExactly("5d41");
    }

    @Test
    void trailersOfRequestsArePassedOn() {
        RawClient.Response response =
                RawClient.tls(gateway.https(), "shop.test")
                        .exchange(
                                RawClient.head(
                                                "POST / HTTP/1.1",
                                                "Host: shop.test",
                                                "Transfer-Encoding: chunked",
                                                "Connection: close")
                                        + "3\r\nabc\r\n0\r\nX-Sum: 9001\r\n\r\n");

        Echo seen = Echo.parse(response.body());
        assertThat(seen.body()).isEqualTo("abc");
        assertThat(seen.all("x-sum")).containsExactly("9001");
    }

    @Test
    void earlyHintsArePassedOnBeforeTheResponse() throws IOException {
        try (var connection = RawClient.tls(gateway.https(), "shop.test").open()) {
            connection.send(RawClient.head("GET /odd/early-hints HTTP/1.1", "Host: shop.test"));

            assertThat(connection.head().status()).isEqualTo(103);
            assertThat(connection.response().body()).isEqualTo("hinted");
        }
    }

    @Test
    void aClientThatExpectsItIsToldToContinue() throws IOException {
        try (var connection = RawClient.tls(gateway.https(), "shop.test").open()) {
            connection.send(
                    RawClient.head(
                            "POST / HTTP/1.1",
                            "Host: shop.test",
                            "Content-Length: 5",
                            "Expect: 100-continue"));
            assertThat(connection.head().status()).isEqualTo(100);

            connection.send("hello");

            assertThat(Echo.parse(connection.response().body()).body()).isEqualTo("hello");
        }
    }

    @Test
    void aBackendMayAnswerBeforeItReadsTheBody() {
        Curl.Answer answer =
                curl.https("shop.test", "/odd/refuses", "--http1.1", "-d", "x".repeat(100_000));

        assertThat(answer.status()).isEqualTo(413);
    }

    @Test
    void aConnectionIsKeptForTheNextRequest() throws IOException {
        try (var connection = RawClient.tls(gateway.https(), "shop.test").open()) {
            for (int i = 0; i < 3; i++) {
                connection.send(RawClient.head("GET /" + i + " HTTP/1.1", "Host: shop.test"));
                assertThat(Echo.parse(connection.response().body()).target()).isEqualTo("/" + i);
            }
        }
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws IOException {
        try (var connection = RawClient.tls(gateway.https(), "shop.test").open()) {
            connection.send(
                    RawClient.head("GET /1 HTTP/1.1", "Host: shop.test")
                            + RawClient.head("GET /2 HTTP/1.1", "Host: shop.test")
                            + RawClient.head(
                                    "GET /3 HTTP/1.1", "Host: shop.test", "Connection: close"));

            for (int i = 1; i <= 3; i++) {
                assertThat(Echo.parse(connection.response().body()).target()).isEqualTo("/" + i);
            }
            assertThat(connection.rest()).isEmpty();
        }
    }

    @Test
    void connectIsRefused() {
        assertThat(
                        RawClient.plain(gateway.http())
                                .exchange(
                                        RawClient.head(
                                                "CONNECT shop.test:443 HTTP/1.1",
                                                "Host: shop.test:443"))
                                .status())
                .isBetween(400, 501);
    }

    @Test
    void anUpgradeToH2cIsNotPassedOn() {
        RawClient.Response response =
                RawClient.plain(gateway.http())
                        .exchange(
                                RawClient.head(
                                        "GET / HTTP/1.1",
                                        "Host: upper.test",
                                        "Connection: Upgrade, HTTP2-Settings, close",
                                        "Upgrade: h2c",
                                        "HTTP2-Settings: AAMAAABkAAQAAP__"));

        assertThat(response.status()).isIn(200, 400);
        if (response.status() == 200) {
            assertThat(Echo.parse(response.body()).names())
                    .doesNotContain("upgrade", "http2-settings");
        }
    }

    // The access log

    @Test
    void everyExchangeIsLoggedAsOneJsonLine() {
        curl.https("shop.test", "/logged?marker=4711", "-A", "tester/1.0");

        String line =
                await().atMost(Duration.ofSeconds(10))
                        .until(
                                () ->
                                        gateway.out()
                                                .lines()
                                                .filter(each -> each.contains("marker=4711"))
                                                .findFirst()
                                                .orElse(""),
                                found -> !found.isEmpty());
        assertThat(line)
                .startsWith("{")
                .endsWith("}")
                .contains("shop.test", "200", "GET", "tester/1.0");
    }
}

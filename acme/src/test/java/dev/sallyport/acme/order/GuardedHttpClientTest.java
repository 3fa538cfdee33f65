package dev.sallyport.acme.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.sallyport.acme.TestAuthority;
import dev.sallyport.acme.TestIssuers;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.KeyMaterial;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GuardedHttpClientTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final int MOST = GuardedHttpClient.MOST_BYTES;

    private final TestAuthority authority = new TestAuthority();
    private final HttpsServer server;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final String base;

    GuardedHttpClientTest() throws Exception {
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls()));
        server.setExecutor(threads);
        server.createContext("/ok", exchange -> answer(exchange, 200, 2_000));
        server.createContext("/full", exchange -> answer(exchange, 200, MOST));
        server.createContext("/over", exchange -> answer(exchange, 200, MOST + 1));
        server.createContext("/endless", this::endless);
        server.createContext("/slow", this::slow);
        server.createContext("/late", this::late);
        server.createContext(
                "/redirect",
                exchange -> {
                    exchange.getResponseHeaders().add("Location", "/ok");
                    answer(exchange, 302, 1);
                });
        server.createContext("/busy", exchange -> busy(exchange, "120", "text/html"));
        server.createContext("/explained", exchange -> problem(exchange, "rateLimited"));
        server.createContext("/unwell", exchange -> problem(exchange, "serverInternal"));
        server.createContext(
                "/garbled", exchange -> busy(exchange, "120", "application/problem+json"));
        server.createContext("/packed", exchange -> encoded(exchange, "gzip"));
        server.createContext("/plain", exchange -> encoded(exchange, "identity"));
        server.createContext("/odd", exchange -> busy(exchange, "soon", "text/html"));
        server.start();
        base = "https://127.0.0.1:" + server.getAddress().getPort();
    }

    @AfterEach
    void stop() {
        ended.countDown();
        server.stop(0);
        threads.close();
    }

    @ParameterizedTest
    @CsvSource({"/ok,2000", "/full," + MOST})
    void whatIsWithinBoundsComesWhole(String path, int length) throws Exception {
        try (var client = client(Duration.ofSeconds(20))) {
            HttpResponse<InputStream> answer =
                    client.send(get(base + path), HttpResponse.BodyHandlers.ofInputStream());
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body().readAllBytes()).hasSize(length);
            assertThat(client.requests()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/over", "/endless"})
    void whatIsTooLargeIsCutOff(String path) {
        try (var client = client(Duration.ofSeconds(20))) {
            assertThatThrownBy(() ->
                            client.send(
                                    get(base + path), HttpResponse.BodyHandlers.ofInputStream()))
                    .isInstanceOf(IOException.class)
                    .hasStackTraceContaining("more than " + MOST + " bytes");
        }
    }

    @Tag("slow")
    @Test
    void anAnswerThatDripsEndsAtTheDeadline() {
        try (var client = client(Duration.ofMillis(700))) {
            assertThatThrownBy(() ->
                            client.send(
                                    get(base + "/slow"), HttpResponse.BodyHandlers.ofInputStream()))
                    .isInstanceOf(HttpTimeoutException.class);
        }
    }

    @Tag("slow")
    @Test
    void requestsOfOneConversationAreBoundedTogether() throws Exception {
        try (var client = client(Duration.ofSeconds(3))) {
            ask(client, "/ok"); // the first one takes longer
            assertThatThrownBy(() ->
                            client.conversation(() -> {
                                for (int i = 0; i < 100; i++) {
                                    client.send(
                                            get(base + "/late"),
                                            HttpResponse.BodyHandlers.discarding());
                                }
                                return true;
                            }))
                    .isInstanceOf(HttpTimeoutException.class)
                    .hasMessageContaining("that all requests of an order");
            assertThat(client.requests()).isBetween(2L, 40L);
        }
    }

    @Test
    void nothingIsAskedOnceTheTimeIsOver() {
        try (var client = client(Duration.ofSeconds(20))) {
            assertThatThrownBy(() ->
                            GuardedHttpClient.within(
                                    Duration.ZERO,
                                    () ->
                                            client.send(
                                                    get(base + "/ok"),
                                                    HttpResponse.BodyHandlers.discarding())))
                    .isInstanceOf(HttpTimeoutException.class)
                    .hasMessageContaining("not asked any more");
            assertThat(client.requests()).isZero();
        }
    }

    @Tag("slow")
    @Test
    void aCaThatIsSilentIsNotAskedForAWhile() throws Exception {
        try (var client = client(Duration.ofSeconds(3))) {
            ask(client, "/ok"); // the first one takes longer
            assertThatThrownBy(() -> ask(client, "/slow")).hasMessageContaining("no whole answer");
            assertThatThrownBy(() -> ask(client, "/ok"))
                    .isInstanceOf(HttpTimeoutException.class)
                    .hasMessageContaining("gave no answer lately");
            assertThat(client.requests()).isEqualTo(2);
            await().ignoreExceptions().untilAsserted(() -> ask(client, "/ok"));
            ask(client, "/ok");
        }
    }

    @Tag("slow")
    @Test
    void oneThatAnswersOthersIsAskedOn() throws Exception {
        try (var client = client(Duration.ofSeconds(3));
                var askers = Executors.newVirtualThreadPerTaskExecutor()) {
            ask(client, "/ok"); // the first one takes longer
            var slow = askers.submit(() -> ask(client, "/slow"));
            await().until(() -> client.requests() == 2);
            ask(client, "/ok");
            assertThatThrownBy(slow::get).hasStackTraceContaining("no whole answer");
            ask(client, "/ok");
        }
    }

    private Void ask(GuardedHttpClient client, String path) throws Exception {
        return client.send(get(base + path), HttpResponse.BodyHandlers.discarding()).body();
    }

    @Test
    void aLookUpThatHangsEndsAtTheDeadline() {
        var hangs = new CountDownLatch(1);
        try (var client =
                new GuardedHttpClient(
                        TestIssuers.usable(
                                IssuerDraft.of("main", "https://ca.example/dir", List.of(), true)),
                        plain(),
                        host -> {
                            try {
                                hangs.await();
                            } catch (InterruptedException ended) {
                                Thread.currentThread().interrupt();
                            }
                            throw new UnknownHostException(host);
                        },
                        Duration.ofMillis(300),
                        () -> NOW)) {
            assertThatThrownBy(() ->
                            client.send(
                                    get("https://ca.example/dir"),
                                    HttpResponse.BodyHandlers.discarding()))
                    .isInstanceOf(HttpTimeoutException.class)
                    .hasMessageContaining("ca.example: no address");
        } finally {
            hangs.countDown();
        }
    }

    @Test
    void packedAnswersAreRefused() throws Exception {
        try (var client = client(Duration.ofSeconds(20))) {
            assertThatThrownBy(() ->
                            client.send(
                                    get(base + "/packed"), HttpResponse.BodyHandlers.discarding()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("encoding gzip");
            assertThat(
                            client.send(
                                            get(base + "/plain"),
                                            HttpResponse.BodyHandlers.discarding())
                                    .statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void redirectsAreNotFollowed() throws Exception {
        try (var client = client(Duration.ofSeconds(20))) {
            assertThat(
                            client.send(
                                            get(base + "/redirect"),
                                            HttpResponse.BodyHandlers.ofString())
                                    .statusCode())
                    .isEqualTo(302);
        }
    }

    @Test
    void whatABusyCaSaysIsTold() {
        try (var client = client(Duration.ofSeconds(20))) {
            assertThatThrownBy(() -> ask(client, "/unwell"))
                    .isInstanceOf(BusyException.class)
                    .hasMessageContaining("status 503 (scripted), to be asked again from");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/busy", "/unwell", "/garbled"})
    void aCaThatIsBusyIsUnderstood(String path) {
        try (var client = client(Duration.ofSeconds(20))) {
            assertThatThrownBy(() ->
                            client.send(get(base + path), HttpResponse.BodyHandlers.discarding()))
                    .isInstanceOfSatisfying(
                            BusyException.class,
                            busy -> assertThat(busy.until()).isEqualTo(NOW.plusSeconds(120)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/explained", "/odd"})
    void whatTheProtocolExplainsIsLeftToIt(String path) throws Exception {
        try (var client = client(Duration.ofSeconds(20))) {
            assertThat(
                            client.send(get(base + path), HttpResponse.BodyHandlers.discarding())
                                    .statusCode())
                    .isEqualTo(503);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0,2026-03-01T12:00:00Z",
        "'Sun, 01 Mar 2026 13:00:00 GMT',2026-03-01T13:00:00Z",
        "99999999,2026-03-02T12:00:00Z",
    })
    void retryAfterHasTwoFormsAndABound(String text, Instant until) {
        assertThat(BusyException.parse(text, NOW)).contains(until);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "99999999999999999999", "9223372036854775807"})
    void whatIsNoRetryAfterIsNone(String text) {
        assertThat(BusyException.parse(text, NOW)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://127.0.0.1:1/ok",
                "https://localhost/ok",
                "https://metadata.example/latest",
                "http://127.0.0.1/ok"
            })
    void otherOriginsAreNotAsked(String url) {
        try (var client = client(Duration.ofSeconds(20))) {
            assertThatThrownBy(() -> client.send(get(url), HttpResponse.BodyHandlers.discarding()))
                    .isInstanceOf(AddressRefusedException.class);
            assertThat(client.requests()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "10.1.2.3",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.1.1",
                "100.64.0.1",
                "169.254.169.254",
                "198.18.0.1",
                "0.0.0.0",
                "240.0.0.1",
                "::1",
                "fe80::1",
                "fd00:ec2::254",
                "fc00::1",
                "::ffff:10.0.0.1",
                "64:ff9b::a00:1",
                "2002:a00:1::1",
                "224.0.0.1"
            })
    void addressesThatAreNotTheInternetsAreNotAsked(String address) {
        Issuer issuer =
                TestIssuers.usable(
                        IssuerDraft.of("main", "https://ca.example/dir", List.of(), true));
        try (var client =
                new GuardedHttpClient(
                        issuer,
                        HttpClient.newHttpClient(),
                        _ ->
                                List.of(
                                        InetAddress.ofLiteral("192.0.2.1"),
                                        InetAddress.ofLiteral(address)),
                        Duration.ofSeconds(1),
                        () -> NOW)) {
            assertThatThrownBy(() ->
                            client.send(
                                    get("https://ca.example/dir"),
                                    HttpResponse.BodyHandlers.discarding()))
                    .isInstanceOf(AddressRefusedException.class)
                    .hasMessageContaining("a private CA must be configured as one");
            assertThat(client.requests()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.1", "172.32.0.1", "100.128.0.1", "2606:4700::1"})
    void theInternetsAddressesAre(String address) {
        assertThat(PublicAddress.refusal(InetAddress.ofLiteral(address), 443)).isEmpty();
    }

    @Test
    void anotherCasCertificateIsNotTrusted() {
        Issuer other = TestIssuers.usable(draft(new TestAuthority()));
        try (var client = GuardedHttpClient.of(other, () -> NOW)) {
            assertThatThrownBy(() ->
                            client.send(get(base + "/ok"), HttpResponse.BodyHandlers.discarding()))
                    .isInstanceOf(IOException.class)
                    .hasStackTraceContaining("PKIX");
        }
    }

    private GuardedHttpClient client(Duration deadline) {
        Issuer issuer = TestIssuers.usable(draft(authority));
        return new GuardedHttpClient(
                issuer,
                HttpClient.newBuilder()
                        .sslContext(IssuerTrust.of(issuer).orElseThrow())
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .build(),
                GuardedHttpClient.Lookup.SYSTEM,
                deadline,
                () -> NOW);
    }

    private IssuerDraft draft(TestAuthority trusted) {
        try {
            String pem =
                    "-----BEGIN CERTIFICATE-----\n"
                            + Base64.getMimeEncoder()
                                    .encodeToString(trusted.certificate().getEncoded())
                            + "\n-----END CERTIFICATE-----\n";
            return IssuerDraft.of("main", base + "/ok", List.of(), true)
                    .ofOwn(pem.getBytes(StandardCharsets.US_ASCII));
        } catch (CertificateEncodingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static HttpRequest get(String url) {
        return HttpRequest.newBuilder(URI.create(url)).build();
    }

    private static void answer(HttpExchange exchange, int status, int length) throws IOException {
        exchange.sendResponseHeaders(status, length);
        try (var out = exchange.getResponseBody()) {
            out.write(new byte[length]);
        } catch (IOException cutOff) {
            // By who asked.
        }
        exchange.close();
    }

    private static void busy(HttpExchange exchange, String retryAfter, String type)
            throws IOException {
        exchange.getResponseHeaders().add("Retry-After", retryAfter);
        exchange.getResponseHeaders().add("Content-Type", type);
        answer(exchange, 503, 2);
    }

    private static void problem(HttpExchange exchange, String type) throws IOException {
        exchange.getResponseHeaders().add("Retry-After", "120");
        exchange.getResponseHeaders().add("Content-Type", "application/problem+json");
        byte[] body =
                ("{\"type\":\"urn:ietf:params:acme:error:" + type + "\",\"detail\":\"scripted\"}")
                        .getBytes(StandardCharsets.US_ASCII);
        exchange.sendResponseHeaders(503, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private static void encoded(HttpExchange exchange, String encoding) throws IOException {
        exchange.getResponseHeaders().add("Content-Encoding", encoding);
        answer(exchange, 200, 100);
    }

    private static HttpClient plain() {
        return HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build();
    }

    private void endless(HttpExchange exchange) throws IOException {
        exchange.sendResponseHeaders(200, 0);
        try (var out = exchange.getResponseBody()) {
            byte[] chunk = new byte[16 * 1024];
            while (ended.getCount() > 0) {
                out.write(chunk);
            }
        } catch (IOException cutOff) {
            // By who asked.
        }
    }

    private void late(HttpExchange exchange) throws IOException {
        try {
            boolean _ = ended.await(400, TimeUnit.MILLISECONDS);
            answer(exchange, 200, 1);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void slow(HttpExchange exchange) throws IOException {
        exchange.sendResponseHeaders(200, 0);
        try (var out = exchange.getResponseBody()) {
            while (!ended.await(100, TimeUnit.MILLISECONDS)) {
                out.write('x');
                out.flush();
            }
        } catch (IOException cutOff) {
            // By who asked.
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private SSLContext tls() throws Exception {
        KeyMaterial key = KeyMaterial.generate(KeyAlgorithm.EC_P256);
        X509Certificate own =
                authority.issue(
                        key.keyPair().getPublic(),
                        Instant.parse("2026-01-01T00:00:00Z"),
                        Duration.ofDays(20_000),
                        "127.0.0.1");
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry(
                "own", key.keyPair().getPrivate(), new char[0], new X509Certificate[] {own});
        KeyManagerFactory factory =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(factory.getKeyManagers(), null, null);
        return context;
    }
}

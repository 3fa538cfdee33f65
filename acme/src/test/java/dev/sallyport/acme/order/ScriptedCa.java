package dev.sallyport.acme.order;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.sallyport.acme.TestAuthority;
import dev.sallyport.acme.TestIssuers;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.AcmeStore;
import dev.sallyport.acme.store.KeyMaterial;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;
import org.shredzone.acme4j.toolbox.JSON;

/**
 * A CA over HTTPS that believes everybody, for what a Pebble cannot be brought to: answers that are
 * gone, or never end. Checks no signature. One name in an order.
 */
final class ScriptedCa implements AutoCloseable {
    /** In place of the CA's own answer. */
    interface Answer {
        void give(HttpExchange exchange) throws IOException, InterruptedException;
    }

    private static final InstantSource CLOCK = Clock.system(ZoneOffset.UTC);

    final List<String> requests = new CopyOnWriteArrayList<>();
    final List<String> payloads = new CopyOnWriteArrayList<>();
    final AtomicInteger accounts = new AtomicInteger();
    final AtomicInteger orders = new AtomicInteger();

    /** What becomes of an order once its challenge was looked at. */
    volatile String afterwards = "ready";

    /** When it likes to be asked again; empty where it does not say. */
    volatile String retryAfter = "";

    /** How many an order has. */
    volatile int authorizations = 1;

    /** What the account says of its contacts, as JSON. */
    volatile String contacts = "[]";

    private final TestAuthority authority = new TestAuthority();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final Map<String, String> names = new ConcurrentHashMap<>();
    private final Map<String, String> states = new ConcurrentHashMap<>();
    private final Map<String, String> chains = new ConcurrentHashMap<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpsServer server;
    private final String base;

    ScriptedCa() throws IOException, GeneralSecurityException {
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls()));
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
        base = "https://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Answers so wherever a path begins with this. */
    ScriptedCa answering(String path, Answer answer) {
        answers.put(path, answer);
        return this;
    }

    /** Answers itself again. */
    void answeringAgain(String path) {
        answers.remove(path);
    }

    /** The keys that certificates were asked for with, as often as that was. */
    List<PublicKey> keys() throws GeneralSecurityException, IOException {
        List<PublicKey> keys = new ArrayList<>();
        for (String payload : payloads) {
            if (payload.startsWith("/finalize/")) {
                keys.add(key(payload.substring(payload.indexOf(' ') + 1)));
            }
        }
        return keys;
    }

    private static PublicKey key(String payload) throws GeneralSecurityException, IOException {
        byte[] request = Base64.getUrlDecoder().decode(JSON.parse(payload).get("csr").asString());
        return new JcaPKCS10CertificationRequest(request).getPublicKey();
    }

    /** Says nothing, as long as it runs. */
    Answer silent() {
        return _ -> ended.await();
    }

    /** Has every challenge that it looked at found by now. */
    void validate() {
        states.replaceAll((_, state) -> state.equals("pending") ? "ready" : state);
    }

    /** An answer of a status. */
    static Answer status(int status, String type, String body) {
        return exchange -> send(exchange, status, type, body);
    }

    /** An answer that says what the problem is. */
    static Answer problem(int status, String type) {
        return status(
                status,
                "application/problem+json",
                "{\"type\":\"" + type + "\",\"detail\":\"scripted\"}");
    }

    /** Something that comes byte after byte and never ends. */
    Answer dripping() {
        return exchange -> {
            if (exchange.getRequestMethod().equals("HEAD")) {
                ended.await();
                return;
            }
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, 0);
            try (var out = exchange.getResponseBody()) {
                while (!ended.await(50, TimeUnit.MILLISECONDS)) {
                    out.write(' ');
                    out.flush();
                }
            } catch (IOException cutOff) {
                // By who asked.
            }
        };
    }

    Issuer issuer(String... contacts) {
        try {
            String pem = pem(authority.certificate());
            IssuerDraft draft =
                    IssuerDraft.of("main", base + "/dir", List.of(contacts), true)
                            .ofOwn(pem.getBytes(StandardCharsets.US_ASCII));
            return TestIssuers.usable(draft);
        } catch (CertificateEncodingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Whoever deals with it, in patience of so long for one request. */
    CertificateAuthority authority(
            AcmeStore store, InstantSource clock, Duration patience, String... contacts) {
        Issuer issuer = issuer(contacts);
        return CertificateAuthority.of(
                issuer,
                store,
                clock,
                new GuardedHttpClient(
                        issuer,
                        HttpClient.newBuilder()
                                .sslContext(IssuerTrust.of(issuer).orElseThrow())
                                .followRedirects(HttpClient.Redirect.NEVER)
                                .build(),
                        GuardedHttpClient.Lookup.SYSTEM,
                        patience,
                        clock));
    }

    @Override
    public void close() {
        ended.countDown();
        server.stop(0);
        threads.close();
    }

    private void handle(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        requests.add(path);
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        if (!path.equals("/dir")) {
            exchange.getResponseHeaders().add("Replay-Nonce", "bm9uY2U" + requests.size());
        }
        try {
            String payload = "";
            if (!body.isEmpty()) {
                payload =
                        new String(
                                Base64.getUrlDecoder()
                                        .decode(JSON.parse(body).get("payload").asString()),
                                StandardCharsets.UTF_8);
                payloads.add(path + " " + payload);
            }
            for (var each : answers.entrySet()) {
                if (path.startsWith(each.getKey())) {
                    each.getValue().give(exchange);
                    return;
                }
            }
            answer(exchange, path, payload);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (GeneralSecurityException unlikely) {
            throw new IOException(unlikely);
        } finally {
            exchange.close();
        }
    }

    private void answer(HttpExchange exchange, String path, String payload)
            throws IOException, GeneralSecurityException {
        String number = path.substring(path.lastIndexOf('/') + 1);
        switch (path.replaceAll("/\\d+$", "/N")) {
            case "/dir" -> json(exchange, 200, directory());
            case "/nonce" -> exchange.sendResponseHeaders(200, -1);
            case "/account" -> {
                at(exchange, "/acct/" + accounts.incrementAndGet());
                json(exchange, 201, account());
            }
            case "/acct/N" -> {
                if (!payload.isEmpty()) {
                    contacts = payload.replaceAll(".*\"contact\":(\\[[^]]*]).*", "$1");
                }
                json(exchange, 200, account());
            }
            case "/order" -> {
                String created = String.valueOf(orders.incrementAndGet());
                names.put(
                        created,
                        JSON.parse(payload)
                                .get("identifiers")
                                .asArray()
                                .get(0)
                                .asObject()
                                .get("value")
                                .asString());
                states.put(created, "pending");
                at(exchange, "/order/" + created);
                json(exchange, 201, order(created));
            }
            case "/order/N" -> json(exchange, 200, order(number));
            case "/authz/N" -> {
                if (!retryAfter.isEmpty()) {
                    exchange.getResponseHeaders().add("Retry-After", retryAfter);
                }
                json(exchange, 200, authorization(number));
            }
            case "/chall/N" -> {
                states.put(number, afterwards);
                json(exchange, 200, challenge(number));
            }
            case "/finalize/N" -> {
                chains.put(number, chain(key(payload), number));
                states.put(number, "valid");
                json(exchange, 200, order(number));
            }
            case "/cert/N" ->
                    send(
                            exchange,
                            200,
                            "application/pem-certificate-chain",
                            chains.getOrDefault(number, ""));
            case "/revoke" -> exchange.sendResponseHeaders(200, -1);
            default -> send(exchange, 404, "text/plain", "no " + path);
        }
    }

    private String chain(PublicKey key, String number) throws CertificateEncodingException {
        X509Certificate leaf =
                authority.issue(
                        key,
                        CLOCK.instant().minusSeconds(3600),
                        Duration.ofDays(90),
                        names.getOrDefault(number, ""));
        return pem(leaf) + pem(authority.certificate());
    }

    private String directory() {
        return "{\"newNonce\":\""
                + base
                + "/nonce\",\"newAccount\":\""
                + base
                + "/account\",\"newOrder\":\""
                + base
                + "/order\",\"revokeCert\":\""
                + base
                + "/revoke\",\"keyChange\":\""
                + base
                + "/rollover\",\"renewalInfo\":\""
                + base
                + "/ari\",\"meta\":{}}";
    }

    private String account() {
        return "{\"status\":\"valid\",\"contact\":" + contacts + "}";
    }

    private String order(String number) {
        String state = states.getOrDefault(number, "");
        return "{\"status\":\""
                + state
                + "\",\"identifiers\":["
                + identifier(number)
                + "],\"authorizations\":["
                + String.join(
                        ",",
                        Collections.nCopies(
                                authorizations, "\"" + base + "/authz/" + number + "\""))
                + "],\"finalize\":\""
                + base
                + "/finalize/"
                + number
                + "\""
                + (state.equals("valid")
                        ? ",\"certificate\":\"" + base + "/cert/" + number + "\""
                        : "")
                + (state.equals("invalid")
                        ? ",\"error\":{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"no\"}"
                        : "")
                + "}";
    }

    private String authorization(String number) {
        return "{\"identifier\":"
                + identifier(number)
                + ",\"status\":\""
                + (states.getOrDefault(number, "").equals("pending") ? "pending" : "valid")
                + "\",\"challenges\":["
                + challenge(number)
                + "]}";
    }

    private String challenge(String number) {
        return "{\"type\":\"http-01\",\"url\":\""
                + base
                + "/chall/"
                + number
                + "\",\"token\":\"dG9rZW4tb2YtYS1zY3JpcHRlZC1jYS0xMjM0NTY3\",\"status\":\""
                + (states.getOrDefault(number, "").equals("pending") ? "pending" : "valid")
                + "\"}";
    }

    private String identifier(String number) {
        return "{\"type\":\"dns\",\"value\":\"" + names.getOrDefault(number, "") + "\"}";
    }

    private void at(HttpExchange exchange, String path) {
        exchange.getResponseHeaders().add("Location", base + path);
    }

    private static void json(HttpExchange exchange, int status, String body) throws IOException {
        send(exchange, status, "application/json", body);
    }

    private static void send(HttpExchange exchange, int status, String type, String body)
            throws IOException {
        exchange.getResponseHeaders().add("Content-Type", type);
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private static String pem(X509Certificate certificate) throws CertificateEncodingException {
        var out = new ByteArrayOutputStream();
        out.writeBytes("-----BEGIN CERTIFICATE-----\n".getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(Base64.getMimeEncoder().encode(certificate.getEncoded()));
        out.writeBytes("\n-----END CERTIFICATE-----\n".getBytes(StandardCharsets.US_ASCII));
        return out.toString(StandardCharsets.US_ASCII);
    }

    private SSLContext tls() throws GeneralSecurityException, IOException {
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

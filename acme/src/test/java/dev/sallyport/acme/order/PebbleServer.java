package dev.sallyport.acme.order;

import static org.awaitility.Awaitility.await;

import dev.sallyport.acme.TestAuthority;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.KeyMaterial;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A real Pebble on loopback ports, with its own DNS server, for which every name has the address
 * 127.0.0.1: both {@link PebbleProgram}s.
 */
final class PebbleServer implements AutoCloseable {
    static final String EAB_KEY_ID = "kid-1";
    static final String EAB_MAC =
            "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** How it behaves; valid, except… */
    static final class Behaviour {
        private final Map<String, String> environment =
                new HashMap<>(
                        Map.of(
                                "PEBBLE_VA_NOSLEEP", "1",
                                "PEBBLE_WFE_NONCEREJECT", "0",
                                "PEBBLE_AUTHZREUSE", "0"));
        private boolean externalAccount;
        private final List<String> blocked = new ArrayList<>();

        Behaviour refusingNonces(int percent) {
            environment.put("PEBBLE_WFE_NONCEREJECT", String.valueOf(percent));
            return this;
        }

        Behaviour validatingSlowly(int seconds) {
            environment.remove("PEBBLE_VA_NOSLEEP");
            environment.put("PEBBLE_VA_SLEEPTIME", String.valueOf(seconds));
            return this;
        }

        Behaviour reusingAuthorizations() {
            environment.put("PEBBLE_AUTHZREUSE", "100");
            return this;
        }

        Behaviour withAlternateRoots(int count) {
            environment.put("PEBBLE_ALTERNATE_ROOTS", String.valueOf(count));
            return this;
        }

        Behaviour requiringExternalAccounts() {
            externalAccount = true;
            return this;
        }

        Behaviour blocking(String domain) {
            blocked.add(domain);
            return this;
        }
    }

    private final Path folder;
    private final TestAuthority authority = new TestAuthority();
    private final int port = freePort();
    private final int managementPort = freePort();
    private final int httpPort = freePort();
    private final int tlsPort = freePort();
    private final int dnsPort = freePort();
    private final int dnsManagementPort = freePort();
    private final Behaviour behaviour;
    private final HttpClient client;
    private final PebbleProgram dns;
    private PebbleProgram pebble;

    private PebbleServer(Path folder, Behaviour behaviour) throws Exception {
        this.folder = Files.createDirectories(folder);
        this.behaviour = behaviour;
        this.client = HttpClient.newBuilder().sslContext(trusting()).build();
        writeFiles();
        this.dns =
                run(
                        "pebble-challtestsrv",
                        Map.of(),
                        "-dnsserver",
                        "127.0.0.1:" + dnsPort,
                        "-defaultIPv4",
                        "127.0.0.1",
                        "-defaultIPv6",
                        "",
                        "-http01",
                        "",
                        "-https01",
                        "",
                        "-tlsalpn01",
                        "",
                        "-doh",
                        "",
                        "-management",
                        "127.0.0.1:" + dnsManagementPort);
        this.pebble = startPebble();
        await("Pebble's DNS server")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> dnsManagement("/clear-txt", "{\"host\":\"ready.example.\"}") == 200);
    }

    /** Starts one and waits until it answers. */
    static PebbleServer start(Path folder, Behaviour behaviour) {
        try {
            return new PebbleServer(folder, behaviour);
        } catch (AssertionError missing) {
            throw missing;
        } catch (Exception failed) {
            throw new AssertionError("no Pebble: see the logs in " + folder, failed);
        }
    }

    static Behaviour behaving() {
        return new Behaviour();
    }

    /** An issuer of this CA as somebody would write it. */
    IssuerDraft issuer(String name) {
        return IssuerDraft.of(name, directory().toString(), List.of("admin@shop.example"), true)
                .ofOwn(pem(authority.certificate()).getBytes(StandardCharsets.US_ASCII));
    }

    /** Of its CA, for whoever runs in another process. */
    String trusted() {
        return pem(authority.certificate());
    }

    URI directory() {
        return URI.create("https://127.0.0.1:" + port + "/dir");
    }

    int httpPort() {
        return httpPort;
    }

    int tlsPort() {
        return tlsPort;
    }

    /** How many orders it was asked for. */
    long orders() throws IOException {
        try (var lines = Files.lines(folder.resolve("pebble.log"))) {
            return lines.filter(line -> line.contains("Added order")).count();
        }
    }

    /** Ends it without notice; what it knew is lost. */
    void kill() {
        pebble.end();
    }

    /** Starts it again on the same ports, knowing nothing. */
    void restart() throws Exception {
        pebble = startPebble();
    }

    /** Sets a TXT record, or adds to it. */
    void setTxt(String name, String value) {
        requireOk(
                dnsManagement(
                        "/set-txt", "{\"host\":\"" + name + ".\",\"value\":\"" + value + "\"}"));
    }

    /** Removes a TXT record. */
    void clearTxt(String name) {
        requireOk(dnsManagement("/clear-txt", "{\"host\":\"" + name + ".\"}"));
    }

    /** Has the CA say of a certificate's renewal whatever is given. */
    void renewalInfo(X509Certificate leaf, Instant start, Instant end) {
        String info =
                "{\\\"suggestedWindow\\\":{\\\"start\\\":\\\""
                        + start
                        + "\\\",\\\"end\\\":\\\""
                        + end
                        + "\\\"}}";
        requireOk(
                post(
                        "https://127.0.0.1:" + managementPort + "/set-renewal-info/",
                        "{\"certificate\":\""
                                + pem(leaf).replace("\n", "\\n")
                                + "\",\"ariResponse\":\""
                                + info
                                + "\"}"));
    }

    /** {@code Valid} or {@code Revoked}, within JSON. */
    String status(X509Certificate leaf) {
        return get("/cert-status-by-serial/" + leaf.getSerialNumber().toString(16));
    }

    /** A root's certificate as PEM; 0 is the one that is used first. */
    String root(int number) {
        return get("/roots/" + number);
    }

    @Override
    public void close() {
        pebble.end();
        dns.end();
        client.shutdownNow();
    }

    private void writeFiles() throws IOException {
        KeyMaterial key = KeyMaterial.generate(KeyAlgorithm.EC_P256);
        X509Certificate own =
                authority.issue(
                        key.keyPair().getPublic(),
                        Clock.system(ZoneOffset.UTC).instant().minus(Duration.ofHours(1)),
                        Duration.ofDays(1),
                        "127.0.0.1",
                        "localhost");
        Files.writeString(folder.resolve("pebble.crt"), pem(own));
        Files.writeString(
                folder.resolve("pebble.key"), key.pkcs8().use(pkcs8 -> pem("PRIVATE KEY", pkcs8)));
        String blocked =
                behaviour.blocked.isEmpty()
                        ? ""
                        : "\"" + String.join("\",\"", behaviour.blocked) + "\"";
        Files.writeString(
                folder.resolve("pebble.json"),
                String.format(
                        Locale.ROOT,
                        """
                        {"pebble": {
                          "listenAddress": "127.0.0.1:%d", "managementListenAddress": "127.0.0.1:%d",
                          "certificate": "%s", "privateKey": "%s",
                          "httpPort": %d, "tlsPort": %d,
                          "externalAccountBindingRequired": %s,
                          "externalAccountMACKeys": {"%s": "%s"},
                          "domainBlocklist": [%s],
                          "retryAfter": {"authz": 1, "order": 1},
                          "keyAlgorithm": "ecdsa",
                          "profiles": {
                            "default": {"description": "90 days", "validityPeriod": 7776000},
                            "shortlived": {"description": "6 days", "validityPeriod": 518400}}}}
                        """,
                        port,
                        managementPort,
                        folder.resolve("pebble.crt"),
                        folder.resolve("pebble.key"),
                        httpPort,
                        tlsPort,
                        behaviour.externalAccount,
                        EAB_KEY_ID,
                        EAB_MAC,
                        blocked));
    }

    private PebbleProgram startPebble() throws Exception {
        PebbleProgram started =
                run(
                        "pebble",
                        behaviour.environment,
                        "-config",
                        folder.resolve("pebble.json").toString(),
                        "-dnsserver",
                        "127.0.0.1:" + dnsPort);
        await("Pebble's directory")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> answers(started));
        return started;
    }

    private boolean answers(PebbleProgram program) throws InterruptedException {
        if (!program.isAlive()) {
            throw new AssertionError("Pebble ended: see the logs in " + folder);
        }
        try {
            HttpRequest ask =
                    HttpRequest.newBuilder(directory()).timeout(Duration.ofSeconds(5)).build();
            return client.send(ask, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException notYet) {
            return false;
        }
    }

    private PebbleProgram run(
            String program, Map<String, String> environment, String... arguments) {
        return PebbleProgram.start(program, folder, environment, List.of(arguments));
    }

    private SSLContext trusting() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("ca", authority.certificate());
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    private int dnsManagement(String path, String json) {
        return post("http://127.0.0.1:" + dnsManagementPort + path, json);
    }

    private int post(String url, String json) {
        try {
            return client.send(
                            HttpRequest.newBuilder(URI.create(url))
                                    .POST(HttpRequest.BodyPublishers.ofString(json))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException notYet) {
            return 0;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new AssertionError(interrupted);
        }
    }

    private String get(String path) {
        try {
            return client.send(
                            HttpRequest.newBuilder(
                                            URI.create(
                                                    "https://127.0.0.1:" + managementPort + path))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        } catch (IOException failed) {
            throw new AssertionError(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new AssertionError(interrupted);
        }
    }

    private static void requireOk(int status) {
        if (status != 200) {
            throw new AssertionError("status " + status);
        }
    }

    private static String pem(X509Certificate certificate) {
        try {
            return pem("CERTIFICATE", certificate.getEncoded());
        } catch (CertificateEncodingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String pem(String label, byte[] der) {
        return "-----BEGIN "
                + label
                + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END "
                + label
                + "-----\n";
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}

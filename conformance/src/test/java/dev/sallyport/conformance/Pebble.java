package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A Pebble of one test, on loopback, for which every name has the address 127.0.0.1: it asks the
 * gateway of that test.
 */
final class Pebble implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Path folder;
    private final Path bin;
    private final Pki pki;
    private final int port = Gateway.freePort();
    private final int management = Gateway.freePort();
    private final int dnsPort = Gateway.freePort();
    private final int dnsManagement = Gateway.freePort();
    private final int http;
    private final int https;
    private final Behaviour behaviour;
    private final Process dns;
    private Process pebble;

    /**
     * Starts it.
     *
     * @param folder an empty one, its own
     * @param pki signs the certificate that it is asked with
     * @param http the port that it asks for HTTP-01
     * @param https the port that it asks for TLS-ALPN-01
     */
    static Pebble start(Path folder, Pki pki, int http, int https) {
        return start(folder, pki, http, https, behaving());
    }

    /** The same, that does not behave as usual. */
    static Pebble start(Path folder, Pki pki, int http, int https, Behaviour behaviour) {
        try {
            return new Pebble(Files.createDirectories(folder), pki, http, https, behaviour);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As CAs usually are, except… */
    static Behaviour behaving() {
        return new Behaviour();
    }

    /** How it behaves. */
    static final class Behaviour {
        static final String EXTERNAL_KEY_ID = "kid-1";
        static final String EXTERNAL_MAC =
                "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

        private final Map<String, String> environment =
                new HashMap<>(Map.of("PEBBLE_VA_NOSLEEP", "1", "PEBBLE_WFE_NONCEREJECT", "5"));
        private boolean externalAccounts;
        private String blocked = "";
        private int nameServer;

        private Behaviour() {}

        Behaviour requiringExternalAccounts() {
            externalAccounts = true;
            return this;
        }

        Behaviour refusingNoNonce() {
            environment.put("PEBBLE_WFE_NONCEREJECT", "0");
            return this;
        }

        Behaviour withAlternateRoots(int count) {
            environment.put("PEBBLE_ALTERNATE_ROOTS", String.valueOf(count));
            return this;
        }

        Behaviour blocking(String domain) {
            blocked = "\"" + domain + "\"";
            return this;
        }

        /** Names are asked of this port of loopback, instead of all being 127.0.0.1. */
        Behaviour asking(int nameServerPort) {
            nameServer = nameServerPort;
            return this;
        }
    }

    private Pebble(Path folder, Pki pki, int http, int https, Behaviour behaviour)
            throws IOException {
        this.folder = folder;
        this.pki = pki;
        this.bin = Path.of(System.getProperty("sallyport.testbed", ""), "bin");
        this.http = http;
        this.https = https;
        this.behaviour = behaviour;
        configure();
        dns =
                run(
                        "pebble-challtestsrv",
                        List.of(
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
                                "127.0.0.1:" + dnsManagement));
        pebble = launch();
    }

    private void configure() throws IOException {
        Leaf own = pki.ecdsa("localhost");
        Files.writeString(folder.resolve("pebble.crt"), own.chain(), UTF_8);
        Files.writeString(folder.resolve("pebble.key"), own.key(), UTF_8);
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
                        management,
                        folder.resolve("pebble.crt"),
                        folder.resolve("pebble.key"),
                        http,
                        https,
                        behaviour.externalAccounts,
                        Behaviour.EXTERNAL_KEY_ID,
                        Behaviour.EXTERNAL_MAC,
                        behaviour.blocked));
    }

    private Process launch() throws IOException {
        Process started =
                run(
                        "pebble",
                        List.of(
                                "-config",
                                folder.resolve("pebble.json").toString(),
                                "-dnsserver",
                                "127.0.0.1:"
                                        + (behaviour.nameServer == 0
                                                ? dnsPort
                                                : behaviour.nameServer)));
        await("Pebble's directory")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    if (!started.isAlive()) {
                        throw new AssertionError("Pebble ended: see the logs in " + folder);
                    }
                    return curl(directory()).exit() == 0;
                });
        return started;
    }

    /** The URL of its directory. */
    String directory() {
        return "https://localhost:" + port + "/dir";
    }

    /** Where it is asked. */
    int port() {
        return port;
    }

    /** The root that it made for itself when it started. */
    X509Certificate root() {
        return root(0);
    }

    /** One of its roots; those after 0 are of alternate chains. */
    X509Certificate root(int number) {
        Ran ran = curl("https://localhost:" + management + "/roots/" + number);
        if (ran.exit() != 0) {
            throw new AssertionError(ran.all());
        }
        return TlsSecret.certificate(ran.out().getBytes(UTF_8));
    }

    /** Has it say of a certificate's renewal whatever is given (RFC 9773). */
    void suggestRenewal(X509Certificate leaf, Instant start, Instant end) {
        ObjectNode window = JsonNodeFactory.instance.objectNode();
        window.putObject("suggestedWindow")
                .put("start", start.toString())
                .put("end", end.toString());
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.put("certificate", Pki.pem(leaf)).put("ariResponse", window.toString());
        Ran ran =
                curl(
                        "https://localhost:" + management + "/set-renewal-info/",
                        "--data",
                        body.toString());
        if (ran.exit() != 0) {
            throw new AssertionError(ran.all());
        }
    }

    /** How many accounts it was asked for. */
    long accounts() {
        return logged("accounts in memory");
    }

    /** How many orders it was asked for. */
    long orders() {
        return logged("Added order");
    }

    /** How many requests it answered, those for its directory too. */
    long requests() {
        return logged("-> calling handler()");
    }

    /** How many of its orders said which certificate they replace. */
    long replacements() {
        return logged("is a replacement of");
    }

    private long logged(String words) {
        try (Stream<String> lines = Files.lines(folder.resolve("pebble.log"))) {
            return lines.filter(line -> line.contains(words)).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it without notice; what it knew is lost. */
    void kill() {
        end(pebble);
    }

    /** Starts it again, knowing nothing, with another root. */
    void restart() {
        try {
            pebble = launch();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        end(pebble);
        end(dns);
    }

    private Ran curl(String... arguments) {
        return Curl.ask(
                pki.caFile(),
                Stream.concat(Stream.of("--max-time", "5"), Stream.of(arguments)).toList());
    }

    private Process run(String program, List<String> arguments) {
        Path file = bin.resolve(program);
        if (!Files.isExecutable(file)) {
            throw new AssertionError(
                    file
                            + " is missing: make it with conformance/cluster/build pebble, and name its"
                            + " folder with -Dsallyport.testbed=FOLDER (./verify does both); or leave"
                            + " these tests out with ./verify --without-pebble");
        }
        List<String> command =
                Stream.concat(Stream.of(file.toString()), arguments.stream()).toList();
        var builder = new ProcessBuilder(command);
        builder.environment().putAll(behaviour.environment);
        Process started =
                Ran.start(
                        builder.redirectErrorStream(true)
                                .redirectOutput(
                                        ProcessBuilder.Redirect.appendTo(
                                                folder.resolve(program + ".log").toFile())));
        // A test run that is cut off leaves nothing behind.
        Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
        return started;
    }

    private static void end(Process process) {
        process.destroyForcibly();
        try {
            process.waitFor(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}

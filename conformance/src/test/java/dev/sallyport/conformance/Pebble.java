package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

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
    private final Map<String, String> environment =
            new HashMap<>(Map.of("PEBBLE_VA_NOSLEEP", "1", "PEBBLE_WFE_NONCEREJECT", "5"));
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
        return start(folder, pki, http, https, Map.of());
    }

    /** The same, with more environment. */
    static Pebble start(
            Path folder, Pki pki, int http, int https, Map<String, String> environment) {
        try {
            return new Pebble(Files.createDirectories(folder), pki, http, https, environment);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Pebble(Path folder, Pki pki, int http, int https, Map<String, String> more)
            throws IOException {
        this.folder = folder;
        this.pki = pki;
        this.bin = Path.of(System.getProperty("sallyport.testbed", ""), "bin");
        this.http = http;
        this.https = https;
        environment.putAll(more);
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
                          "externalAccountBindingRequired": false,
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
                        https));
    }

    private Process launch() throws IOException {
        Process started =
                run(
                        "pebble",
                        List.of(
                                "-config",
                                folder.resolve("pebble.json").toString(),
                                "-dnsserver",
                                "127.0.0.1:" + dnsPort));
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

    /** The root that it made for itself when it started. */
    X509Certificate root() {
        Ran ran = curl("https://localhost:" + management + "/roots/0");
        if (ran.exit() != 0) {
            throw new AssertionError(ran.all());
        }
        return TlsSecret.certificate(ran.out().getBytes(UTF_8));
    }

    /** How many orders it was asked for. */
    long orders() {
        return logged("Added order");
    }

    /** How many requests it answered, those for its directory too. */
    long requests() {
        return logged("-> calling handler()");
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

    private Ran curl(String url) {
        return Ran.run(
                "curl",
                "--silent",
                "--show-error",
                "--fail",
                "--noproxy",
                "*",
                "--max-time",
                "5",
                "--cacert",
                pki.caFile().toString(),
                url);
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
        builder.environment().putAll(environment);
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

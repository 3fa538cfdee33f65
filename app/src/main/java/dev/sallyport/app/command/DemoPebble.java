package dev.sallyport.app.command;

import dev.sallyport.model.finding.PlainText;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Pebble, an ACME CA for tests, for as long as the demonstration runs: on this machine only, with a
 * DNS server for which every name leads here. Safe from any thread.
 */
final class DemoPebble implements AutoCloseable {
    /** Pebble, and the DNS server that answers for every name. */
    static final List<String> PROGRAMS = List.of("pebble", "pebble-challtestsrv");

    /** The version that the tests run. */
    static final String VERSION = "2.10.1";

    /** The variable that has it validate at once, and not after some random time. */
    static final String AT_ONCE = "PEBBLE_VA_NOSLEEP";

    /** How its programs are to be had without Docker, or the demonstration without them. */
    static final String ADVICE =
            "with Go, `go install github.com/letsencrypt/pebble/v2/cmd/...@v"
                    + VERSION
                    + "`, and $(go env GOPATH)/bin on the PATH; or demo without --acme.";

    private static final String ADDRESS = "127.0.0.1";
    private static final long LOOK_MILLIS = 50;
    private static final int LOOKS = 600;
    private static final int MILLIS = 3_000;
    private static final int MOST_BYTES = 64 * 1024;
    private static final int MOST_LINES = 5;

    private final DemoProcesses processes;
    private final DemoFolder folder;
    private final Programs programs;
    private final int port;
    private final int management;
    private final AtomicReference<List<Process>> running = new AtomicReference<>(List.of());

    /** Where the two programs are. */
    private sealed interface Programs {
        record OnPath(Path pebble, Path dns) implements Programs {}

        record InDocker(DemoContainers containers) implements Programs {}
    }

    private DemoPebble(DemoFolder folder, Programs programs, DemoProcesses processes)
            throws IOException {
        this.folder = folder;
        this.programs = programs;
        this.processes = processes;
        this.port = freePort();
        this.management = freePort();
    }

    /**
     * One that is not started.
     *
     * @param folder made already: its authority signs Pebble's own certificate
     * @throws Failed where Pebble is not to be had; says how it is
     */
    static DemoPebble in(DemoFolder folder, Map<String, String> environment)
            throws Failed, IOException {
        Files.createDirectories(folder.acme());
        var processes = new DemoProcesses();
        return new DemoPebble(folder, programs(folder, environment, processes), processes);
    }

    private static Programs programs(
            DemoFolder folder, Map<String, String> environment, DemoProcesses processes)
            throws Failed {
        Optional<Path> pebble = onPath(PROGRAMS.getFirst(), environment);
        Optional<Path> dns = onPath(PROGRAMS.getLast(), environment);
        if (pebble.isPresent() && dns.isPresent()) {
            return new Programs.OnPath(pebble.get(), dns.get());
        }
        return onPath("docker", environment)
                .map(docker ->
                        new Programs.InDocker(
                                new DemoContainers(
                                        docker,
                                        folder.acme(),
                                        DemoContainers.Bounds.DEFAULT,
                                        processes)))
                .orElseThrow(() ->
                        new Failed(
                                ExitCode.UNAVAILABLE,
                                "demo --acme needs Pebble, an ACME CA for tests, and there is"
                                        + " neither pebble with pebble-challtestsrv on the PATH nor"
                                        + " docker\n  Install Docker, or "
                                        + ADVICE));
    }

    private static Optional<Path> onPath(String program, Map<String, String> environment) {
        for (String directory :
                environment.getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
            if (!directory.isEmpty()) {
                Path file = Path.of(directory, program);
                if (Files.isRegularFile(file) && Files.isExecutable(file)) {
                    return Optional.of(file);
                }
            }
        }
        return Optional.empty();
    }

    /** Where it was found, for people. */
    String from() {
        return switch (programs) {
            case Programs.OnPath(Path pebble, _) -> pebble.toString();
            case Programs.InDocker _ -> "Docker";
        };
    }

    /** The URL of its directory. */
    String directory() {
        return "https://localhost:" + port + "/dir";
    }

    /**
     * Starts it, and stores the root that it signs with.
     *
     * @param http the port that it asks for HTTP-01
     * @param https the port that it asks for TLS-ALPN-01
     * @param out told of what takes long
     * @throws Failed where it does not come up
     */
    void start(int http, int https, PrintWriter out)
            throws Failed, IOException, InterruptedException {
        if (programs instanceof Programs.InDocker(DemoContainers containers)) {
            containers.prepare(out);
        }
        int dns = freePort();
        Path configuration = folder.acme().resolve("pebble.json");
        folder.issueTo(folder.acme(), "pebble", "localhost");
        Files.writeString(configuration, Json.write(Map.of("pebble", configuration(http, https))));
        run(
                PROGRAMS.getLast(),
                List.of(
                        "-dnsserver",
                        ADDRESS + ":" + dns,
                        "-defaultIPv4",
                        ADDRESS,
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
                        ADDRESS + ":" + freePort()));
        run(
                PROGRAMS.getFirst(),
                List.of("-config", configuration.toString(), "-dnsserver", ADDRESS + ":" + dns));
        for (int i = 0; i < LOOKS; i++) {
            Optional<byte[]> root = root();
            if (root.isPresent()) {
                Files.write(folder.acmeRoot(), root.get());
                return;
            }
            if (hasEnded()) {
                break;
            }
        }
        throw new Failed(
                ExitCode.UNAVAILABLE,
                "Pebble ("
                        + from()
                        + ") does not come up; it says: "
                        + lastWords(log(), MOST_LINES)
                        + "\n  Version "
                        + VERSION
                        + " is known to work: "
                        + ADVICE);
    }

    /** Whether one of the two programs has, before a moment is over. */
    private boolean hasEnded() throws InterruptedException {
        for (Process process : running.get()) {
            if (process.waitFor(LOOK_MILLIS / PROGRAMS.size(), TimeUnit.MILLISECONDS)) {
                return true;
            }
        }
        return false;
    }

    private Map<String, Object> configuration(int http, int https) {
        return Map.of(
                "listenAddress",
                ADDRESS + ":" + port,
                "managementListenAddress",
                ADDRESS + ":" + management,
                "certificate",
                folder.acme().resolve("pebble.crt").toString(),
                "privateKey",
                folder.acme().resolve("pebble.key").toString(),
                "httpPort",
                http,
                "tlsPort",
                https,
                "retryAfter",
                Map.of("authz", 1, "order", 1));
    }

    private void run(String program, List<String> arguments) throws IOException {
        List<String> command =
                new ArrayList<>(
                        switch (programs) {
                            case Programs.OnPath(Path pebble, Path dns) ->
                                    List.of(
                                            (program.equals(PROGRAMS.getFirst()) ? pebble : dns)
                                                    .toString());
                            case Programs.InDocker(DemoContainers containers) ->
                                    containers.command(program);
                        });
        command.addAll(arguments);
        var builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        builder.environment().put(AT_ONCE, "1");
        Process started = processes.start(builder);
        running.updateAndGet(before -> Stream.concat(before.stream(), Stream.of(started)).toList());
    }

    private Path log() {
        return folder.acme().resolve("pebble.log");
    }

    /** What a program said last, over some lines. */
    static String lastWords(Path log, int most) throws IOException {
        List<String> lines =
                new String(Files.readAllBytes(log), StandardCharsets.UTF_8)
                        .lines()
                        .filter(line -> !line.isBlank())
                        .map(PlainText::of)
                        .toList();
        return lines.isEmpty()
                ? "nothing"
                : String.join(
                        "\n  ", lines.subList(Math.max(0, lines.size() - most), lines.size()));
    }

    /** The root that it made for itself; empty while it does not answer. */
    private Optional<byte[]> root() throws IOException {
        SSLContext trusting = trusting(Files.readAllBytes(folder.authority()));
        try {
            HttpsURLConnection connection =
                    (HttpsURLConnection)
                            URI.create("https://localhost:" + management + "/roots/0")
                                    .toURL()
                                    .openConnection(Proxy.NO_PROXY);
            connection.setSSLSocketFactory(trusting.getSocketFactory());
            connection.setConnectTimeout(MILLIS);
            connection.setReadTimeout(MILLIS);
            try (InputStream body = connection.getInputStream()) {
                return Optional.of(body.readNBytes(MOST_BYTES));
            }
        } catch (IOException notYet) {
            return Optional.empty();
        }
    }

    private static SSLContext trusting(byte[] authority) throws IOException {
        try {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            trusted.setCertificateEntry(
                    "demo",
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(authority)));
            var managers =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }

    /**
     * Waits until {@code issued}, half a minute at most.
     *
     * @return whether it is
     */
    boolean await(BooleanSupplier issued) throws InterruptedException {
        for (int i = 0; i < LOOKS && !issued.getAsBoolean(); i++) {
            if (hasEnded()) {
                return false;
            }
        }
        return issued.getAsBoolean();
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral(ADDRESS))) {
            return free.getLocalPort();
        }
    }

    /** Ends what was started. */
    @Override
    public void close() {
        processes.close();
        if (programs instanceof Programs.InDocker(DemoContainers containers)) {
            containers.close();
        }
    }
}

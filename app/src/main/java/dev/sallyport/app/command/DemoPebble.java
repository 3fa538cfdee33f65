package dev.sallyport.app.command;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
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
import java.util.function.BooleanSupplier;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Pebble, an ACME CA for tests, for as long as the demonstration runs: on this machine only, with a
 * DNS server for which every name leads here. Safe from any thread.
 */
final class DemoPebble implements AutoCloseable {
    private static final String ADDRESS = "127.0.0.1";
    private static final long LOOK_MILLIS = 50;
    private static final int LOOKS = 600;
    private static final int MILLIS = 3_000;
    private static final int MOST_BYTES = 64 * 1024;
    private static final int STOP_SECONDS = 5;

    private final List<Process> processes = new ArrayList<>(); // guarded by this
    private boolean closed; // guarded by this
    private final DemoFolder folder;
    private final Programs programs;
    private final int port;
    private final int management;

    /** How the two programs are started: words that their arguments are put behind. */
    private record Programs(String from, List<String> pebble, List<String> dns) {}

    private DemoPebble(DemoFolder folder, Programs programs) throws IOException {
        this.folder = folder;
        this.programs = programs;
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
            throws Failed, IOException, InterruptedException {
        Files.createDirectories(folder.acme());
        return new DemoPebble(folder, programs(folder, environment));
    }

    private static Programs programs(DemoFolder folder, Map<String, String> environment)
            throws Failed, IOException, InterruptedException {
        Optional<Path> pebble = onPath("pebble", environment);
        Optional<Path> dns = onPath("pebble-challtestsrv", environment);
        if (pebble.isPresent() && dns.isPresent()) {
            return new Programs(
                    pebble.get().toString(),
                    List.of(pebble.get().toString()),
                    List.of(dns.get().toString()));
        }
        Optional<Path> docker = onPath("docker", environment);
        if (docker.isPresent() && runs(docker.get())) {
            return new Programs(
                    "Docker",
                    inDocker(docker.get(), folder, "letsencrypt/pebble", "pebble"),
                    inDocker(
                            docker.get(),
                            folder,
                            "letsencrypt/pebble-challtestsrv",
                            "pebble-challtestsrv"));
        }
        throw new Failed(
                ExitCode.UNAVAILABLE,
                "demo --acme needs Pebble, an ACME CA for tests, and there is neither pebble with"
                        + " pebble-challtestsrv on the PATH nor a Docker that runs\n"
                        + "  With Go: go install github.com/letsencrypt/pebble/v2/cmd/...@latest, and"
                        + " put $(go env GOPATH)/bin on the PATH; or demo without --acme.");
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

    private static boolean runs(Path docker) throws InterruptedException {
        try {
            Process info =
                    new ProcessBuilder(docker.toString(), "info")
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            if (!info.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                info.destroyForcibly();
                return false;
            }
            return info.exitValue() == 0;
        } catch (IOException notToBeStarted) {
            return false;
        }
    }

    /** In the network of this machine, so that it finds the gateway. */
    private static List<String> inDocker(
            Path docker, DemoFolder folder, String image, String program) {
        return List.of(
                docker.toString(),
                "run",
                "--rm",
                "--network",
                "host",
                "--env",
                "PEBBLE_VA_NOSLEEP=1",
                "--volume",
                folder.acme() + ":" + folder.acme() + ":ro",
                image,
                program);
    }

    /** Where it was found, for people. */
    String from() {
        return programs.from();
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
     * @throws Failed where it does not come up
     */
    void start(int http, int https) throws Failed, IOException, InterruptedException {
        int dns = freePort();
        Path configuration = folder.acme().resolve("pebble.json");
        folder.issueTo(folder.acme(), "pebble", "localhost");
        Files.writeString(configuration, Json.write(Map.of("pebble", configuration(http, https))));
        run(
                programs.dns(),
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
        Process pebble =
                run(
                        programs.pebble(),
                        List.of(
                                "-config",
                                configuration.toString(),
                                "-dnsserver",
                                ADDRESS + ":" + dns));
        for (int i = 0; i < LOOKS; i++) {
            Optional<byte[]> root = root();
            if (root.isPresent()) {
                Files.write(folder.acmeRoot(), root.get());
                return;
            }
            if (pebble.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                break;
            }
        }
        throw new Failed(
                ExitCode.UNAVAILABLE,
                "Pebble (" + from() + ") does not come up; it says: " + said());
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

    private synchronized Process run(List<String> program, List<String> arguments)
            throws IOException {
        if (closed) {
            throw new IOException("told to stop");
        }
        List<String> command = new ArrayList<>(program);
        command.addAll(arguments);
        var builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        // Validates at once, and not after some random time.
        builder.environment().put("PEBBLE_VA_NOSLEEP", "1");
        Process started = builder.start();
        processes.add(started);
        return started;
    }

    private Path log() {
        return folder.acme().resolve("pebble.log");
    }

    private String said() throws IOException {
        List<String> lines = Files.readAllLines(log(), StandardCharsets.UTF_8);
        return String.join("\n  ", lines.subList(Math.max(0, lines.size() - 5), lines.size()));
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
            Process pebble;
            synchronized (this) {
                pebble = processes.getLast();
            }
            if (pebble.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
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
    public synchronized void close() {
        closed = true;
        processes.forEach(Process::destroy);
        try {
            for (Process process : processes) {
                if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            }
        } catch (InterruptedException hurried) {
            processes.forEach(Process::destroyForcibly);
            Thread.currentThread().interrupt();
        }
    }
}

package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The packaged gateway as a running process, on a folder of manifests or on a cluster. Closing it
 * is a test of its own: SIGTERM must end it with exit code 0, and what it wrote must hold no error,
 * no leak and no private key.
 */
final class Gateway implements AutoCloseable {

    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(60);
    private static final Pattern TROUBLE =
            Pattern.compile("\"level\":\"ERROR\"|^ERROR| ERROR |LEAK:|sallyport_bugs|OutOfMemory");

    /** Given already, or of the test bed's own programs at its node. */
    private static final Set<Integer> TAKEN =
            Collections.synchronizedSet(new HashSet<>(Set.of(15_000, 18_080, 18_443)));

    private static final String LOOPBACK = "127.0.0.1";

    /** Where a gateway on this machine is reached by whom a cluster that was given leads to it. */
    private static final String HERE = System.getProperty("sallyport.address", LOOPBACK);

    private static final JsonMapper JSON = JsonMapper.shared();

    private final Process process;
    private final Pki pki;
    private final String address;
    private final int http;
    private final int https;
    private final int admin;
    private final Path out;
    private final Path err;
    private final HttpClient client = HttpClient.newHttpClient();

    private Gateway(
            Process process,
            Pki pki,
            String address,
            int http,
            int https,
            int admin,
            Path out,
            Path err) {
        this.process = process;
        this.pki = pki;
        this.address = address;
        this.http = http;
        this.https = https;
        this.admin = admin;
        this.out = out;
        this.err = err;
    }

    /** A gateway on a folder, to be started in a working folder that is its own. */
    static Starter in(Path work, Pki pki, Folder folder) {
        return new Starter(work, pki).flags("--resources", folder.path().toString());
    }

    /**
     * A gateway on a cluster, with the rights of a kubeconfig, that reaches Pods: in the network of
     * the test bed's node and at its address, or, where a cluster was given, on this machine.
     */
    static Starter on(Cluster cluster, Path work, Pki pki, Path kubeconfig) {
        Starter starter = new Starter(work, pki).flags("--kubeconfig", kubeconfig.toString());
        return Cluster.isGiven() ? starter.at(HERE) : starter.inside(cluster);
    }

    /** A gateway on the cluster of a kubeconfig, as anybody would start it here. */
    static Starter ofKubeconfig(Path work, Pki pki, Path kubeconfig) {
        return new Starter(work, pki).flags("--kubeconfig", kubeconfig.toString());
    }

    /** How a gateway is to be started. */
    static final class Starter {
        private final Path work;
        private final Pki pki;
        private final List<String> flags = new ArrayList<>();
        private final List<String> jvm = new ArrayList<>();
        private final List<String> before = new ArrayList<>();
        private String address = LOOPBACK;
        private int http;
        private int https;

        private Starter(Path work, Pki pki) {
            this.work = work;
            this.pki = pki;
        }

        /** With this configuration file. */
        Starter config(String yaml) {
            try {
                Path file = Files.writeString(work.resolve("sallyport.yaml"), yaml);
                flags.addAll(List.of("--config", file.toString()));
                return this;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** With more flags. */
        Starter flags(String... more) {
            flags.addAll(List.of(more));
            return this;
        }

        /**
         * Having certificates issued by whoever's directory this is, whose own is of an authority.
         */
        Starter acme(String directory, Path authority) {
            return flags(
                    "--acme-directory",
                    directory,
                    "--acme-agree-terms",
                    "--acme-contact",
                    "admin@shop.example",
                    "--acme-ca",
                    authority.toString());
        }

        /** With more JVM options, after the product's own. */
        Starter jvm(String... options) {
            jvm.addAll(List.of(options));
            return this;
        }

        /** With so many file descriptors and no more. */
        Starter fileDescriptors(int most) {
            before.addAll(List.of("bash", "-c", "ulimit -n " + most + " && exec \"$@\"", "bash"));
            return this;
        }

        /** In the network of the test bed's node, listening at its address. */
        Starter inside(Cluster cluster) {
            before.addAll(0, cluster.inside());
            address = cluster.bed().node();
            return this;
        }

        /** Listening at this address of this machine. */
        private Starter at(String own) {
            address = own;
            return this;
        }

        /** On these ports instead of free ones: an ACME server asks on 80 and 443. */
        Starter ports(int forHttp, int forHttps) {
            http = forHttp;
            https = forHttps;
            return this;
        }

        /** As the rest of this command line. */
        Starter behind(List<String> command) {
            before.addAll(command);
            return this;
        }

        /** Starts it and waits until it says that it is ready. */
        Gateway start() {
            Gateway gateway = launch();
            gateway.awaitReady();
            return gateway;
        }

        /** Starts it and does not wait. */
        Gateway launch() {
            int http = this.http == 0 ? freePort() : this.http;
            int https = this.https == 0 ? freePort() : this.https;
            int admin = freePort();
            List<String> arguments =
                    new ArrayList<>(
                            List.of(
                                    "run",
                                    "--http",
                                    address + ":" + http,
                                    "--https",
                                    address + ":" + https,
                                    "--admin",
                                    address + ":" + admin));
            arguments.addAll(flags);
            Path out = work.resolve("gateway.out");
            Path err = work.resolve("gateway.err");
            List<String> command = new ArrayList<>(before);
            command.addAll(Distribution.command(jvm, arguments));
            Process process =
                    Ran.start(
                            new ProcessBuilder(command)
                                    .directory(work.toFile())
                                    .redirectOutput(out.toFile())
                                    .redirectError(err.toFile()));
            return new Gateway(process, pki, address, http, https, admin, out, err);
        }
    }

    /**
     * A port that nobody listens on, below the range of NodePorts and that which clients'
     * connections come from, never given twice.
     */
    static int freePort() {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(15_000, 30_000);
            if (!TAKEN.add(port)) {
                continue;
            }
            try (var probe = new ServerSocket()) {
                probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return port;
            } catch (IOException e) {
                // Somebody else's; try another.
            }
        }
    }

    /** The address it listens at. */
    String address() {
        return address;
    }

    /** Where it speaks HTTP. */
    InetSocketAddress httpAddress() {
        return new InetSocketAddress(address, http);
    }

    /** Where it speaks HTTPS. */
    InetSocketAddress httpsAddress() {
        return new InetSocketAddress(address, https);
    }

    int http() {
        return http;
    }

    int https() {
        return https;
    }

    int admin() {
        return admin;
    }

    long pid() {
        return process.pid();
    }

    Process process() {
        return process;
    }

    private void awaitReady() {
        try {
            await().pollInterval(Duration.ofMillis(50))
                    .atMost(START_LIMIT)
                    .until(() -> !process.isAlive() || readyz() == 200);
        } catch (ConditionTimeoutException e) {
            process.destroyForcibly();
            throw new AssertionError("not ready in time: " + err() + out(), e);
        }
        if (!process.isAlive()) {
            throw new AssertionError(
                    "exit " + process.exitValue() + " instead of ready: " + err() + out());
        }
    }

    /** The status of /readyz; 0 if nobody answers. */
    int readyz() {
        try {
            return adminGet("/readyz").statusCode();
        } catch (UncheckedIOException e) {
            return 0;
        }
    }

    /** Asks the admin port. */
    HttpResponse<String> adminGet(String path) {
        try {
            return client.send(
                    HttpRequest.newBuilder(URI.create("http://" + address + ":" + admin + path))
                            .timeout(Duration.ofSeconds(20))
                            .build(),
                    BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** A document of the admin port's API. */
    JsonNode api(String name) {
        HttpResponse<String> answer = adminGet("/api/" + name);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }

    /** The findings, each as the JSON text it has in the API. */
    List<String> findings() {
        return Json.items(api("findings")).map(JsonNode::toString).toList();
    }

    /** Waits for a finding of this reason whose JSON holds all these words. */
    String awaitFinding(String reason, String... words) {
        try {
            return await().pollInterval(Duration.ofMillis(10))
                    .atMost(Duration.ofSeconds(20))
                    .until(
                            () ->
                                    findings().stream()
                                            .filter(each -> each.contains(reason))
                                            .filter(each ->
                                                    Stream.of(words).allMatch(each::contains))
                                            .findFirst()
                                            .orElse(""),
                            found -> !found.isEmpty());
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "no finding " + reason + " with " + List.of(words) + " among " + findings(), e);
        }
    }

    /** Waits until no finding holds all these words. */
    void awaitNoFinding(String... words) {
        await().pollInterval(Duration.ofMillis(10))
                .atMost(Duration.ofSeconds(20))
                .untilAsserted(() ->
                        assertThat(findings())
                                .noneMatch(each -> Stream.of(words).allMatch(each::contains)));
    }

    /** All metrics as they are now. */
    Metrics metrics() {
        HttpResponse<String> answer = adminGet("/metrics");
        assertThat(answer.statusCode()).isEqualTo(200);
        return Metrics.parse(answer.body());
    }

    /** Waits until new connections to a host get this certificate. */
    void awaitServed(String host, Leaf leaf) {
        await().pollInterval(Duration.ofMillis(2))
                .atMost(Duration.ofSeconds(60))
                .until(() -> Handshakes.serial(httpsAddress(), host).equals(leaf.serial()));
    }

    /** Waits until a plain request for a host and path is answered with a status. */
    void awaitStatus(String host, String path, int status) {
        await().pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .until(() -> RawClient.plain(httpAddress()).get(host, path).status() == status);
    }

    /** Resident memory in bytes, as the kernel has it. */
    long residentBytes() {
        Ran ps = Ran.run("ps", "-o", "rss=", "-p", Long.toString(pid()));
        return Long.parseLong(ps.out().strip()) * 1024;
    }

    /** The time of processors that it has used. */
    Duration cpu() {
        return process.info().totalCpuDuration().orElseThrow();
    }

    /** Standard output so far. */
    String out() {
        return read(out);
    }

    /** Standard error so far. */
    String err() {
        return read(err);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends SIGTERM and does not wait. */
    void terminate() {
        process.destroy();
    }

    /** Ends it as the kernel does that is out of memory: by SIGKILL, at once. */
    void kill() {
        process.destroyForcibly();
        assertThat(awaitExit()).isEqualTo(128 + 9);
        client.close();
    }

    /** Waits for its end. */
    int awaitExit() {
        try {
            assertThat(process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                    .as("ended after SIGTERM: %s", err())
                    .isTrue();
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** SIGTERM, exit code 0, and clean output. */
    @Override
    public void close() {
        boolean wasAlive = process.isAlive();
        try {
            if (wasAlive && readyz() == 200) {
                assertThat(metrics().sum("sallyport_bugs_total"))
                        .as("bugs: %s", trouble())
                        .isZero();
            }
            terminate();
            assertThat(awaitExit()).as(err()).isZero();
        } finally {
            process.destroyForcibly();
            client.close();
        }
        assertThat(trouble()).as("errors in the log").isEmpty();
        assertThat(pki.material().find(out)).as("keys in standard output").isEmpty();
        assertThat(pki.material().find(err)).as("keys in the log").isEmpty();
    }

    private List<String> trouble() {
        return err().lines().filter(line -> TROUBLE.matcher(line).find()).toList();
    }
}

package dev.sallyport.app.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayInputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged program as a process. */
final class PackagedProgramIT {
    private static final Duration LONG = Duration.ofMinutes(2);

    @TempDir private Path work;
    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void stop() {
        started.forEach(Process::destroyForcibly);
    }

    @Test
    void theDemonstrationServesRotatesAndCleansUp() throws Exception {
        Process demo = start("demo");
        String said = awaitOutput("is served with certificate");
        Matcher curl =
                Pattern.compile("--cacert (\\S+)/ca\\.pem --resolve shop\\.example:(\\d+):")
                        .matcher(said);
        assertThat(curl.find()).as(said).isTrue();
        Path folder = Path.of(curl.group(1));
        int port = Integer.parseInt(curl.group(2));
        SSLContext trust = trust(folder.resolve("ca.pem"));

        X509Certificate first = certificate(trust, port, "shop.example");
        assertThat(certificate(trust, port, "blog.example").getSubjectAlternativeNames().toString())
                .contains("blog.example");
        assertThat(ask(trust, port, "shop.example"))
                .contains("200", "Hello from the shop backend.");

        Files.copy(
                folder.resolve("next/shop-tls.yaml"),
                folder.resolve("resources/shop-tls.yaml"),
                StandardCopyOption.REPLACE_EXISTING);
        await().atMost(LONG)
                .untilAsserted(() ->
                        assertThat(certificate(trust, port, "shop.example")).isNotEqualTo(first));
        awaitOutput("is now served with certificate");

        demo.destroy();
        assertThat(demo.waitFor(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(demo.exitValue()).isZero();
        assertThat(folder).doesNotExist();
    }

    @Test
    void runIsReadyOnceTheFolderIsServedAndEndsWithZeroOnSigterm() throws Exception {
        int admin = freePort();
        Process run =
                start(
                        "run",
                        "--resources",
                        work.toString(),
                        "--http",
                        "127.0.0.1:0",
                        "--https",
                        "[::1]:0",
                        "--admin",
                        "127.0.0.1:" + admin);

        try (HttpClient client = HttpClient.newHttpClient()) {
            var ready = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + admin + "/readyz"));
            await().atMost(LONG)
                    .ignoreExceptions()
                    .until(() ->
                            client.send(ready.build(), HttpResponse.BodyHandlers.discarding())
                                            .statusCode()
                                    == 200);
        }
        run.destroy();

        assertThat(run.waitFor(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(run.exitValue()).isZero();
        assertThat(Files.readAllLines(err()))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line).startsWith("{").endsWith("}"))
                .satisfiesOnlyOnce(line ->
                        assertThat(line)
                                .contains("\"message\":\"listening\"", "\"address\":\"[::1]:"))
                .anySatisfy(line -> assertThat(line).contains("drained"));
    }

    @Test
    void runEndsWith69WhereNoListenerCanBeBound() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + taken.getLocalPort();
            Path config = Files.writeString(work.resolve("none.yml"), "listeners: {https: []}\n");

            Process run =
                    start(
                            "run",
                            "--config",
                            config.toString(),
                            "--resources",
                            Files.createDirectory(work.resolve("resources")).toString(),
                            "--http",
                            address,
                            "--admin",
                            "127.0.0.1:0");

            assertThat(run.waitFor(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(run.exitValue()).isEqualTo(69);
            assertThat(Files.readString(err()))
                    .contains("no listener could be bound", address, "Free the ports");
        }
    }

    private Process start(String... arguments) throws Exception {
        Path home = Path.of("..").toRealPath();
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + home.resolve("config/jvm.options"));
        command.add("-cp");
        command.add(Path.of("target", "lib").toAbsolutePath() + "/*");
        command.add("dev.sallyport.app.Main");
        command.addAll(List.of(arguments));
        Process process =
                new ProcessBuilder(command)
                        .redirectOutput(out().toFile())
                        .redirectError(err().toFile())
                        .start();
        started.add(process);
        return process;
    }

    private Path out() {
        return work.resolve("out");
    }

    private Path err() {
        return work.resolve("err");
    }

    private String awaitOutput(String text) {
        return await().atMost(LONG)
                .until(() -> Files.readString(out()), said -> said.contains(text));
    }

    private static SSLContext trust(Path authority) throws Exception {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry(
                "ca",
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(
                                new ByteArrayInputStream(Files.readAllBytes(authority))));
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    /** Verified against the authority, and for the host. */
    private static X509Certificate certificate(SSLContext trust, int port, String host)
            throws Exception {
        try (SSLSocket socket = connect(trust, port, host)) {
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    private static String ask(SSLContext trust, int port, String host) throws Exception {
        try (SSLSocket socket = connect(trust, port, host)) {
            socket.getOutputStream()
                    .write(
                            ("GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
                                    .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            return new String(
                    socket.getInputStream().readAllBytes(),
                    java.nio.charset.StandardCharsets.UTF_8);
        }
    }

    private static SSLSocket connect(SSLContext trust, int port, String host) throws Exception {
        var plain = new Socket();
        plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        plain.setSoTimeout((int) LONG.toMillis());
        SSLSocket socket =
                (SSLSocket) trust.getSocketFactory().createSocket(plain, host, port, true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName(host)));
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    private static int freePort() throws Exception {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }
}

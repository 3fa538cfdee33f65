package dev.sallyport.app.command;

import dev.sallyport.app.config.ConfigLoader.FlagValue;
import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.app.telemetry.Logging;
import dev.sallyport.app.wire.Gateway;
import dev.sallyport.app.wire.ObjectSource;
import dev.sallyport.app.wire.StartFailed;
import dev.sallyport.control.cluster.ClusterAccess;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import picocli.CommandLine.Command;

/**
 * {@code train}: lets the gateway do everything once, so that the JVM can note which classes it
 * loads and which methods get hot ({@code -XX:AOTCacheOutput}). The next start takes two thirds of
 * the time. The launcher runs it after a build; it is not for people.
 */
@Command(
        name = "train",
        hidden = true,
        description = "Serves itself for a few seconds, for the JVM to learn from.")
final class TrainCommand implements Callable<Integer> {
    private static final String HOST = "localhost"; // a name that every machine resolves
    private static final String SNI = "train.example"; // Java sends none for names without a dot
    private static final String ANY_PORT = "127.0.0.1:0";
    private static final int ROUNDS = 10;
    private static final int REQUESTS = 50; // a round and protocol, at once
    private static final int HANDSHAKES = 10; // a round
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final CommandLineProgram.Surroundings surroundings;

    TrainCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws Failed, InterruptedException {
        try (var backend = DemoBackend.start("train")) {
            var folder = new DemoFolder("train");
            try {
                folder.make(surroundings.time());
                folder.serve("local", HOST, backend.port());
                folder.serve("train", SNI, backend.port());
                train(folder);
                trainOnACluster(folder);
            } finally {
                folder.delete();
            }
            return ExitCode.OK.number();
        } catch (IOException | GeneralSecurityException | CompletionException failed) {
            throw new Failed(ExitCode.UNAVAILABLE, "the training failed: " + failed);
        }
    }

    private void train(DemoFolder folder)
            throws Failed, InterruptedException, IOException, GeneralSecurityException {
        EffectiveConfig config = config(folder, flag("resources", folder.resources().toString()));
        Logging.apply(config.config().log());
        SSLContext trust = trusting(folder.authority());
        try (Gateway gateway =
                Gateway.start(
                        config, new ObjectSource.Folder(folder.resources()), surroundings.time())) {
            InetSocketAddress https =
                    Objects.requireNonNull(gateway.bound().get("https"), "https: not bound");
            int port = https.getPort();
            for (int round = 0; round < ROUNDS; round++) {
                ask(trust, Version.HTTP_2, port);
                ask(trust, Version.HTTP_1_1, port);
                for (int i = 0; i < HANDSHAKES; i++) {
                    connect(trust, port);
                }
                folder.reissue("train", SNI);
            }
            int admin = gateway.adminAddress().getPort();
            for (String path : List.of("/metrics", "/readyz", "/api/routes", "/api/certificates")) {
                get(HttpClient.newHttpClient(), "http://127.0.0.1:" + admin + path).join();
            }
        } catch (StartFailed failed) {
            throw new Failed(ExitCode.UNAVAILABLE, failed.getMessage() + "\n  " + failed.advice());
        }
    }

    /** The client of an API server, and what is written to one. */
    private void trainOnACluster(DemoFolder folder)
            throws Failed, InterruptedException, IOException, GeneralSecurityException {
        SSLContext trust = trusting(folder.authority());
        try (var api = TrainingApiServer.start(folder.resources())) {
            Path kubeconfig =
                    Files.writeString(
                            folder.root().resolve("kubeconfig"),
                            api.kubeconfig(),
                            StandardCharsets.UTF_8);
            var access = new ClusterAccess.Kubeconfig(kubeconfig, Optional.of("default"));
            try (Gateway gateway =
                    Gateway.start(
                            config(folder, flag("kubernetes.publish-addresses", "192.0.2.1")),
                            new ObjectSource.Cluster(access, Optional.empty()),
                            surroundings.time())) {
                InetSocketAddress https =
                        Objects.requireNonNull(gateway.bound().get("https"), "https: not bound");
                for (int round = 0; round < ROUNDS; round++) {
                    folder.reissue("train", SNI);
                    api.change(folder.resources().resolve("train-tls.yaml"));
                    connect(trust, https.getPort());
                }
            } catch (StartFailed failed) {
                throw new Failed(
                        ExitCode.UNAVAILABLE, failed.getMessage() + "\n  " + failed.advice());
            }
        }
    }

    private static EffectiveConfig config(DemoFolder folder, FlagValue... more) throws Failed {
        return ConfigFlags.load(
                Optional.empty(),
                Map.of(),
                Stream.concat(flags(folder).stream(), Stream.of(more)).toList());
    }

    private static List<FlagValue> flags(DemoFolder folder) {
        return List.of(
                flag("listeners.http", ANY_PORT),
                flag("listeners.https", ANY_PORT),
                flag("listeners.admin", ANY_PORT),
                flag("tls.default-certificate", "default/local-tls"),
                flag("timeouts.drain", "1s"),
                flag("access-log.output", folder.root().resolve("access.log").toString()),
                flag("log.level", "error"));
    }

    private static FlagValue flag(String key, String value) {
        return new FlagValue(key, "train", List.of(value));
    }

    /** Requests over few connections, at once. */
    private static void ask(SSLContext trust, Version version, int port) {
        try (HttpClient client =
                HttpClient.newBuilder()
                        .sslContext(trust)
                        .version(version)
                        .connectTimeout(LIMIT)
                        .build()) {
            String uri = "https://" + HOST + ":" + port + "/";
            var _ = get(client, uri).join(); // the connection that the others share
            List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
            for (int i = 0; i < REQUESTS; i++) {
                answers.add(get(client, uri + i));
            }
            answers.forEach(CompletableFuture::join);
        }
    }

    private static CompletableFuture<HttpResponse<String>> get(HttpClient client, String uri) {
        return client.sendAsync(
                HttpRequest.newBuilder(URI.create(uri)).timeout(LIMIT).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** A connection with a server name, for one request. */
    private static void connect(SSLContext trust, int port) throws IOException {
        InetAddress address = InetAddress.ofLiteral("127.0.0.1");
        try (var socket = (SSLSocket) trust.getSocketFactory().createSocket(address, port)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(SNI)));
            socket.setSSLParameters(parameters);
            socket.setSoTimeout((int) LIMIT.toMillis());
            String request = "GET / HTTP/1.1\r\nHost: " + SNI + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            var _ = socket.getInputStream().readAllBytes();
        }
    }

    private static SSLContext trusting(Path authority)
            throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry(
                "authority",
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(
                                new ByteArrayInputStream(Files.readAllBytes(authority))));
        var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }
}

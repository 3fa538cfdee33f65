package dev.sallyport.control.cluster;

import static org.awaitility.Awaitility.await;

import dev.sallyport.faults.ApiProxy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * A real API server with its own etcd on loopback ports, with RBAC and throw-away certificates;
 * ready in some five seconds. Nothing else of a cluster: no controller fills EndpointSlices, no
 * garbage is collected. Not thread-safe.
 */
public final class ApiServer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Path PROGRAMS =
            Path.of(System.getProperty("sallyport.testbed", ""), "bin");

    private final Path folder;
    private final String adminToken = UUID.randomUUID().toString();
    private final int port = freePort();
    private final int etcdPort = freePort();
    private final int etcdPeerPort = freePort();
    private final X509Bundle authority;
    private final HttpClient http;
    private final Process etcd;
    private @Nullable Process server;
    private final ClusterClient admin;

    private ApiServer(Path folder) throws Exception {
        this.folder = Files.createDirectories(folder);
        this.authority =
                new CertificateBuilder()
                        .ecp256()
                        .subject("CN=test bed")
                        .setIsCertificateAuthority(true)
                        .buildSelfSigned();
        writeCredentials();
        this.http =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(Duration.ofSeconds(2))
                        .sslContext(TrustingTls.context(authority))
                        .build();
        this.etcd = startEtcd();
        start();
        this.admin = ClusterClient.open(admin());
    }

    /**
     * Starts both and waits until they answer.
     *
     * @param folder where everything is written; made where it is missing
     */
    public static ApiServer in(Path folder) {
        if (!Files.isExecutable(PROGRAMS.resolve("kube-apiserver"))) {
            throw new AssertionError(
                    PROGRAMS.resolve("kube-apiserver")
                            + " is missing: make the programs with conformance/cluster/build, or leave these"
                            + " tests out with ./verify --without-cluster");
        }
        try {
            return new ApiServer(folder);
        } catch (Exception failed) {
            throw new AssertionError("no API server: see the logs in " + folder, failed);
        }
    }

    /** For the tests' own reading and writing: allowed everything. */
    public KubernetesClient client() {
        return admin.client();
    }

    /** Access as somebody who is allowed everything. */
    public ClusterAccess admin() {
        return access("admin", adminToken, url());
    }

    /** Access as a service account, which is made, with the rights that Roles give it. */
    public ClusterAccess as(String namespace, String account) {
        return access(account, token(namespace, account), url());
    }

    /** Admin's access through a port of this machine that forwards every byte as it is. */
    public ClusterAccess adminBehind(int port) {
        return access("admin", adminToken, "https://127.0.0.1:" + port);
    }

    /** Admin's access through a port of this machine that takes plain HTTP. */
    public ClusterAccess adminThrough(int through) {
        return access("admin", adminToken, "http://127.0.0.1:" + through);
    }

    /** A service account's access through a port of this machine that takes plain HTTP. */
    public ClusterAccess asThrough(String namespace, String account, int through) {
        return access(account, token(namespace, account), "http://127.0.0.1:" + through);
    }

    /** A proxy in front of it, on a loopback port, that takes plain HTTP. */
    public ApiProxy proxy() {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        return ApiProxy.before(new InetSocketAddress(loopback, port), tls(), loopback);
    }

    private SSLContext tls() {
        try {
            return TrustingTls.context(authority);
        } catch (GeneralSecurityException failed) {
            throw new AssertionError(failed);
        }
    }

    /** A token of a service account, which is made. */
    public String token(String namespace, String account) {
        namespace(namespace);
        client().resource(
                        new ServiceAccountBuilder()
                                .withNewMetadata()
                                .withName(account)
                                .withNamespace(namespace)
                                .endMetadata()
                                .build())
                .serverSideApply();
        return client().serviceAccounts()
                .inNamespace(namespace)
                .withName(account)
                .tokenRequest(
                        new TokenRequestBuilder()
                                .withNewSpec()
                                .withExpirationSeconds(3600L)
                                .endSpec()
                                .build())
                .getStatus()
                .getToken();
    }

    /** Makes a namespace, unless it is there. */
    public void namespace(String name) {
        client().resource(
                        new NamespaceBuilder()
                                .withNewMetadata()
                                .withName(name)
                                .endMetadata()
                                .build())
                .serverSideApply();
    }

    /**
     * Gives the service account {@code gateway} of a namespace rights everywhere.
     *
     * @param role what the ClusterRole and its binding are called; a former one is replaced
     * @param rules a YAML list, each rule on a line
     */
    public void allow(String role, String accountNamespace, String rules) {
        bind("ClusterRole", role, "", accountNamespace, rules);
    }

    /**
     * Gives the service account {@code gateway} of a namespace rights in one namespace.
     *
     * @param role what the Role and its binding are called; a former one is replaced
     * @param rules a YAML list, each rule on a line
     */
    public void allowIn(String namespace, String role, String accountNamespace, String rules) {
        bind("Role", role, ", namespace: " + namespace, accountNamespace, rules);
    }

    private void bind(
            String kind, String role, String where, String accountNamespace, String rules) {
        apply(
                String.format(
                        Locale.ROOT,
                        """
                        apiVersion: rbac.authorization.k8s.io/v1
                        kind: %1$s
                        metadata: {name: %2$s%3$s}
                        rules:
                        %5$s
                        ---
                        apiVersion: rbac.authorization.k8s.io/v1
                        kind: %1$sBinding
                        metadata: {name: %2$s%3$s}
                        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %1$s, name: %2$s}
                        subjects: [{kind: ServiceAccount, name: gateway, namespace: %4$s}]
                        """,
                        kind,
                        role,
                        where,
                        accountNamespace,
                        rules));
    }

    /** Applies objects written as YAML. */
    public List<HasMetadata> apply(String yaml) {
        List<HasMetadata> applied = new ArrayList<>();
        for (HasMetadata object :
                client().load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                        .items()) {
            applied.add(client().resource(object).forceConflicts().serverSideApply());
        }
        return applied;
    }

    /** Where it listens. */
    public int port() {
        return port;
    }

    /** Whom its certificate is of, as PEM. */
    public String authority() {
        return authority.getCertificatePEM();
    }

    /** Ends the API server without notice; etcd lives on. */
    public void kill() {
        Process running = server;
        if (running != null) {
            running.destroyForcibly();
            join(running);
            server = null;
        }
    }

    /** Ends the API server in good order; etcd lives on. */
    public void stop() {
        Process running = server;
        if (running != null) {
            running.destroy();
            join(running);
            server = null;
        }
    }

    /** Starts the API server on the same port unless it runs, and waits until it answers. */
    public void startUnlessRunning() {
        if (server == null) {
            start();
        }
    }

    /** Starts the API server on the same port, and waits until it answers. */
    public void start() {
        try {
            server = startServer();
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
        await("the API server's /readyz")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> isReady(server));
    }

    /** Drops etcd's history: whoever asks for changes since a version of before is told 410. */
    public void compact() {
        String range = post("/v3/kv/range", "{\"key\":\"AA==\"}");
        Matcher revision = Pattern.compile("\"revision\":\"([0-9]+)\"").matcher(range);
        if (!revision.find()) {
            throw new AssertionError(range);
        }
        post("/v3/kv/compaction", "{\"revision\":\"" + revision.group(1) + "\",\"physical\":true}");
    }

    @Override
    public void close() {
        admin.close();
        kill();
        etcd.destroyForcibly();
        join(etcd);
        http.shutdownNow();
    }

    private String url() {
        return "https://127.0.0.1:" + port;
    }

    private ClusterAccess access(String user, String token, String url) {
        Path file = folder.resolve(user + "-" + UUID.randomUUID() + ".conf");
        write(
                file,
                String.format(
                        Locale.ROOT,
                        """
                        apiVersion: v1
                        kind: Config
                        clusters: [{name: c, cluster: {server: "%s", certificate-authority-data: %s}}]
                        users: [{name: u, user: {token: "%s"}}]
                        contexts: [{name: x, context: {cluster: c, user: u}}]
                        current-context: x
                        """,
                        url,
                        Base64.getEncoder()
                                .encodeToString(authority().getBytes(StandardCharsets.US_ASCII)),
                        token));
        return new ClusterAccess.Kubeconfig(file, Optional.empty());
    }

    private void writeCredentials() throws Exception {
        X509Bundle own =
                new CertificateBuilder()
                        .ecp256()
                        .subject("CN=kube-apiserver")
                        .addSanIpAddress("127.0.0.1")
                        .addSanDnsName("localhost")
                        .addExtendedKeyUsageServerAuth()
                        .buildIssuedBy(authority);
        X509Bundle accounts =
                new CertificateBuilder().ecp256().subject("CN=accounts").buildIssuedBy(authority);
        write(folder.resolve("ca.crt"), authority.getCertificatePEM());
        write(folder.resolve("api.crt"), own.getCertificatePathPEM());
        write(folder.resolve("api.key"), own.getPrivateKeyPEM());
        write(folder.resolve("accounts.key"), accounts.getPrivateKeyPEM());
        write(folder.resolve("accounts.crt"), accounts.getCertificatePEM());
        write(folder.resolve("tokens.csv"), adminToken + ",admin,admin,system:masters\n");
    }

    private Process startEtcd() throws IOException {
        String url = "http://127.0.0.1:" + etcdPort;
        return run(
                "etcd",
                "--data-dir",
                folder.resolve("etcd").toString(),
                "--unsafe-no-fsync",
                "--listen-client-urls",
                url,
                "--advertise-client-urls",
                url,
                "--listen-peer-urls",
                "http://127.0.0.1:" + etcdPeerPort,
                "--initial-advertise-peer-urls",
                "http://127.0.0.1:" + etcdPeerPort,
                "--initial-cluster",
                "default=http://127.0.0.1:" + etcdPeerPort);
    }

    private Process startServer() throws IOException {
        return run(
                "kube-apiserver",
                "--etcd-servers=http://127.0.0.1:" + etcdPort,
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--endpoint-reconciler-type=none",
                "--secure-port=" + port,
                "--cert-dir=" + folder,
                "--tls-cert-file=" + folder.resolve("api.crt"),
                "--tls-private-key-file=" + folder.resolve("api.key"),
                "--service-cluster-ip-range=10.96.0.0/16",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=" + folder.resolve("accounts.crt"),
                "--service-account-signing-key-file=" + folder.resolve("accounts.key"),
                "--token-auth-file=" + folder.resolve("tokens.csv"),
                "--authorization-mode=RBAC");
    }

    private Process run(String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(PROGRAMS.resolve(program).toString());
        command.addAll(List.of(arguments));
        Process started =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(
                                ProcessBuilder.Redirect.appendTo(
                                        folder.resolve(program + ".log").toFile()))
                        .start();
        // A test run that is cut off leaves nothing behind.
        Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
        return started;
    }

    private boolean isReady(@Nullable Process process) throws InterruptedException {
        if (process == null || !process.isAlive()) {
            throw new AssertionError("the API server ended: see the logs in " + folder);
        }
        try {
            HttpRequest readyz =
                    HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + port + "/readyz"))
                            .header("Authorization", "Bearer " + adminToken)
                            .timeout(Duration.ofSeconds(5))
                            .build();
            return http.send(readyz, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException notYet) {
            return false;
        }
    }

    private String post(String path, String json) {
        try {
            return http.send(
                            HttpRequest.newBuilder(
                                            URI.create("http://127.0.0.1:" + etcdPort + path))
                                    .POST(HttpRequest.BodyPublishers.ofString(json))
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

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    private static void join(Process process) {
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}

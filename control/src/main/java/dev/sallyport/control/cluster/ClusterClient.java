package dev.sallyport.control.cluster;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import javax.net.ssl.KeyManager;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * The Kubernetes client as this program uses it. The settings were measured: over HTTP/1.1, since a
 * dead HTTP/2 connection stays in the JDK's pool and takes every later request with it, and an API
 * server takes no more than a hundred watches on one; watches as WebSockets with a watchdog; a
 * watch that ends comes back after a tenth of a second.
 */
public final class ClusterClient implements AutoCloseable {
    /* Concurrency: immutable but for the list of clients; safe from any thread. */
    private static final int RECONNECT_MILLIS = 100;
    private static final int REQUEST_MILLIS = 5_000;
    private static final int CONNECT_MILLIS = 3_000;
    private static final int RETRIES = 3;
    private static final int SHORT_MILLIS = 3_000;

    /** Reads at once, and a second thereafter, of one client. */
    private static final int BURST = 100;

    private static final int READS_PER_SECOND = 100;

    private final Config config;
    private final Optional<AuthorityFile> authorities; // in place of those of the configuration
    private final String namespace;
    private final LongSupplier nanoTime = System::nanoTime;
    private final RandomGenerator random = new SplittableRandom();
    private final Contacts contacts = new Contacts(nanoTime);
    private final ExecutorService threads;
    private final ScheduledExecutorService timer;
    private final PongWatchdog.Limits limits;
    private final List<WatchedHttpClientFactory> factories = new CopyOnWriteArrayList<>();
    private final List<KubernetesClient> made = new CopyOnWriteArrayList<>();
    private final KubernetesClient client;

    private ClusterClient(
            Config config,
            Optional<AuthorityFile> authorities,
            String namespace,
            PongWatchdog.Limits limits) {
        this.config = config;
        this.authorities = authorities;
        this.namespace = namespace;
        this.limits = limits;
        this.threads =
                Executors.newThreadPerTaskExecutor(
                        Thread.ofVirtual().name("cluster-", 0).factory());
        var pings =
                new ScheduledThreadPoolExecutor(
                        1, Thread.ofPlatform().daemon().name("cluster-pings").factory());
        pings.setRemoveOnCancelPolicy(true);
        this.timer = pings;
        this.client = make(settings(REQUEST_MILLIS, CONNECT_MILLIS, RETRIES));
    }

    /**
     * A client; nothing is asked of the API server yet.
     *
     * @throws InvalidKubeconfig where no client can be made
     */
    public static ClusterClient open(ClusterAccess access) throws InvalidKubeconfig {
        return open(access, PongWatchdog.Limits.DEFAULT);
    }

    static ClusterClient open(ClusterAccess access, PongWatchdog.Limits limits)
            throws InvalidKubeconfig {
        Config config;
        Optional<AuthorityFile> authorities;
        switch (access) {
            case ClusterAccess.Kubeconfig(Path file, _) -> {
                config = kubeconfig(file);
                authorities = Optional.empty();
            }
            case ClusterAccess.ServiceAccount account -> {
                config = serviceAccount(account);
                authorities = Optional.of(authorities(account));
            }
        }
        String context = config.getNamespace();
        String namespace =
                access.podNamespace()
                        .orElse(context == null || context.isBlank() ? "default" : context);
        try {
            return new ClusterClient(config, authorities, namespace, limits);
        } catch (RuntimeException unusable) {
            // The message may hold what was in the file.
            throw new InvalidKubeconfig(
                    access + ": its certificates or keys cannot be read", unusable);
        }
    }

    /** For watching and for writing what is not urgent: five seconds a request, three retries. */
    public KubernetesClient client() {
        return client;
    }

    /**
     * Another client, with connections of its own, that fails early: three seconds a request, no
     * retry. For whoever has deadlines to keep, as the holder of a Lease. Closed with this.
     */
    public KubernetesClient hastyClient() {
        return make(settings(SHORT_MILLIS, SHORT_MILLIS, 0));
    }

    /**
     * The gateway's own namespace: what the environment says, else the kubeconfig's context or the
     * service account, else {@code default}.
     */
    public String namespace() {
        return namespace;
    }

    /** The API server's address. */
    public String url() {
        return config.getMasterUrl();
    }

    /** What was heard of the API server. */
    Contacts contacts() {
        return contacts;
    }

    /** Ends all connections at once. */
    @Override
    public void close() {
        made.forEach(KubernetesClient::close);
        factories.forEach(WatchedHttpClientFactory::close);
        timer.shutdownNow();
        threads.shutdownNow();
    }

    private Config settings(int requestMillis, int connectMillis, int retries) {
        return new ConfigBuilder(config)
                .withAutoConfigure(false)
                .withHttp2Disable(true)
                .withOnlyHttpWatches(false)
                .withWatchReconnectInterval(RECONNECT_MILLIS)
                .withWebsocketPingInterval(0L) // the watchdog's
                .withRequestTimeout(requestMillis)
                .withConnectionTimeout(connectMillis)
                .withRequestRetryBackoffLimit(retries)
                .build();
    }

    private KubernetesClient make(Config settings) {
        var rate = new RequestRate(BURST, READS_PER_SECOND);
        var factory =
                new WatchedHttpClientFactory(
                        threads,
                        plain ->
                                new WatchedHttpClient(
                                        plain, contacts, rate, timer, nanoTime, random, limits));
        var builder =
                new KubernetesClientBuilder()
                        .withConfig(settings)
                        .withHttpClientFactory(factory)
                        .withTaskExecutor(threads);
        authorities.ifPresent(trusted ->
                builder.withHttpClientBuilderConsumer(
                        http -> http.sslContext(new KeyManager[0], new TrustManager[] {trusted})));
        KubernetesClient made = builder.build();
        factories.add(factory);
        this.made.add(made);
        return made;
    }

    private static Config kubeconfig(Path file) throws InvalidKubeconfig {
        Config config;
        try {
            config = Config.fromKubeconfig(file.toFile());
        } catch (RuntimeException unreadable) {
            throw new InvalidKubeconfig(file + ": not a kubeconfig", unreadable);
        }
        if (config.getCurrentContext() == null) {
            throw new InvalidKubeconfig(
                    file + ": current-context: missing (expected: the name of a context)", null);
        }
        return config;
    }

    private static Config serviceAccount(ClusterAccess.ServiceAccount account) {
        Path folder = account.folder();
        return new ConfigBuilder(Config.empty())
                .withMasterUrl(account.url())
                .withOauthTokenProvider(new TokenFile(folder.resolve("token")))
                .withNamespace(read(folder.resolve("namespace")))
                .build();
    }

    private static AuthorityFile authorities(ClusterAccess.ServiceAccount account)
            throws InvalidKubeconfig {
        Path file = account.folder().resolve("ca.crt");
        try {
            return new AuthorityFile(file);
        } catch (IOException | GeneralSecurityException unusable) {
            throw new InvalidKubeconfig(file + ": no certificate can be read", unusable);
        }
    }

    private static @Nullable String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException missing) {
            return null; // then it is not known
        }
    }
}

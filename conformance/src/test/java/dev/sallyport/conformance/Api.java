package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The API server without kubectl, in one namespace: what takes kubectl a process takes milliseconds
 * here, and many requests go side by side. Safe for use by several threads.
 */
final class Api implements AutoCloseable {

    /** The kinds that tests write in numbers, by their paths. */
    enum Kind {
        SECRET("api/v1", "secrets"),
        INGRESS("apis/networking.k8s.io/v1", "ingresses"),
        SERVICE("api/v1", "services"),
        ENDPOINT_SLICE("apis/discovery.k8s.io/v1", "endpointslices"),
        ISSUER("apis/cert-manager.io/v1", "issuers"),
        CERTIFICATE("apis/cert-manager.io/v1", "certificates");

        private final String group;
        private final String plural;

        Kind(String group, String plural) {
            this.group = group;
            this.plural = plural;
        }
    }

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int AT_A_TIME = 32;

    private final HttpClient client;
    private final String server;
    private final String token;
    private final String namespace;
    private final Semaphore slots = new Semaphore(AT_A_TIME);

    private Api(HttpClient client, String server, String token, String namespace) {
        this.client = client;
        this.server = server;
        this.token = token;
        this.namespace = namespace;
    }

    /** By a kubeconfig that {@link Cluster#kubeconfigOf} wrote. */
    static Api of(Path kubeconfig, String namespace) {
        Kubeconfig config = Kubeconfig.read(kubeconfig);
        HttpClient client =
                HttpClient.newBuilder().sslContext(config.trust()).connectTimeout(LIMIT).build();
        return new Api(client, config.server(), config.token(), namespace);
    }

    /** An object, if it is there. */
    Optional<JsonNode> find(Kind kind, String name) {
        HttpResponse<String> response = send("GET", path(kind) + "/" + name, "", "");
        return response.statusCode() == 404
                ? Optional.empty()
                : Optional.of(JSON.readTree(ok(response)));
    }

    /** An object. */
    JsonNode get(Kind kind, String name) {
        return find(kind, name).orElseThrow(() -> new AssertionError("no " + kind + " " + name));
    }

    /** All of a kind. */
    Stream<JsonNode> list(Kind kind) {
        JsonNode list = JSON.readTree(ok(send("GET", path(kind), "", "")));
        return Json.items(list.path("items"));
    }

    /** All of a kind that have this label, {@code key=value}. */
    Stream<JsonNode> list(Kind kind, String label) {
        return Json.items(
                JSON.readTree(ok(send("GET", path(kind) + labelled(label), "", ""))).path("items"));
    }

    private static String labelled(String label) {
        return "?labelSelector=" + label.replace("=", "%3D").replace("/", "%2F");
    }

    /**
     * Makes an object what a document says, by a server-side apply, as cert-manager does with
     * Secrets. The document may have the namespace of {@link Manifests}.
     */
    JsonNode apply(Kind kind, String name, String document) {
        HttpResponse<String> response =
                send(
                        "PATCH",
                        path(kind) + "/" + name + "?fieldManager=conformance&force=true",
                        "application/apply-patch+yaml",
                        document.replace("\n  namespace: default\n", "\n"));
        return JSON.readTree(ok(response));
    }

    /** Makes a new object, by a POST as controllers do. */
    void create(Kind kind, String document) {
        ok(
                send(
                        "POST",
                        path(kind),
                        "application/yaml",
                        document.replace("\n  namespace: default\n", "\n")));
    }

    /** Changes an object by a JSON merge patch. */
    void patch(Kind kind, String name, String merge) {
        ok(send("PATCH", path(kind) + "/" + name, "application/merge-patch+json", merge));
    }

    /** Changes an object's status by a JSON merge patch. */
    void patchStatus(Kind kind, String name, String merge) {
        ok(
                send(
                        "PATCH",
                        path(kind) + "/" + name + "/status",
                        "application/merge-patch+json",
                        merge));
    }

    /** Deletes an object. */
    void delete(Kind kind, String name) {
        ok(send("DELETE", path(kind) + "/" + name, "", ""));
    }

    /** Deletes all of a kind that have this label, {@code key=value}, by one request. */
    void deleteAll(Kind kind, String label) {
        ok(send("DELETE", path(kind) + labelled(label), "", ""));
    }

    /**
     * Does something for each of many, {@value #AT_A_TIME} side by side; the first failure is
     * thrown.
     */
    <T> void each(Collection<T> all, Consumer<T> action) {
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (T each : all) {
                threads.execute(() -> {
                    slots.acquireUninterruptibly();
                    try {
                        if (failures.isEmpty()) {
                            action.accept(each);
                        }
                    } catch (RuntimeException | Error e) {
                        failures.add(e);
                    } finally {
                        slots.release();
                    }
                });
            }
        }
        if (!failures.isEmpty()) {
            throw new AssertionError("one of " + all.size() + " failed", failures.peek());
        }
    }

    private String path(Kind kind) {
        return "/" + kind.group + "/namespaces/" + namespace + "/" + kind.plural;
    }

    private HttpResponse<String> send(String method, String path, String type, String body) {
        BodyPublisher publisher =
                body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body, UTF_8);
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(server + path))
                        .timeout(LIMIT)
                        .header("Authorization", "Bearer " + token)
                        .header("Accept", "application/json")
                        .method(method, publisher);
        if (!type.isEmpty()) {
            request.header("Content-Type", type);
        }
        try {
            return client.send(request.build(), BodyHandlers.ofString(UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private static String ok(HttpResponse<String> response) {
        if (response.statusCode() / 100 != 2) {
            throw new AssertionError(
                    response.request().method()
                            + " "
                            + response.request().uri().getPath()
                            + ": "
                            + response.statusCode()
                            + " "
                            + response.body());
        }
        return response.body();
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}

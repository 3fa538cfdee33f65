package dev.sallyport.bench.load;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/** A Kubernetes API server as its administrator sees it: objects made and patched. */
final class ApiServer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** So many requests at once while objects are made. */
    private static final int AT_ONCE = 32;

    private final HttpClient client;
    private final URI base;
    private final String token;
    private final Semaphore free = new Semaphore(AT_ONCE);

    /** Whoever has the bearer token; the server is our own and is believed. */
    ApiServer(URI base, String token) throws GeneralSecurityException {
        this.base = base;
        this.token = token;
        var tls = SSLContext.getInstance("TLS");
        tls.init(null, new TrustManager[] {new TrustAnybody()}, null);
        client = HttpClient.newBuilder().sslContext(tls).connectTimeout(PATIENCE).build();
    }

    /** Makes an object as soon as fewer than {@link #AT_ONCE} are under way. */
    CompletableFuture<Void> createWhenFree(String path, String json) throws InterruptedException {
        free.acquire();
        return send("POST", path, "application/json", json).whenComplete((_, _) -> free.release());
    }

    CompletableFuture<Void> create(String path, String json) {
        return send("POST", path, "application/json", json);
    }

    CompletableFuture<Void> patch(String path, String json) {
        return send("PATCH", path, "application/merge-patch+json", json);
    }

    /** The object, as JSON text. */
    String get(String path) throws IOException, InterruptedException {
        HttpResponse<String> answer = client.send(request(path).build(), BodyHandlers.ofString());
        return require("GET", path, answer).body();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(base.resolve(path))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + token);
    }

    private CompletableFuture<Void> send(String method, String path, String type, String json) {
        return client.sendAsync(
                        request(path)
                                .header("Content-Type", type)
                                .method(method, BodyPublishers.ofString(json))
                                .build(),
                        BodyHandlers.ofString())
                .thenAccept(answer -> require(method, path, answer));
    }

    private static HttpResponse<String> require(
            String method, String path, HttpResponse<String> answer) {
        if (answer.statusCode() / 100 != 2) {
            String body = answer.body();
            throw new IllegalStateException(
                    method
                            + " "
                            + path
                            + ": "
                            + answer.statusCode()
                            + " "
                            + body.substring(0, Math.min(500, body.length())));
        }
        return answer;
    }

    @Override
    public void close() {
        client.close();
    }
}

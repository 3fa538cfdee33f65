package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.control.cluster.Contacts.Trouble;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WatchedHttpClientTest {
    private static final WatchedPath PATH = new WatchedPath("/api/v1/services", "");

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final Contacts contacts = new Contacts(System::nanoTime);
    private final AtomicInteger asked = new AtomicInteger();
    private final HttpClient plain = HttpClient.newHttpClient();
    private ServerSocket server;
    private WatchedHttpClient client;

    @BeforeEach
    void start() throws Exception {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        contacts.expect(PATH);
        client = client(new RequestRate(100, 100));
    }

    private WatchedHttpClient client(RequestRate rate) {
        return new WatchedHttpClient(
                plain,
                contacts,
                rate,
                timer,
                System::nanoTime,
                new SplittableRandom(1),
                new PongWatchdog.Limits(Duration.ofMillis(50), Duration.ofMillis(300)));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        timer.shutdownNow();
        client.shutdownNow();
    }

    private void answer(int status, String fields, int length, String body) {
        String answer =
                "HTTP/1.1 "
                        + status
                        + " Said\r\n"
                        + fields
                        + "Content-Length: "
                        + length
                        + "\r\n\r\n"
                        + body;
        Thread.ofVirtual().start(() -> accept(answer.getBytes(StandardCharsets.US_ASCII)));
    }

    private void accept(byte[] answer) {
        while (true) {
            try {
                Socket socket = server.accept();
                Thread.ofVirtual().start(() -> serve(socket, answer));
            } catch (IOException _) {
                return;
            }
        }
    }

    /** Whatever a body lacks never comes. */
    private void serve(Socket socket, byte[] answer) {
        try (socket) {
            var lines =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.US_ASCII));
            String line = lines.readLine();
            while (line != null) {
                if (line.isEmpty()) {
                    asked.incrementAndGet();
                    socket.getOutputStream().write(answer);
                }
                line = lines.readLine();
            }
        } catch (IOException _) {
            // the client is gone
        }
    }

    private CompletableFuture<HttpResponse<String>> get() {
        return client.sendAsync(
                HttpRequest.newBuilder(uri("http")).build(), HttpResponse.BodyHandlers.ofString());
    }

    private URI uri(String scheme) {
        return URI.create(scheme + "://127.0.0.1:" + server.getLocalPort() + PATH.path());
    }

    @Test
    void whatCameOfARequestIsNoted() {
        answer(403, "", 2, "{}");
        assertThat(get().join().statusCode()).isEqualTo(403);
        assertThat(contacts.of(PATH).trouble()).contains(new Trouble(403, ""));
    }

    @Test
    void anApiServerThatIsNotThereIsNotedToo() throws IOException {
        server.close();
        assertThatThrownBy(() -> get().join()).isInstanceOf(CompletionException.class);
        assertThat(contacts.of(PATH).trouble())
                .get()
                .satisfies(trouble -> {
                    assertThat(trouble.status()).isZero();
                    assertThat(trouble.text()).startsWith("ConnectException");
                });
    }

    @Test
    void aWatchThatIsRefusedIsNoted() {
        answer(403, "", 2, "{}");
        assertThatThrownBy(() ->
                        client.newWebSocketBuilder()
                                .connectTimeout(Duration.ofSeconds(5))
                                .buildAsync(uri("ws"), new WebSocket.Listener() {})
                                .join())
                .isInstanceOf(CompletionException.class);
        assertThat(contacts.of(PATH).trouble()).contains(new Trouble(403, ""));
    }

    @Test
    void aBodyThatStopsComingIsGivenUp() {
        answer(200, "", 100, "{\"items\":");
        long began = System.nanoTime();
        assertThatThrownBy(() -> get().get(10, TimeUnit.SECONDS))
                .hasStackTraceContaining("no byte within 300 ms");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
    }

    @Test
    void aBodyThatComesIsRead() {
        answer(200, "", 2, "{}");
        assertThat(get().join().body()).isEqualTo("{}");
    }

    @Test
    void retryAfterHoldsEverythingThatFollows() {
        answer(429, "Retry-After: 1\r\n", 2, "{}");
        get().join();
        long began = System.nanoTime();
        get().join();
        assertThat(Duration.ofNanos(System.nanoTime() - began))
                .isGreaterThan(Duration.ofMillis(900));
    }

    @Test
    void requestsBeyondTheBurstWaitForTheirTurn() {
        client = client(new RequestRate(2, 5));
        answer(200, "", 2, "{}");
        long began = System.nanoTime();
        Stream.generate(this::get).limit(4).toList().forEach(CompletableFuture::join);
        assertThat(asked.get()).isEqualTo(4);
        assertThat(Duration.ofNanos(System.nanoTime() - began))
                .isGreaterThan(Duration.ofMillis(390));
    }

    @Test
    void writesDoNotWait() {
        client = client(new RequestRate(1, 1));
        answer(200, "", 2, "{}");
        get().join();
        var inTurn = Stream.generate(this::get).limit(5).toList(); // one a second
        client.sendAsync(
                        HttpRequest.newBuilder(uri("http"))
                                .method("PATCH", HttpRequest.BodyPublishers.noBody())
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .join();
        assertThat(inTurn.getLast()).isNotDone();
    }
}

package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tests' own servers and clients, against each other. */
final class BackendTest {

    @Test
    void theEchoTellsOfTheRequest() throws IOException {
        try (Backend backend = Backend.echo("me");
                var connection = RawClient.plain(backend.port()).open()) {
            connection.send(
                    RawClient.head("PUT /x?y HTTP/1.1", "Host: h", "Transfer-Encoding: chunked")
                            + "3\r\nabc\r\n"
                            + "2\r\nde\r\n0\r\nSum: 5\r\n\r\n");
            Echo echo = Echo.parse(connection.response().body());

            assertThat(echo.backend()).isEqualTo("me");
            assertThat(echo.method()).isEqualTo("PUT");
            assertThat(echo.target()).isEqualTo("/x?y");
            assertThat(echo.body()).isEqualTo("abcde");
            assertThat(echo.all("sum")).containsExactly("5");
            connection.send(RawClient.head("GET /next HTTP/1.1", "Host: h"));
            assertThat(Echo.parse(connection.response().body()).connection())
                    .isEqualTo(echo.connection());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\nHost: h\n\n",
                "GET / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
                "GET / HTTP/1.0\r\nHost: h\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n z\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
            })
    void whatTheGatewayMustNeverSendIsAViolation(String bytes) throws IOException {
        try (Backend backend = Backend.echo("strict");
                var connection = RawClient.plain(backend.port()).open()) {
            connection.send(bytes);

            await().atMost(Duration.ofSeconds(10)).until(() -> !backend.violations().isEmpty());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 125, 126, 65_536})
    void webSocketMessagesComeBack(int size) throws Exception {
        var heard = new LinkedBlockingQueue<String>();
        try (Backend backend = Backend.start(new WebSocketEcho());
                HttpClient client = HttpClient.newHttpClient()) {
            WebSocket socket =
                    client.newWebSocketBuilder()
                            .buildAsync(
                                    URI.create("ws://localhost:" + backend.port()),
                                    new Hearing(heard, new StringBuilder()))
                            .get(10, TimeUnit.SECONDS);

            socket.sendText("m".repeat(size), true).get(10, TimeUnit.SECONDS);

            assertThat(heard.poll(10, TimeUnit.SECONDS)).hasSize(size);
            socket.abort();
        }
    }

    private record Hearing(BlockingQueue<String> heard, StringBuilder parts)
            implements WebSocket.Listener {
        @Override
        public @Nullable CompletionStage<?> onText(
                WebSocket socket, CharSequence text, boolean last) {
            parts.append(text);
            if (last) {
                heard.add(parts.toString());
            }
            socket.request(1);
            return null;
        }
    }
}

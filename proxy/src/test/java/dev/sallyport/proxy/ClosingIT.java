package dev.sallyport.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** The last bytes of a connection: all of them arrive, and nothing else looks like the end. */
class ClosingIT {

    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void slowClientGetsAllOfAnEarlyAnswer() throws Exception {
        String body = "x".repeat(60_000) + "end";
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend refusing =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(
                                    "HTTP/1.1 413 Content Too Large\r\ncontent-length: "
                                            + body.length()
                                            + "\r\n\r\n"
                                            + body);
                        });
                var socket = new Socket()) {
            gateway.host("shop.test", refusing).apply();
            socket.setReceiveBufferSize(2048);
            socket.setSoTimeout(10_000);
            socket.connect(
                    new InetSocketAddress(
                            InetAddress.getLoopbackAddress(), gateway.port(TestGateway.HTTP)));
            send(socket, "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1000000\r\n\r\nhe");
            pass(Duration.ofSeconds(4)); // longer than a client is waited for that has everything
            assertThat(TestGateway.answer(socket, "end")).endsWith(body);
        }
    }

    @Test
    void answerThatIsCutOffDoesNotLookWhole() throws Exception {
        var received = new CountDownLatch(1);
        try (var gateway = new TestGateway(TestGateway.settings());
                RawBackend broken =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(
                                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
                            pass(received);
                        })) {
            gateway.certificate("shop.test");
            gateway.host("shop.test", broken).apply();
            try (SSLSocket socket = gateway.secure("shop.test")) {
                // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
                send(socket, "GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n");
                assertThat(TestGateway.answer(socket, "hello")).endsWith("hello");
                received.countDown();
                assertThatThrownBy(() -> socket.getInputStream().readAllBytes())
                        .isInstanceOf(IOException.class);
            }
        }
    }

    private static void pass(Duration time) {
        await().pollDelay(time).atMost(time.plusSeconds(5)).until(() -> true);
    }

    private static void pass(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
    }
}

package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.DrainSignal;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PlainProtocolSnifferTest {

    @AfterAll
    static void noBufferIsLost() {
        LeakPresenceDetector.check();
    }

    @Test
    void thePrefaceBeginsHttp2() throws IOException {
        RecordedExchanges exchanges = new RecordedExchanges();
        try (TestServer server = TestServer.sniffing(exchanges, ProxySettings.DEFAULT);
                RawClient client = RawClient.connect(server)) {
            client.get(1).flush();
            exchanges.take().answer("two");

            assertThat(client.body(1)).isEqualTo("two");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\n\r\n",
                "PRI * HTTP/1.1\r\n\r\n",
                "PRI * HTTP/2.0\r\n\r\nXX",
                "x"
            })
    void anythingElseIsHttp1ToTheLastByte(String bytes) throws IOException {
        try (TestServer server =
                        TestServer.sniffing(new RecordedExchanges(), ProxySettings.DEFAULT);
                Socket socket = connect(server)) {
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.US_ASCII));

            assertThat(socket.getInputStream().readNBytes(bytes.length()))
                    .asString(StandardCharsets.US_ASCII)
                    .isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "PRI * HT"})
    void whoDoesNotSayIsClosed(String bytes) throws IOException {
        ProxySettings settings = TestSettings.defaults().header(Duration.ofMillis(200)).settings();
        try (TestServer server = TestServer.sniffing(new RecordedExchanges(), settings);
                Socket socket = connect(server)) {
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.US_ASCII));

            assertThat(socket.getInputStream().read()).isNegative();
        }
    }

    @Test
    void whoSaysNothingIsClosedSoonWhenTheProcessGoesDown() throws IOException {
        ProxySettings settings = TestSettings.defaults().header(Duration.ZERO).settings();
        try (TestServer server = TestServer.sniffing(new RecordedExchanges(), settings);
                Socket socket = connect(server)) {
            drain(server);

            assertThat(socket.getInputStream().read()).isNegative();
        }
    }

    @Test
    void whatIsUnderWayWhenTheProcessGoesDownIsServed() throws IOException {
        RecordedExchanges exchanges = new RecordedExchanges();
        try (TestServer server = TestServer.sniffing(exchanges, ProxySettings.DEFAULT);
                RawClient client = RawClient.silent(server)) {
            drain(server);
            client.greet().get(1).flush();
            exchanges.take().answer("two");

            assertThat(client.body(1)).isEqualTo("two");
        }
    }

    private static void drain(TestServer server) {
        await().until(() -> !server.connections().isEmpty());
        server.connections()
                .forEach(channel -> channel.pipeline().fireUserEventTriggered(DrainSignal.BEGIN));
    }

    private static Socket connect(TestServer server) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setSoTimeout(10_000);
        return socket;
    }
}

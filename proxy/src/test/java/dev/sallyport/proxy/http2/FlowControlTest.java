package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.proxy.ProxySettings;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Windows in both directions, and many streams at once. */
final class FlowControlTest {
    private static final ProxySettings.Limits LIMITS = ProxySettings.Limits.DEFAULT;
    private static final int FRAME = 16 * 1024;

    @AfterAll
    static void noBufferIsLost() {
        LeakPresenceDetector.check();
    }

    @Test
    void theConnectionsWindowIsRaisedAtOnce() throws IOException {
        try (TestServer server = TestServer.plain(new RecordedExchanges());
                RawClient client = RawClient.connect(server)) {
            assertThat(client.await(RawClient.WINDOW_UPDATE, 0).number(0))
                    .isEqualTo(LIMITS.connectionWindow() - 65_535);
        }
    }

    @Test
    void requestDataIsPaidForOnlyWhenItIsConsumed() throws IOException {
        RecordedExchanges exchanges = new RecordedExchanges(false);
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.connect(server)) {
            client.post(1);
            client.await(RawClient.WINDOW_UPDATE, 0);
            for (int i = 0; i < LIMITS.streamWindow() / FRAME; i++) {
                client.data(1, false, new byte[FRAME]);
            }
            client.frame(RawClient.PING, 0, 0, new byte[8]).flush();
            RecordedExchange exchange = exchanges.take();
            RawClient.Frame frame = client.next();
            while (frame != null && frame.type() != RawClient.PING) {
                assertThat(frame.type()).isNotEqualTo(RawClient.WINDOW_UPDATE);
                frame = client.next();
            }
            exchange.on(stream -> stream.consumed(LIMITS.streamWindow()));

            assertThat(client.await(RawClient.WINDOW_UPDATE, 1).number(0))
                    .isEqualTo(LIMITS.streamWindow());
        }
    }

    @Test
    void aClientThatOverrunsItsWindowLosesTheStream() throws IOException {
        RecordedExchanges exchanges = new RecordedExchanges(false);
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.connect(server)) {
            client.post(1);
            for (int i = 0; i <= LIMITS.streamWindow() / FRAME; i++) {
                client.data(1, false, new byte[FRAME]);
            }
            client.flush();

            assertThat(client.await(RawClient.RST_STREAM, 1).number(0))
                    .isEqualTo((int) Http2Error.FLOW_CONTROL_ERROR.code());
        }
    }

    @Test
    void anExchangeIsToldToGoOn() throws IOException {
        RecordedExchanges exchanges = new RecordedExchanges();
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.withWindow(server, 0)) {
            client.get(1).flush();
            RecordedExchange exchange = exchanges.take();
            exchange.on(stream -> {
                stream.sendHead(200, new DefaultHttpHeaders(), -1, false);
                while (stream.isWritable()) {
                    stream.sendData(Unpooled.wrappedBuffer(new byte[FRAME]), false);
                }
            });
            client.windowUpdate(1, RequestStream.QUEUE_BOUND).flush();

            exchange.awaitWritable();
        }
    }

    @Test
    void aShortAnswerDoesNotWaitForALongOne() throws IOException {
        RecordedExchanges exchanges = new RecordedExchanges();
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.withWindow(server, 8 * 1024 * 1024)) {
            client.get(1).get(3).flush();
            RecordedExchange large = exchanges.take();
            RecordedExchange small = exchanges.take();
            large.on(stream -> {
                stream.sendHead(200, new DefaultHttpHeaders(), -1, false);
                stream.sendData(Unpooled.wrappedBuffer(new byte[4 * 1024 * 1024]), true);
            });
            small.answer("small");
            client.await(RawClient.DATA, 1);
            client.windowUpdate(0, 128 * 1024).flush();

            assertThat(client.body(3)).isEqualTo("small");
        }
    }

    @Test
    void streamsBeyondTheBoundAreRefused() throws IOException {
        RecordedExchanges exchanges = new RecordedExchanges();
        ProxySettings settings = TestSettings.defaults().concurrentStreams(2).settings();
        try (TestServer server = TestServer.plain(exchanges, settings, Http2Events.NONE);
                RawClient client = RawClient.connect(server)) {
            client.await(RawClient.SETTINGS);
            client.frame(RawClient.SETTINGS, RawClient.ACK, 0);
            client.get(1).get(3).post(5).data(5, true, (byte) 'x').flush();

            assertThat(client.await(RawClient.RST_STREAM, 5).number(0))
                    .isEqualTo((int) Http2Error.REFUSED_STREAM.code());
            exchanges.take().answer("first");
            assertThat(client.body(1)).isEqualTo("first");
            assertThat(exchanges.count()).isEqualTo(2);
        }
    }

    @Test
    void aThousandStreamsAreKeptApart() throws IOException {
        Map<Integer, StringBuilder> answers = new HashMap<>();
        try (TestServer server = TestServer.plain(new EchoExchanges());
                RawClient client = RawClient.connect(server)) {
            client.windowUpdate(0, 64 * 1024 * 1024);
            for (int first = 1; first < 2000; first += 200) {
                for (int id = first; id < first + 200; id += 2) {
                    client.post(id);
                }
                for (int round = 0; round < 3; round++) {
                    for (int id = first; id < first + 200; id += 2) {
                        byte[] piece = (id + "." + round + ";").getBytes(StandardCharsets.US_ASCII);
                        client.data(id, round == 2, piece);
                    }
                }
                client.flush();
                int ended = 0;
                while (ended < 100) {
                    RawClient.Frame data = client.await(RawClient.DATA);
                    answers.computeIfAbsent(data.streamId(), _ -> new StringBuilder())
                            .append(data.text());
                    ended += data.endsStream() ? 1 : 0;
                }
            }
        }
        assertThat(answers).hasSize(1000);
        assertThat(answers)
                .allSatisfy((id, text) ->
                        assertThat(text).hasToString(id + ".0;" + id + ".1;" + id + ".2;"));
    }
}

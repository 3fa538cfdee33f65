package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.ClientStream;
import dev.sallyport.proxy.http.DrainSignal;
import dev.sallyport.proxy.http.ExchangeInput;
import dev.sallyport.proxy.http.Exchanges;
import dev.sallyport.proxy.http.Refusal;
import dev.sallyport.proxy.http.RequestHead;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How connections end when nobody did anything wrong, or nothing at all. */
@Tag("slow")
final class ConnectionEndTest {
    private final RecordedExchanges exchanges = new RecordedExchanges();
    private final RecordedEvents events = new RecordedEvents();

    @AfterAll
    static void noBufferIsLost() {
        LeakPresenceDetector.check();
    }

    @Test
    void theNoticeEndsAConnectionThatHadARequest() throws IOException {
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.connect(server)) {
            client.get(1).flush();
            exchanges.take().answer("first");
            assertThat(client.body(1)).isEqualTo("first");
            signal(server, DrainSignal.NOTICE);

            assertThat(client.await(RawClient.GOAWAY).number(0)).isEqualTo(Integer.MAX_VALUE);
            acknowledge(client);
            assertThat(client.await(RawClient.GOAWAY).number(0)).isEqualTo(1);
            assertThat(client.next()).isNull();
        }
    }

    @Test
    void theNoticeLetsANewConnectionHaveItsFirstRequest() throws IOException {
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.connect(server)) {
            client.frame(RawClient.PING, 0, 0, new byte[8]).flush();
            client.await(RawClient.PING);
            signal(server, DrainSignal.NOTICE);
            client.frame(RawClient.PING, 0, 0, new byte[8]).flush();
            assertThat(client.next()).extracting(RawClient.Frame::type).isEqualTo(RawClient.PING);
            client.get(1).flush();
            exchanges.take().answer("first");

            assertThat(client.await(RawClient.GOAWAY).number(0)).isEqualTo(Integer.MAX_VALUE);
            assertThat(client.body(1)).isEqualTo("first");
            assertThat(client.await(RawClient.GOAWAY).number(0)).isEqualTo(1);
        }
    }

    @Test
    void drainingLetsStreamsEnd() throws IOException {
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.connect(server)) {
            client.get(1).flush();
            RecordedExchange exchange = exchanges.take();
            drain(server);

            assertThat(client.await(RawClient.GOAWAY).number(0)).isEqualTo(Integer.MAX_VALUE);
            acknowledge(client);
            assertThat(client.await(RawClient.GOAWAY).number(0)).isEqualTo(1);
            exchange.answer("last words");
            assertThat(client.body(1)).isEqualTo("last words");
            assertThat(client.next()).isNull();
        }
    }

    @Test
    void aRequestThatCrossesTheNoticeIsServed() throws IOException {
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.connect(server)) {
            client.get(1).flush();
            exchanges.take().answer("first");
            drain(server);
            client.await(RawClient.GOAWAY);
            client.get(3).flush();
            exchanges.take().answer("second");

            assertThat(client.body(3)).isEqualTo("second");
            // No acknowledgement of the PING: a second later it is over all the same.
            assertThat(client.await(RawClient.GOAWAY).number(0)).isEqualTo(3);
        }
    }

    @Test
    void aRequestAfterTheLastStreamIsIgnored() throws IOException {
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.connect(server)) {
            client.get(1).flush();
            RecordedExchange exchange = exchanges.take();
            drain(server);
            client.await(RawClient.GOAWAY);
            acknowledge(client);
            client.await(RawClient.GOAWAY);
            client.post(3).data(3, true, (byte) 'x').frame(RawClient.PING, 0, 0, new byte[8]);
            client.flush();
            client.await(RawClient.PING);
            exchange.answer("last words");

            assertThat(client.body(1)).isEqualTo("last words");
            assertThat(exchanges.count()).isEqualTo(1);
        }
    }

    @Test
    void allFramesOfAStreamAfterTheLastOneAreIgnored() throws IOException {
        try (TestServer server =
                        TestServer.plain(exchanges, TestSettings.defaults().settings(), events);
                RawClient client = RawClient.connect(server)) {
            RecordedExchange exchange = lastStream(server, client);
            client.post(3).windowUpdate(3, 1000).data(3, true, (byte) 'x').reset(3);
            client.windowUpdate(5, 1000).reset(7);
            client.frame(RawClient.PRIORITY, 0, 9, new byte[5]);
            client.frame(RawClient.PING, 0, 0, new byte[8]).flush();
            client.await(RawClient.PING);
            exchange.answer("last words");

            assertThat(client.body(1)).isEqualTo("last words");
            assertThat(exchanges.count()).isEqualTo(1);
            assertThat(events.connectionErrors()).isEmpty();
        }
    }

    @Test
    void ignoredFramesCostTheirBudget() throws IOException {
        ProxySettings settings = TestSettings.defaults().controlFrames(100).settings();
        try (TestServer server = TestServer.plain(exchanges, settings, events);
                RawClient client = RawClient.connect(server)) {
            lastStream(server, client);
            for (int i = 0; i < 200; i++) {
                client.windowUpdate(3, 1).reset(3);
            }
            client.flush();

            assertThat(client.goAwayError()).isEqualTo(Http2Error.ENHANCE_YOUR_CALM.code());
            assertThat(events.floods()).containsExactly(Flood.CONTROL_FRAMES);
        }
    }

    /** Stream 1 is in progress, and the last. */
    private RecordedExchange lastStream(TestServer server, RawClient client) {
        client.get(1).flush();
        RecordedExchange exchange = exchanges.take();
        drain(server);
        client.await(RawClient.GOAWAY);
        acknowledge(client);
        client.await(RawClient.GOAWAY);
        return exchange;
    }

    @Test
    void anOldConnectionIsReplaced() throws IOException {
        ProxySettings settings = TestSettings.defaults().requestsPerConnection(2).settings();
        try (TestServer server = TestServer.plain(exchanges, settings, events);
                RawClient client = RawClient.connect(server)) {
            client.get(1).get(3).flush();
            exchanges.take().answer("first");
            exchanges.take().answer("second");

            assertThat(client.await(RawClient.GOAWAY).number(4)).isZero();
            assertThat(client.body(3)).isEqualTo("second");
        }
    }

    @Test
    void aSlowClientOfAnOldConnectionGetsAllOfItsResponse() throws IOException {
        ProxySettings settings =
                TestSettings.defaults().requestsPerConnection(1).writeBuffer(1 << 25).settings();
        String body = "x".repeat(1 << 24);
        try (TestServer server = TestServer.plain(exchanges, settings, events);
                RawClient client = RawClient.withWindow(server, 1 << 25)) {
            client.windowUpdate(0, 1 << 25).get(1).flush();
            exchanges.take().answer(body);
            client.await(RawClient.GOAWAY); // and then it reads no further for a while
            acknowledge(client);
            await().pollDelay(Duration.ofSeconds(3)).until(() -> true);

            assertThat(client.body(1)).hasSameSizeAs(body);
        }
    }

    @Test
    void aFaultOfOursIsTold() throws IOException {
        Exchanges broken =
                new Exchanges() {
                    @Override
                    public ExchangeInput open(ClientStream stream, RequestHead head) {
                        throw new IllegalStateException("test");
                    }

                    @Override
                    public void refuse(ClientStream stream, Refusal refusal) {}
                };
        try (TestServer server =
                        TestServer.plain(broken, TestSettings.defaults().settings(), events);
                RawClient client = RawClient.connect(server)) {
            client.get(1).flush();

            assertThat(client.goAwayError()).isEqualTo(Http2Error.INTERNAL_ERROR.code());
            assertThat(events.bugs()).hasSize(1);
        }
    }

    @Test
    void anIdleConnectionIsClosed() throws IOException {
        ProxySettings settings =
                TestSettings.defaults().keepAlive(Duration.ofMillis(200)).settings();
        try (TestServer server = TestServer.plain(exchanges, settings, events);
                RawClient client = RawClient.connect(server)) {
            client.get(1).flush();
            exchanges.take().answer("done");

            assertThat(client.goAwayError()).isZero();
        }
    }

    @Test
    void aConnectionWithAStreamIsNotIdle() throws IOException {
        ProxySettings settings =
                TestSettings.defaults().keepAlive(Duration.ofSeconds(1)).settings();
        try (TestServer server = TestServer.plain(exchanges, settings, events);
                RawClient client = RawClient.connect(server)) {
            client.get(1).flush();
            exchanges.take().answer("done");
            client.get(3).flush();
            RecordedExchange slow = exchanges.take();
            // Whatever else this loop has to do in one and a half seconds comes first.
            server.connections()
                    .iterator()
                    .next()
                    .eventLoop()
                    .schedule(() -> {}, 1_500, java.util.concurrent.TimeUnit.MILLISECONDS)
                    .syncUninterruptibly();
            slow.answer("slow");

            assertThat(client.body(3)).isEqualTo("slow");
        }
    }

    @Test
    void aConnectionWithoutPrefaceIsClosed() throws IOException {
        ProxySettings settings = TestSettings.defaults().header(Duration.ofMillis(200)).settings();
        try (TestServer server = TestServer.plain(exchanges, settings, events);
                RawClient client = RawClient.silent(server)) {
            List<Integer> types = new ArrayList<>();
            for (RawClient.Frame frame = client.next(); frame != null; frame = client.next()) {
                types.add(frame.type());
            }
            assertThat(types).endsWith(RawClient.GOAWAY);
        }
    }

    @Test
    void aConnectionWithoutRequestIsClosed() throws IOException {
        ProxySettings settings = TestSettings.defaults().header(Duration.ofMillis(200)).settings();
        try (TestServer server = TestServer.plain(exchanges, settings, events);
                RawClient client = RawClient.connect(server)) {
            assertThat(client.goAwayError()).isZero();
        }
    }

    @Test
    void aHeaderBlockThatDoesNotEndIsNotWaitedFor() throws IOException {
        ProxySettings settings = TestSettings.defaults().header(Duration.ofSeconds(1)).settings();
        try (TestServer server = TestServer.plain(exchanges, settings, events);
                RawClient client = RawClient.connect(server)) {
            client.get(1).flush();
            RecordedExchange other = exchanges.take();
            client.frame(RawClient.HEADERS, 0, 3, client.block(RawClient.request("GET"))).flush();

            assertThat(client.goAwayError()).isEqualTo(Http2Error.PROTOCOL_ERROR.code());
            assertThat(other.isAborted()).isTrue();
        }
    }

    @Test
    void aFaultOfTheClientIsNamed() throws IOException {
        try (TestServer server =
                        TestServer.plain(exchanges, TestSettings.defaults().settings(), events);
                RawClient client = RawClient.connect(server)) {
            client.data(1, true, (byte) 'x').flush();

            assertThat(client.goAwayError()).isEqualTo(Http2Error.PROTOCOL_ERROR.code());
            assertThat(events.connectionErrors()).containsExactly(Http2Error.PROTOCOL_ERROR);
        }
    }

    private static void drain(TestServer server) {
        signal(server, DrainSignal.BEGIN);
    }

    private static void signal(TestServer server, DrainSignal signal) {
        server.connections().forEach(channel -> channel.pipeline().fireUserEventTriggered(signal));
    }

    private static void acknowledge(RawClient client) {
        byte[] ping = new byte[8];
        client.await(RawClient.PING).payload().get(ping);
        client.frame(RawClient.PING, RawClient.ACK, 0, ping).flush();
    }
}

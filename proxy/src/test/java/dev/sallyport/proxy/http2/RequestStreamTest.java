package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.proxy.http.InFlight;
import dev.sallyport.proxy.http.ProxyError;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One stream at a time: what of a request reaches the exchange, and of a response the client. */
final class RequestStreamTest {
    private final RecordedExchanges exchanges = new RecordedExchanges();
    private final TestServer server = TestServer.plain(exchanges);
    private RawClient client;

    @BeforeEach
    void connect() throws IOException {
        client = RawClient.connect(server);
    }

    @AfterEach
    void close() {
        client.close();
        server.close();
    }

    @AfterAll
    static void noBufferIsLost() {
        LeakPresenceDetector.check();
    }

    @Test
    void cookieCrumbsAreJoined() {
        client.get(1, "cookie", "a=1", "accept", "*/*", "cookie", "b=2", "cookie", "c=3").flush();

        assertThat(exchanges.take().head().headers().getAll("cookie"))
                .containsExactly("a=1; b=2; c=3");
    }

    @Test
    void theHostFieldIsTakenForAMissingAuthority() {
        client.headers(
                        1,
                        true,
                        ":method",
                        "GET",
                        ":scheme",
                        "http",
                        ":path",
                        "/x?y",
                        "host",
                        "Shop.example:80")
                .flush();

        RecordedExchange exchange = exchanges.take();
        assertThat(exchange.head().authority().host()).isEqualTo("shop.example");
        assertThat(exchange.head().headers().contains("host")).isFalse();
        assertThat(exchange.head().target().original()).isEqualTo("/x?y");
    }

    @Test
    void aBodyArrivesInWhole() {
        client.post(1, "content-length", "10")
                .data(1, false, ascii("hello"))
                .data(1, true, ascii("world"))
                .flush();

        RecordedExchange exchange = exchanges.take();
        assertThat(exchange.head().contentLength()).isEqualTo(10);
        assertThat(exchange.wholeBody()).isEqualTo("helloworld");
    }

    @Test
    void paddingIsNoData() {
        client.post(1);
        client.frame(
                        RawClient.DATA,
                        0x8 | RawClient.END_STREAM,
                        1,
                        (byte) 2,
                        (byte) 'x',
                        (byte) 0,
                        (byte) 0)
                .flush();

        assertThat(exchanges.take().wholeBody()).isEqualTo("x");
    }

    @Test
    void requestTrailersArrive() {
        client.post(1, "te", "trailers")
                .data(1, false, ascii("x"))
                .headers(1, true, "grpc-status", "0")
                .flush();

        assertThat(exchanges.take().trailers().get("grpc-status")).isEqualTo("0");
    }

    @Test
    void tinyPiecesThatCannotGoYetCountForWhatTheyCost() {
        client.settings(RawClient.SETTINGS_INITIAL_WINDOW, 0).get(1).flush();
        AtomicInteger pieces = new AtomicInteger();
        exchanges
                .take()
                .on(stream -> {
                    stream.sendHead(200, new DefaultHttpHeaders(), -1, false);
                    while (stream.isWritable() && pieces.get() < 10_000) {
                        stream.sendData(Unpooled.copiedBuffer(ascii("x")), false);
                        pieces.incrementAndGet();
                    }
                });

        assertThat(pieces.get()).isLessThan(RequestStream.QUEUE_BOUND / InFlight.PIECE + 2);
    }

    @Test
    void responseTrailersFollowTheBody() {
        client.get(1).flush();
        exchanges
                .take()
                .on(stream -> {
                    stream.sendHead(200, new DefaultHttpHeaders(), -1, false);
                    stream.sendData(Unpooled.copiedBuffer(ascii("body")), false);
                    stream.sendTrailers(new DefaultHttpHeaders().add("Grpc-Status", "0"));
                });

        client.fields(client.await(RawClient.HEADERS, 1));
        RawClient.Frame data = client.await(RawClient.DATA, 1);
        RawClient.Frame trailers = client.await(RawClient.HEADERS, 1);
        assertThat(data.endsStream()).isFalse();
        assertThat(trailers.endsStream()).isTrue();
        assertThat(client.fields(trailers).get("grpc-status")).hasToString("0");
    }

    @Test
    void connectionFieldsOfHttp1AreNotSent() {
        client.get(1).flush();
        exchanges
                .take()
                .on(stream ->
                        stream.sendHead(
                                200,
                                new DefaultHttpHeaders()
                                        .add("Connection", "x")
                                        .add("Keep-Alive", "timeout=5")
                                        .add("Proxy-Connection", "close")
                                        .add("Transfer-Encoding", "chunked")
                                        .add("Upgrade", "h2c")
                                        .add("Content-Length", "99")
                                        .add("X-Kept", "yes"),
                                0,
                                true));

        Http2Headers fields = client.fields(client.await(RawClient.HEADERS, 1));
        assertThat(fields.names())
                .map(CharSequence::toString)
                .containsExactlyInAnyOrder(":status", "content-length", "x-kept");
        assertThat(fields.get("content-length")).hasToString("0");
    }

    @Test
    void aResponseToHeadHasALengthAndNoBody() {
        client.headers(1, true, RawClient.request("HEAD")).flush();
        exchanges.take().answer("hello");

        RawClient.Frame head = client.await(RawClient.HEADERS, 1);
        assertThat(head.endsStream()).isTrue();
        assertThat(client.fields(head).get("content-length")).hasToString("5");
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 304})
    void aResponseWithoutContentEndsWithItsHead(int status) {
        client.get(1).flush();
        exchanges
                .take()
                .on(stream -> {
                    stream.sendHead(status, new DefaultHttpHeaders(), -1, false);
                    stream.sendData(Unpooled.copiedBuffer(ascii("stray")), true);
                });

        RawClient.Frame head = client.await(RawClient.HEADERS, 1);
        assertThat(head.endsStream()).isTrue();
        assertThat(client.fields(head).contains("content-length")).isFalse();
    }

    @Test
    void interimResponsesPrecedeTheResponse() {
        client.get(1).flush();
        exchanges
                .take()
                .on(stream -> {
                    stream.sendInformational(103, new DefaultHttpHeaders().add("Link", "</a.css>"));
                    stream.sendHead(200, new DefaultHttpHeaders(), 0, true);
                });

        Http2Headers interim = client.fields(client.await(RawClient.HEADERS, 1));
        Http2Headers response = client.fields(client.await(RawClient.HEADERS, 1));
        assertThat(interim.status()).hasToString("103");
        assertThat(interim.contains("content-length")).isFalse();
        assertThat(response.status()).hasToString("200");
    }

    @Test
    void aClientThatExpectsContinueIsKnownToWait() {
        client.post(1, "expect", "100-continue").flush();

        assertThat(exchanges.take().head().expectsContinue()).isTrue();
    }

    @Test
    void anEarlyResponseIsFollowedByAResetWithoutError() {
        client.post(1).flush();
        exchanges.take().answer("enough");

        assertThat(client.body(1)).isEqualTo("enough");
        assertThat(client.await(RawClient.RST_STREAM, 1).number(0)).isZero();
    }

    @Test
    void whatWasOnItsWayToAResetStreamIsIgnored() {
        client.post(1).flush();
        exchanges.take().answer("enough");
        client.await(RawClient.RST_STREAM, 1);
        client.data(1, false, ascii("late")).headers(1, true, "late", "trailer").get(3).flush();

        exchanges.take().answer("next");
        assertThat(client.body(3)).isEqualTo("next");
    }

    @ParameterizedTest
    @ValueSource(strings = {"short", "far too long"})
    void aBodyThatIsNotAsLongAsAnnouncedResetsTheStream(String body) {
        client.post(1, "content-length", "7").data(1, true, ascii(body)).flush();

        assertThat(client.await(RawClient.RST_STREAM, 1).number(0))
                .isEqualTo((int) Http2Error.PROTOCOL_ERROR.code());
        assertThat(exchanges.take().abortedFor()).isEqualTo(ProxyError.BAD_REQUEST);
    }

    @Test
    void tooMuchBodyNeverReachesTheExchange() {
        client.post(1, "content-length", "3").data(1, false, ascii("abcd")).flush();
        RecordedExchange exchange = exchanges.take();

        assertThat(exchange.abortedFor()).isEqualTo(ProxyError.BAD_REQUEST);
        assertThat(exchange.body()).isEmpty();
    }

    @Test
    void aResetByTheClientAbortsTheExchange() {
        client.get(1).reset(1).flush();

        assertThat(exchanges.take().abortedFor()).isEqualTo(ProxyError.CLIENT_GONE);
    }

    @Test
    void aLostConnectionAbortsTheExchange() {
        client.get(1).flush();
        RecordedExchange exchange = exchanges.take();
        client.close();

        assertThat(exchange.abortedFor()).isEqualTo(ProxyError.CLIENT_GONE);
    }

    @Test
    void anExchangeThatAbortsIsNotToldSo() {
        client.get(1).flush();
        RecordedExchange exchange = exchanges.take();
        exchange.on(stream -> stream.abort(ProxyError.RESPONSE_TRUNCATED));

        assertThat(client.await(RawClient.RST_STREAM, 1).number(0))
                .isEqualTo((int) Http2Error.INTERNAL_ERROR.code());
        assertThat(exchange.isAborted()).isFalse();
    }

    @Test
    void aWebSocketIsOpaqueBothWays() {
        client.headers(
                        1,
                        false,
                        ":method",
                        "CONNECT",
                        ":protocol",
                        "websocket",
                        ":scheme",
                        "http",
                        ":path",
                        "/chat",
                        ":authority",
                        "shop.example",
                        "sec-websocket-version",
                        "13")
                .flush();
        RecordedExchange exchange = exchanges.take();
        assertThat(exchange.head().webSocket()).isTrue();
        assertThat(exchange.head().method()).isEqualTo("GET");
        exchange.on(stream ->
                stream.acceptWebSocket(
                        new DefaultHttpHeaders()
                                .add("Sec-WebSocket-Accept", "x")
                                .add("Upgrade", "websocket")
                                .add("Connection", "Upgrade")
                                .add("Sec-WebSocket-Protocol", "chat")));

        Http2Headers accepted = client.fields(client.await(RawClient.HEADERS, 1));
        assertThat(accepted.names())
                .map(CharSequence::toString)
                .containsExactlyInAnyOrder(":status", "sec-websocket-protocol");
        client.data(1, true, ascii("ping")).flush();
        assertThat(exchange.wholeBody()).isEqualTo("ping");
        exchange.on(stream -> stream.sendData(Unpooled.copiedBuffer(ascii("pong")), true));
        assertThat(client.body(1)).isEqualTo("pong");
    }

    @Test
    void aWebSocketThatTheBackendEndsIsNotReset() {
        client.headers(
                        1,
                        false,
                        ":method",
                        "CONNECT",
                        ":protocol",
                        "websocket",
                        ":scheme",
                        "http",
                        ":path",
                        "/chat",
                        ":authority",
                        "shop.example")
                .flush();
        exchanges
                .take()
                .on(stream -> {
                    stream.acceptWebSocket(new DefaultHttpHeaders());
                    stream.sendData(Unpooled.copiedBuffer(ascii("bye")), true);
                });
        assertThat(client.body(1)).isEqualTo("bye");
        client.data(1, true).get(3).flush();
        exchanges.take().answer("next");

        RawClient.Frame frame = client.next();
        while (frame != null && !(frame.streamId() == 3 && frame.endsStream())) {
            assertThat(frame.type()).isNotEqualTo(RawClient.RST_STREAM);
            frame = client.next();
        }
    }

    @Test
    void connectIsRefused() {
        client.headers(1, false, ":method", "CONNECT", ":authority", "shop.example:443").flush();

        assertThat(exchanges.takeRefused()).isEqualTo(ProxyError.METHOD_NOT_ALLOWED);
        assertThat(client.fields(client.await(RawClient.HEADERS, 1)).status()).hasToString("405");
    }

    @Test
    void tooManyFieldsAreAnswered() {
        String[] fields = new String[202];
        for (int i = 0; i < fields.length; i += 2) {
            fields[i] = "cookie";
            fields[i + 1] = "c" + i + "=1";
        }
        client.get(1, fields).flush();

        assertThat(client.fields(client.await(RawClient.HEADERS, 1)).status()).hasToString("431");
    }

    @Test
    void fieldsThatAreTooLargeAreAnswered() {
        client.frame(
                RawClient.HEADERS,
                RawClient.END_STREAM,
                1,
                client.block(RawClient.request("GET", "x-big", "x".repeat(15_000))));
        client.frame(RawClient.CONTINUATION, 0, 1, client.block("x-big", "y".repeat(15_000)));
        client.frame(
                        RawClient.CONTINUATION,
                        RawClient.END_HEADERS,
                        1,
                        client.block("x-big", "z".repeat(15_000)))
                .flush();

        assertThat(client.fields(client.await(RawClient.HEADERS, 1)).status()).hasToString("431");
    }

    @Test
    void theConnectionServesOnAfterARefusal() {
        client.headers(1, true, RawClient.request("TRACE")).get(3).flush();

        exchanges.take().answer("still here");
        assertThat(client.body(3)).isEqualTo("still here");
    }

    @Test
    void largeResponseHeadsAreContinued() {
        client.get(1).flush();
        String large = "v".repeat(40_000);
        exchanges
                .take()
                .on(stream ->
                        stream.sendHead(
                                200, new DefaultHttpHeaders().add("x-large", large), 0, true));

        RawClient.Frame first = client.await(RawClient.HEADERS, 1);
        int length = first.length();
        assertThat(first.flags()).isEqualTo(RawClient.END_STREAM);
        RawClient.Frame frame;
        do {
            frame = client.await(RawClient.CONTINUATION, 1);
            length += frame.length();
        } while ((frame.flags() & RawClient.END_HEADERS) == 0);
        assertThat(length).isBetween(20_000, 41_000);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}

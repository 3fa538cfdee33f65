package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.LeakPresenceDetector;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** One request with its response, seen from a client and from a backend that the test plays. */
class ExchangeTest {
    private static final String GET = "GET / HTTP/1.1\nHost: shop.example\n\n";
    private static final String POST_5 =
            "POST / HTTP/1.1\nHost: shop.example\nContent-Length: 5\n\n";
    private static final String WEB_SOCKET =
            """
            GET /ws HTTP/1.1
            Host: shop.example
            Connection: keep-alive, Upgrade
            Upgrade: websocket
            Sec-WebSocket-Version: 13
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

            """;

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    // ---- Framing of responses.

    @Test
    void bodiesOfUnknownLengthAreChunked() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onHead(200, fields("A", "b"), -1, false);
            client.call().listener.onData(TestBytes.of("hello world, so long"), false);
            client.call().listener.onData(TestBytes.of("!"), true);
            assertThat(client.received())
                    .contains("\r\nA: b\r\n")
                    .endsWith("\r\n\r\n14\r\nhello world, so long\r\n1\r\n!\r\n0\r\n\r\n");
        }
    }

    @Test
    void trailersPass() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(
                    """
                    POST / HTTP/1.1
                    Host: shop.example
                    Transfer-Encoding: chunked
                    Trailer: Checksum

                    1
                    a
                    0
                    Checksum: c
                    X-Forwarded-For: evil
                    Content-Length: 5

                    """);
            HttpHeaders sent = Objects.requireNonNull(client.call().trailers);
            assertThat(sent.entries())
                    .extracting(field -> field.getKey() + "=" + field.getValue())
                    .containsExactly("Checksum=c");
            assertThat(client.call().headers.get("Trailer")).isEqualTo("Checksum");
            client.call().listener.onHead(200, new DefaultHttpHeaders(), -1, false);
            client.call().listener.onTrailers(fields("Status", "0"));
            assertThat(client.received()).endsWith("\r\n\r\n0\r\nStatus: 0\r\n\r\n");
        }
    }

    @Test
    void responsesToHeadHaveALengthButNoBody() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("HEAD / HTTP/1.1\nHost: shop.example\n\n");
            client.call().listener.onHead(200, new DefaultHttpHeaders(), 1234, true);
            assertThat(client.received()).endsWith("\r\ncontent-length: 1234\r\n\r\n");
            client.send(GET);
            assertThat(client.upstreams.calls).hasSize(2);
        }
    }

    @Test
    void errorsForHeadHaveNoBody() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("HEAD / HTTP/1.1\nHost: other.example\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 404 ").endsWith("\r\n\r\n");
        }
    }

    @Test
    void noContentHasNoLength() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onHead(204, new DefaultHttpHeaders(), 0, true);
            assertThat(client.received()).doesNotContain("content-length").endsWith("\r\n\r\n");
        }
    }

    @Test
    void http10GetsNoChunksAndAClosedConnection() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("GET / HTTP/1.0\nHost: shop.example\n\n");
            client.call().listener.onInformational(103, fields("Link", "a"));
            client.call().listener.onHead(200, new DefaultHttpHeaders(), -1, false);
            client.call().listener.onData(TestBytes.of("hello"), true);
            assertThat(client.received())
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .doesNotContain("chunked")
                    .endsWith("\r\nconnection: close\r\n\r\nhello");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void hopByHopFieldsOfBackendsStay() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            HttpHeaders headers = fields("Connection", "X-Own, keep-alive");
            headers.add("X-Own", "a").add("Keep-Alive", "timeout=5").add("Upgrade", "h2c");
            headers.add("Proxy-Authenticate", "Basic").add("Server", "backend").add("Date", "d");
            client.call().listener.onHead(200, headers, 0, true);
            assertThat(client.received())
                    .isEqualTo(
                            crlf(
                                    """
                                    HTTP/1.1 200 OK
                                    Server: backend
                                    Date: d
                                    content-length: 0

                                    """));
        }
    }

    @Test
    void splitResponsesAreRefused() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            HttpHeaders headers =
                    DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
            headers.add("A", "b\r\nSet-Cookie: evil");
            client.call().listener.onHead(200, headers, 0, true);
            assertThat(client.received()).startsWith("HTTP/1.1 502 ").doesNotContain("evil");
            assertThat(client.call().cancelled).isTrue();
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.BAD_RESPONSE);
        }
    }

    @Test
    void aBodyLongerThanItsHeadSaysIsCutOff() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onHead(200, new DefaultHttpHeaders(), 3, false);
            client.call().listener.onData(TestBytes.of("hello"), true);
            assertThat(client.isClosed()).isTrue();
            assertThat(client.received()).doesNotContain("hello");
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.BAD_RESPONSE);
        }
    }

    @Test
    void aBackendThatBreaksOffClosesTheConnection() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onHead(200, new DefaultHttpHeaders(), -1, false);
            client.call().listener.onData(TestBytes.of("hello"), false);
            assertThat(client.received()).contains("hello");
            client.call().listener.onFailure(ProxyError.RESPONSE_TRUNCATED, false, null);
            assertThat(client.isClosed()).isTrue();
            assertThat(client.received()).doesNotContain("0\r\n\r\n");
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.RESPONSE_TRUNCATED);
        }
    }

    // ---- Interim responses.

    @Test
    void interimResponsesPass() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onInformational(103, fields("Link", "a"));
            assertThat(client.received()).isEqualTo("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
        }
    }

    @Test
    void expectationAndItsAnswerAreRelayed() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(
                    "POST / HTTP/1.1\nHost: shop.example\nContent-Length: 5\nExpect: 100-continue\n\n");
            assertThat(client.call().headers.get("Expect")).isEqualTo("100-continue");
            assertThat(client.received()).isEmpty();
            client.call().listener.onInformational(100, new DefaultHttpHeaders());
            assertThat(client.receivedNow()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            client.send("hello");
            assertThat(client.call().body.toString()).isEqualTo("hello");
            client.call().respond(200, "done");
            assertThat(client.receivedNow()).doesNotContain("connection: close").endsWith("done");
        }
    }

    @Test
    void refusedExpectationClosesTheConnection() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(
                    "POST / HTTP/1.1\nHost: shop.example\nContent-Length: 5\nExpect: 100-continue\n\n");
            client.call().respond(401, "no");
            assertThat(client.received()).contains("\r\nconnection: close\r\n");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void floodsOfInterimResponsesAreABadResponse() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            for (int i = 0; i < 100; i++) {
                client.call().listener.onInformational(103, new DefaultHttpHeaders());
            }
            assertThat(client.received()).contains("HTTP/1.1 502 ");
            assertThat(client.observer.ended).hasSize(1);
        }
    }

    // ---- Bodies and back-pressure.

    @Test
    void bodyThatComesBeforeTheConnectionIsHeldWithinTheWindow() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.connects = false;
            client.send("POST / HTTP/1.1\nHost: shop.example\nContent-Length: 1000000\n\n");
            int sent = 0;
            while (client.channel.config().isAutoRead()) {
                client.sendRaw("x".repeat(10_000));
                sent += 10_000;
            }
            assertThat(sent).isBetween(64 * 1024, 64 * 1024 + 20_000);
            RecordedUpstreams.Call call = client.call();
            call.listener.onConnected(call);
            assertThat(call.body).hasSize(sent);
            assertThat(client.channel.config().isAutoRead()).isTrue();
        }
    }

    @Test
    void bodyOfTinyChunksIsHeldWithinWhatItCosts() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.connects = false;
            client.send("POST / HTTP/1.1\nHost: shop.example\nTransfer-Encoding: chunked\n\n");
            int chunks = 0;
            while (client.channel.config().isAutoRead() && chunks < 10_000) {
                client.send("1\na\n");
                chunks++;
            }
            assertThat(chunks).isLessThan(64 * 1024 / InFlight.PIECE + 2);
            RecordedUpstreams.Call call = client.call();
            call.listener.onConnected(call);
            assertThat(call.body).hasSize(chunks);
            assertThat(client.channel.config().isAutoRead()).isTrue();
        }
    }

    @Test
    void tinyChunksInOneReadAreNotHandedOnBeyondWhatTheyCost() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("POST / HTTP/1.1\nHost: shop.example\nTransfer-Encoding: chunked\n\n");
            client.call().writable = false;
            client.send("1\na\n".repeat(10_000));
            assertThat(client.call().body.length()).isLessThan(64 * 1024 / InFlight.PIECE + 2);
            client.call().writable = true;
            client.call().listener.onWritable();
            assertThat(client.call().body).hasSize(10_000);
        }
    }

    @Test
    void slowBackendStopsTheClient() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("POST / HTTP/1.1\nHost: shop.example\nContent-Length: 1000000\n\n");
            client.call().writable = false;
            int sent = 0;
            while (client.channel.config().isAutoRead()) {
                client.sendRaw("x".repeat(10_000));
                sent += 10_000;
            }
            assertThat(sent).isLessThan(100_000);
            client.call().writable = true;
            client.call().listener.onWritable();
            assertThat(client.channel.config().isAutoRead()).isTrue();
        }
    }

    @Test
    void slowReaderStopsTheBackend() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onHead(200, new DefaultHttpHeaders(), -1, false);
            client.channel.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
            int sent = 0;
            for (int i = 0; i < 10; i++) {
                client.call().listener.onData(TestBytes.of("x".repeat(1000)), false);
                sent += 1000;
            }
            assertThat(client.call().credit).isZero();
            client.channel.unsafe().outboundBuffer().setUserDefinedWritability(1, true);
            client.channel.runPendingTasks();
            assertThat(client.call().credit).isEqualTo(sent);
        }
    }

    @Test
    void bodyLargerThanAllowedIsRefused() {
        try (Http1Client client = Http1Client.with().limits(bodyLimit(4)).build()) {
            client.send(POST_5);
            assertThat(client.upstreams.calls).isEmpty();
            assertThat(client.received()).startsWith("HTTP/1.1 413 ");
        }
    }

    @Test
    void chunksLargerThanAllowedAreRefusedOnTheWay() {
        try (Http1Client client = Http1Client.with().limits(bodyLimit(4)).build()) {
            client.send(
                    "POST / HTTP/1.1\nHost: shop.example\nTransfer-Encoding: chunked\n\n3\nabc\n");
            assertThat(client.received()).isEmpty();
            client.send("3\nabc\n");
            assertThat(client.received()).startsWith("HTTP/1.1 413 ");
            assertThat(client.call().cancelled).isTrue();
        }
    }

    @Test
    void clientThatGoesAwayCancelsTheCall() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(POST_5 + "he");
            var _ = client.channel.close();
            assertThat(client.call().cancelled).isTrue();
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.CLIENT_GONE);
            assertThat(client.observer.last().status()).isEqualTo(499);
        }
    }

    @Test
    void clientThatGoesAwayWhileWaitingCancelsTheWait() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.connects = false;
            client.send(POST_5 + "he");
            var _ = client.channel.close();
            assertThat(client.upstreams.cancelledWaits).isEqualTo(1);
        }
    }

    // ---- Early responses.

    @Test
    void smallRestOfABodyIsReadToKeepTheConnection() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(POST_5 + "he");
            client.call().respond(403, "no");
            assertThat(client.receivedNow()).endsWith("no").doesNotContain("connection: close");
            assertThat(client.call().cancelled).isTrue();
            client.send("llo" + GET);
            assertThat(client.upstreams.calls).hasSize(2);
            assertThat(client.call().body.toString()).isEmpty();
        }
    }

    @Test
    void smallRestOfABodyIsNotWaitedForLong() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(POST_5 + "he");
            client.call().respond(403, "no");
            client.pass(Duration.ofSeconds(9));
            assertThat(client.isClosed()).isFalse();
            client.pass(Duration.ofSeconds(2));
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void largeRestOfABodyIsNotRead() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("POST / HTTP/1.1\nHost: shop.example\nContent-Length: 1000000\n\nhe");
            client.call().respond(403, "no");
            assertThat(client.received()).contains("\r\nconnection: close\r\n").endsWith("no");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void responseMayStreamWhileTheRequestDoes() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("POST / HTTP/1.1\nHost: shop.example\nTransfer-Encoding: chunked\n\n");
            client.call().listener.onHead(200, new DefaultHttpHeaders(), -1, false);
            client.send("1\na\n");
            client.call().listener.onData(TestBytes.of("A"), false);
            assertThat(client.receivedNow()).endsWith("1\r\nA\r\n");
            client.send("1\nb\n0\n\n");
            assertThat(client.call().body.toString()).isEqualTo("ab");
            client.call().listener.onData(TestBytes.of("B"), true);
            assertThat(client.receivedNow()).endsWith("1\r\nB\r\n0\r\n\r\n");
            assertThat(client.isClosed()).isFalse();
        }
    }

    // ---- Retries.

    @Test
    void failedConnectionIsTriedElsewhereOnce() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.connects = false;
            client.send(POST_5 + "hello");
            client.call()
                    .listener
                    .onFailure(ProxyError.CONNECT_FAILED, true, RecordedUpstreams.ENDPOINT);
            assertThat(client.upstreams.calls).hasSize(2);
            assertThat(client.call().avoided).isEqualTo(RecordedUpstreams.ENDPOINT);
            RecordedUpstreams.Call second = client.call();
            second.listener.onConnected(second);
            assertThat(second.body.toString()).isEqualTo("hello");
            second.respond(200, "done");
            assertThat(client.received()).endsWith("done");
            assertThat(client.observer.last().attempts()).isEqualTo(2);
        }
    }

    @Test
    void secondFailureIsTheClients() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.connects = false;
            client.send(GET);
            client.call().listener.onFailure(ProxyError.CONNECT_FAILED, true, null);
            client.call().listener.onFailure(ProxyError.CONNECT_TIMEOUT, true, null);
            assertThat(client.received()).startsWith("HTTP/1.1 504 ");
            assertThat(client.upstreams.calls).hasSize(2);
        }
    }

    @Test
    void idempotentRequestIsRepeatedAfterAStaleConnection() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("GET /a HTTP/1.1\nHost: shop.example\nA: b\n\n");
            client.call().listener.onFailure(ProxyError.UPSTREAM_RESET, true, null);
            assertThat(client.upstreams.calls).hasSize(2);
            assertThat(client.call().target).isEqualTo("/a");
            assertThat(client.call().headers.get("A")).isEqualTo("b");
            assertThat(client.call().headers.getAll("X-Forwarded-For")).hasSize(1);
        }
    }

    @Test
    void otherRequestsAreNotRepeatedOnceAConnectionWasMade() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("POST / HTTP/1.1\nHost: shop.example\nContent-Length: 0\n\n");
            client.call().listener.onFailure(ProxyError.UPSTREAM_RESET, true, null);
            assertThat(client.upstreams.calls).hasSize(1);
            assertThat(client.received()).startsWith("HTTP/1.1 502 ");
        }
    }

    @Test
    void bodyThatWasSentIsNotRepeated() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("PUT / HTTP/1.1\nHost: shop.example\nContent-Length: 1\n\na");
            client.call().listener.onFailure(ProxyError.UPSTREAM_RESET, true, null);
            assertThat(client.upstreams.calls).hasSize(1);
            assertThat(client.received()).startsWith("HTTP/1.1 502 ");
        }
    }

    @Test
    void givenUpAttemptIsNotListenedTo() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.connects = false;
            client.send(GET);
            RecordedUpstreams.Call first = client.call();
            first.listener.onFailure(ProxyError.CONNECT_FAILED, true, null);
            first.listener.onConnected(first);
            first.listener.onHead(200, new DefaultHttpHeaders(), 5, false);
            first.listener.onData(TestBytes.of("hello"), true);
            assertThat(first.cancelled).isTrue();
            assertThat(client.received()).isEmpty();
        }
    }

    // ---- WebSockets.

    @Test
    void webSocketIsATunnelBothWays() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(WEB_SOCKET);
            assertThat(client.call().webSocket).isTrue();
            assertThat(client.call().ended).isFalse();
            client.call()
                    .listener
                    .onWebSocket(
                            fields("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                                    .add("Connection", "Upgrade")
                                    .add("Upgrade", "websocket"));
            assertThat(client.receivedNow())
                    .isEqualTo(
                            crlf(
                                    """
                                    HTTP/1.1 101 Switching Protocols
                                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
                                    connection: Upgrade
                                    upgrade: websocket

                                    """));
            client.sendRaw("\u0081\u0003abc");
            assertThat(client.call().body.toString()).isEqualTo("\u0081\u0003abc");
            client.call().listener.onData(TestBytes.of("\u0081\u0003def"), false);
            assertThat(client.receivedNow()).isEqualTo("\u0081\u0003def");
            client.call().listener.onData(TestBytes.of("\u0088\0"), true);
            assertThat(client.receivedNow()).isEqualTo("\u0088\0");
            assertThat(client.isClosed()).isTrue();
            assertThat(client.observer.last().error()).isNull();
            assertThat(client.observer.last().webSocket()).isTrue();
        }
    }

    @Test
    void refusedWebSocketIsAnOrdinaryResponse() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(WEB_SOCKET);
            client.call().respond(403, "no");
            assertThat(client.receivedNow()).startsWith("HTTP/1.1 403 ").endsWith("no");
            client.send(GET);
            assertThat(client.upstreams.calls).hasSize(2);
        }
    }

    @Test
    void bytesBeforeTheSwitchReachNobody() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(WEB_SOCKET).sendRaw("GET /smuggled HTTP/1.1\r\n\r\n");
            assertThat(client.call().body.toString()).isEmpty();
            client.call().listener.onWebSocket(new DefaultHttpHeaders());
            assertThat(client.call().body.toString()).isEmpty();
            assertThat(client.call().cancelled).isTrue();
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void switchThatNobodyAskedForIsABadResponse() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onWebSocket(new DefaultHttpHeaders());
            assertThat(client.received()).startsWith("HTTP/1.1 502 ");
        }
    }

    @Test
    void clientThatClosesItsWebSocketDoesNothingWrong() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(WEB_SOCKET);
            client.call().listener.onWebSocket(new DefaultHttpHeaders());
            var _ = client.channel.close();
            assertThat(client.call().cancelled).isTrue();
            assertThat(client.observer.last().error()).isNull();
            assertThat(client.observer.last().status()).isEqualTo(101);
        }
    }

    // ---- Deadlines.

    @Test
    void backendThatDoesNotAnswerIsLate() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.pass(Duration.ofSeconds(59));
            assertThat(client.received()).isEmpty();
            client.pass(Duration.ofSeconds(2));
            assertThat(client.received()).startsWith("HTTP/1.1 504 ");
            assertThat(client.call().cancelled).isTrue();
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.RESPONSE_TIMEOUT);
        }
    }

    @Test
    void backendThatStopsInTheMiddleIsLate() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.pass(Duration.ofSeconds(50));
            client.call().listener.onHead(200, new DefaultHttpHeaders(), -1, false);
            client.pass(Duration.ofSeconds(50));
            client.call().listener.onData(TestBytes.of("a"), false);
            client.pass(Duration.ofSeconds(59));
            assertThat(client.isClosed()).isFalse();
            client.pass(Duration.ofSeconds(2));
            assertThat(client.isClosed()).isTrue();
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.RESPONSE_TRUNCATED);
        }
    }

    @Test
    void clientThatStopsInItsBodyIsLate() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(POST_5 + "he");
            client.pass(Duration.ofSeconds(29));
            client.send("l");
            client.pass(Duration.ofSeconds(29));
            assertThat(client.received()).isEmpty();
            client.pass(Duration.ofSeconds(2));
            assertThat(client.received()).startsWith("HTTP/1.1 408 ");
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.BODY_TIMEOUT);
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void everyRequestEndsSomeTime() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onHead(200, new DefaultHttpHeaders(), -1, false);
            for (int i = 0; i < 61; i++) {
                client.pass(Duration.ofSeconds(59));
                client.call().listener.onData(TestBytes.of("a"), false);
            }
            client.pass(Duration.ofSeconds(2));
            assertThat(client.isClosed()).isTrue();
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.REQUEST_TIMEOUT);
        }
    }

    @Test
    void silentWebSocketIsClosed() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(WEB_SOCKET);
            client.call().listener.onWebSocket(new DefaultHttpHeaders());
            client.pass(Duration.ofMinutes(59));
            client.sendRaw("a");
            client.pass(Duration.ofMinutes(59));
            assertThat(client.isClosed()).isFalse();
            client.pass(Duration.ofMinutes(2));
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void backendThatIsSilentToAWebSocketHandshakeIsLate() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(WEB_SOCKET);
            client.pass(Duration.ofSeconds(59));
            assertThat(client.received()).isEmpty();
            client.pass(Duration.ofSeconds(2));
            assertThat(client.received()).startsWith("HTTP/1.1 504 ");
            assertThat(client.call().cancelled).isTrue();
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.RESPONSE_TIMEOUT);
        }
    }

    @Test
    void refusalOfAWebSocketMayTakeItsTime() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(WEB_SOCKET);
            client.call().listener.onHead(403, new DefaultHttpHeaders(), -1, false);
            for (int i = 0; i < 3; i++) {
                client.pass(Duration.ofSeconds(50));
                client.call().listener.onData(TestBytes.of("no"), false);
            }
            assertThat(client.received()).endsWith("2\r\nno\r\n2\r\nno\r\n2\r\nno\r\n");
            assertThat(client.observer.ended).isEmpty();
        }
    }

    @Test
    void deadlineThatFailsClosesTheConnection() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.channel.config().setAllocator(new FailingAllocator());
            client.pass(Duration.ofSeconds(61));
            assertThat(client.isClosed()).isTrue();
            assertThat(client.bugs).hasSize(1);
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.INTERNAL);
            assertThat(client.call().cancelled).isTrue();
        }
    }

    @Test
    void durationsAreMeasured() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.ticker.advanceMillis(7);
            client.call().respond(200, "a");
            assertThat(client.observer.last().totalNanos()).isEqualTo(7_000_000);
        }
    }

    private static String crlf(String lines) {
        return lines.replace("\n", "\r\n");
    }

    private static HttpHeaders fields(String name, String value) {
        return new DefaultHttpHeaders().add(name, value);
    }

    private static dev.sallyport.proxy.ProxySettings.Limits bodyLimit(long bytes) {
        var limits = dev.sallyport.proxy.ProxySettings.Limits.DEFAULT;
        return new dev.sallyport.proxy.ProxySettings.Limits(
                limits.connections(),
                limits.connectionsPerClient(),
                limits.requestsInFlight(),
                limits.headerBytes(),
                limits.headerCount(),
                limits.uriBytes(),
                bytes,
                limits.requestsPerConnection(),
                limits.concurrentStreams(),
                limits.streamWindow(),
                limits.connectionWindow(),
                limits.resetsPerHalfMinute(),
                limits.controlFramesPerHalfMinute(),
                limits.writeBuffer(),
                limits.upstreamConnections(),
                limits.upstreamIdle(),
                limits.upstreamPending());
    }
}

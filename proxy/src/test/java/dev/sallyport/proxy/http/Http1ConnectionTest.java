package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.proxy.ProxySettings.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.util.LeakPresenceDetector;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** One connection: request after request, and how it ends. */
class Http1ConnectionTest {
    private static final String GET = "GET / HTTP/1.1\nHost: shop.example\n\n";

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void requestReachesBackendAndResponseReachesClient() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("GET /a?b=c HTTP/1.1\nHost: shop.example\nUser-Agent: test\n\n");
            assertThat(client.call().method).isEqualTo("GET");
            assertThat(client.call().target).isEqualTo("/a?b=c");
            client.call().respond(200, "hello");
            assertThat(client.received())
                    .isEqualTo(
                            "HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 10:00:00 GMT\r\n"
                                    + "content-length: 5\r\n\r\nhello");
            assertThat(client.isClosed()).isFalse();
            RecordedObserver.Ended ended = client.observer.last();
            assertThat(ended.method()).isEqualTo("GET");
            assertThat(ended.target()).isEqualTo("/a?b=c");
            assertThat(ended.status()).isEqualTo(200);
            assertThat(ended.bytesOut()).isEqualTo(5);
            assertThat(ended.userAgent()).isEqualTo("test");
            assertThat(ended.requestId()).isEqualTo(client.call().headers.get("X-Request-ID"));
            assertThat(client.observer.began).isEqualTo(1);
        }
    }

    @Test
    void headAndSmallBodyAreOneWrite() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "hello";
            client.send(GET);
            ByteBuf first = client.channel.readOutbound();
            assertThat(first.readableBytes()).isGreaterThan(5);
            first.release();
            assertThat(client.channel.outboundMessages()).isEmpty();
        }
    }

    @Test
    void largePiecesAreNotCopied() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            ByteBuf piece = TestBytes.of("x".repeat(10_000));
            client.call().listener.onHead(200, new DefaultHttpHeaders(), 10_000, false);
            client.call().listener.onData(piece, true);
            client.channel.runPendingTasks();
            assertThat(client.channel.outboundMessages()).hasSize(2).contains(piece);
        }
    }

    @Test
    void pipelinedRequestsAreServedOneAfterTheOther() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(
                    "GET /1 HTTP/1.1\nHost: shop.example\n\nGET /2 HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.upstreams.calls).hasSize(1);
            assertThat(client.channel.config().isAutoRead()).isFalse();
            client.call().respond(200, "a");
            assertThat(client.upstreams.calls).hasSize(2);
            assertThat(client.call().target).isEqualTo("/2");
            assertThat(client.channel.config().isAutoRead()).isTrue();
        }
    }

    @Test
    void longPipelinesNeedNoStack() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "";
            client.send(GET.repeat(5_000));
            assertThat(client.observer.ended).hasSize(5_000);
        }
    }

    @Test
    void waitingClientIsStillListenedTo() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            assertThat(client.channel.config().isAutoRead()).isTrue(); // it may go away
        }
    }

    @Test
    void closeIsGranted() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "a";
            client.send("GET / HTTP/1.1\nHost: shop.example\nConnection: close\n\n");
            assertThat(client.received()).contains("\r\nconnection: close\r\n");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void connectionServesSoManyRequests() {
        try (Http1Client client = Http1Client.with().limits(requestsPerConnection(2)).build()) {
            client.upstreams.answer = "a";
            client.send(GET);
            assertThat(client.receivedNow()).doesNotContain("connection: close");
            client.send(GET);
            assertThat(client.receivedNow()).contains("connection: close");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void idleConnectionIsClosedWithoutAWord() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "a";
            client.send(GET);
            client.receivedNow();
            client.pass(Duration.ofSeconds(74));
            assertThat(client.isClosed()).isFalse();
            client.pass(Duration.ofSeconds(2));
            assertThat(client.isClosed()).isTrue();
            assertThat(client.receivedNow()).isEmpty();
        }
    }

    @Test
    void silentConnectionIsClosedWithoutAWord() {
        try (Http1Client client = Http1Client.plain()) {
            client.pass(Duration.ofSeconds(11));
            assertThat(client.isClosed()).isTrue();
            assertThat(client.received()).isEmpty();
            assertThat(client.observer.ended).isEmpty();
        }
    }

    @Test
    void slowHeadIsRefused() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("GET / HTTP/1.1\n");
            for (int i = 0; i < 11; i++) {
                client.pass(Duration.ofSeconds(1));
                if (!client.isClosed()) {
                    client.sendRaw("a");
                }
            }
            assertThat(client.received()).startsWith("HTTP/1.1 408 ");
            assertThat(client.isClosed()).isTrue();
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.HEADER_TIMEOUT);
        }
    }

    @Test
    void slowSecondHeadIsRefusedToo() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "a";
            client.send(GET);
            client.receivedNow();
            client.pass(Duration.ofSeconds(60));
            client.send("GET / HTTP");
            client.pass(Duration.ofSeconds(9));
            assertThat(client.receivedNow()).isEmpty();
            client.pass(Duration.ofSeconds(2));
            assertThat(client.receivedNow()).startsWith("HTTP/1.1 408 ");
        }
    }

    @Test
    void longRequestIsNoIdleConnection() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onHead(200, new DefaultHttpHeaders(), -1, false);
            for (int i = 0; i < 10; i++) {
                client.pass(Duration.ofSeconds(50));
                client.call().listener.onData(TestBytes.of("a"), false);
            }
            assertThat(client.isClosed()).isFalse();
        }
    }

    @Test
    void drainingClosesAnIdleConnectionAfterAMoment() {
        try (Http1Client client = Http1Client.plain()) {
            drain(client, DrainSignal.BEGIN);
            client.pass(DrainSignal.GRACE.minusMillis(200));
            assertThat(client.isClosed()).isFalse();
            client.pass(Duration.ofMillis(500));
            assertThat(client.isClosed()).isTrue();
            assertThat(client.receivedNow()).isEmpty();
        }
    }

    @Test
    void drainingAnswersARequestThatIsUnderWay() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "a";
            drain(client, DrainSignal.BEGIN);
            client.send(GET);
            assertThat(client.received()).contains("\r\nconnection: close\r\n").endsWith("a");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void drainingAnswersTheNextRequestOfAKeptConnection() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "a";
            client.send(GET);
            assertThat(client.receivedNow()).doesNotContain("connection: close");
            client.pass(Duration.ofSeconds(30));
            drain(client, DrainSignal.BEGIN);
            client.send(GET);
            assertThat(client.received()).contains("\r\nconnection: close\r\n").endsWith("a");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void drainingWaitsForTheRestOfAHead() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "a";
            client.send(GET.substring(0, 10));
            drain(client, DrainSignal.BEGIN);
            client.pass(Duration.ofSeconds(8));
            assertThat(client.isClosed()).isFalse();
            client.send(GET.substring(10));
            assertThat(client.received()).contains("\r\nconnection: close\r\n").endsWith("a");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void theNoticeLeavesAnIdleConnectionOpenForOneAnswer() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "a";
            client.send(GET);
            client.receivedNow();
            drain(client, DrainSignal.NOTICE);
            client.pass(Duration.ofSeconds(10));
            client.send(GET);
            assertThat(client.received()).contains("\r\nconnection: close\r\n").endsWith("a");
            assertThat(client.isClosed()).isTrue();
        }
    }

    private static void drain(Http1Client client, DrainSignal signal) {
        client.channel.pipeline().fireUserEventTriggered(signal);
    }

    @Test
    void drainingLetsTheResponseEnd() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.channel.pipeline().fireUserEventTriggered(DrainSignal.BEGIN);
            assertThat(client.isClosed()).isFalse();
            client.call().respond(200, "done");
            assertThat(client.received()).contains("\r\nconnection: close\r\n").endsWith("done");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void drainingAfterTheHeadAnswersOneRequestMore() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onHead(200, new DefaultHttpHeaders(), 1, false);
            drain(client, DrainSignal.BEGIN);
            client.call().listener.onData(TestBytes.of("a"), true);
            assertThat(client.receivedNow()).doesNotContain("connection: close").endsWith("a");
            client.upstreams.answer = "b";
            client.send(GET); // nobody told it not to
            assertThat(client.received()).contains("\r\nconnection: close\r\n").endsWith("b");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void drainingAfterTheHeadClosesSoonAfterTheBody() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onHead(200, new DefaultHttpHeaders(), 1, false);
            drain(client, DrainSignal.BEGIN);
            client.call().listener.onData(TestBytes.of("a"), true);
            client.pass(DrainSignal.GRACE.plusMillis(300));
            assertThat(client.received()).endsWith("\r\n\r\na");
            assertThat(client.isClosed()).isTrue();
        }
    }

    @Test
    void clientThatDoesNotReadIsCutOff() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.call().listener.onHead(200, new DefaultHttpHeaders(), -1, false);
            client.received();
            client.channel.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
            client.channel.runPendingTasks();
            client.pass(Duration.ofSeconds(29));
            assertThat(client.isClosed()).isFalse();
            client.pass(Duration.ofSeconds(2));
            assertThat(client.isClosed()).isTrue();
            assertThat(client.call().cancelled).isTrue();
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.CLIENT_STALLED);
        }
    }

    @Test
    void faultsOfOursCloseTheConnection() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(GET);
            client.channel.pipeline().fireExceptionCaught(new IllegalStateException("test"));
            assertThat(client.isClosed()).isTrue();
            assertThat(client.call().cancelled).isTrue();
            assertThatThrownBy(client.channel::checkException).hasMessage("test");
        }
    }

    private static Limits requestsPerConnection(long requests) {
        Limits limits = Limits.DEFAULT;
        return new Limits(
                limits.connections(),
                limits.connectionsPerClient(),
                limits.requestsInFlight(),
                limits.headerBytes(),
                limits.headerCount(),
                limits.uriBytes(),
                limits.requestBodyBytes(),
                requests,
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

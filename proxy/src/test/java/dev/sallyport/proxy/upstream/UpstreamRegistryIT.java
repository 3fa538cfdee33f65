package dev.sallyport.proxy.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.upstream.AddressGuard;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.OwnAddresses;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.RawBackend;
import dev.sallyport.proxy.http.InFlight;
import dev.sallyport.proxy.metric.Metric;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class UpstreamRegistryIT {
    private static final String OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    private static final String LAST =
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
    private static final Duration SECOND = Duration.ofSeconds(1);

    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void secondRequestTravelsOnTheFirstOnesConnection() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend = RawBackend.answering(OK)) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            fixture.get(upstream, "/1");
            RecordingListener second = fixture.get(upstream, "/2");
            assertThat(second.events).containsExactly("reused", "head 200 2");
            assertThat(backend.accepted()).isEqualTo(1);
            assertThat(fixture.metric(Metric.UPSTREAM_REUSES)).isEqualTo(1);
        }
    }

    @Test
    void requestHeadIsWrittenAnew() throws Exception {
        var heads = new LinkedBlockingQueue<String>();
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            heads.add(connection.readHead());
                            connection.send(OK);
                        })) {
            var headers =
                    new DefaultHttpHeaders()
                            .add("Host", "shop.test")
                            .add("X-A", "b c")
                            .add("Content-Length", "99")
                            .add("Transfer-Encoding", "chunked")
                            .add("Connection", "close");
            fixture.open(
                            UpstreamFixture.upstream(backend),
                            new RecordingListener(
                                    call -> call.sendHead("GET", "/a?b=c", headers, 0, false)))
                    .outcome();
            assertThat(heads.poll(5, TimeUnit.SECONDS))
                    .isEqualTo("GET /a?b=c HTTP/1.1\r\nHost: shop.test\r\nX-A: b c\r\n\r\n");
        }
    }

    @Test
    void characterThatCouldEndALineIsNotSent() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend = RawBackend.answering(OK)) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            var evil =
                    DefaultHttpHeadersFactory.headersFactory()
                            .withValidation(false)
                            .newHeaders()
                            .add("x", "a\r\nhost: evil");
            RecordingListener refused =
                    fixture.open(
                            upstream,
                            new RecordingListener(
                                    call -> call.sendHead("GET", "/", evil, 0, false)));
            assertThat(refused.outcome()).isEqualTo("BAD_REQUEST");
            RecordingListener target =
                    fixture.open(
                            upstream,
                            new RecordingListener(call ->
                                    call.sendHead(
                                            "GET",
                                            "/ HTTP/1.1\r\nx: y",
                                            RecordingListener.host(),
                                            0,
                                            false)));
            assertThat(target.outcome()).isEqualTo("BAD_REQUEST");
            // Nothing was written, so the connection is as good as new.
            assertThat(fixture.get(upstream, "/good").outcome()).isEqualTo("end");
            assertThat(backend.accepted()).isEqualTo(1);
        }
    }

    @Test
    void bodyOfUnknownLengthIsChunkedWithItsTrailers() throws Exception {
        var bodies = new LinkedBlockingQueue<String>();
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            while (connection.readHead() != null) {
                                bodies.add(connection.readChunked());
                                connection.send(OK);
                            }
                        })) {
            String large = "y".repeat(5000);
            RecordingListener listener =
                    fixture.open(
                            UpstreamFixture.upstream(backend),
                            new RecordingListener(call -> {
                                call.sendHead("POST", "/", RecordingListener.host(), -1, false);
                                call.sendData(text("small"), false);
                                call.sendData(text(large), false);
                                call.sendTrailers(new DefaultHttpHeaders().add("x-sum", "1"));
                            }));
            assertThat(listener.outcome()).isEqualTo("end");
            assertThat(bodies.poll(5, TimeUnit.SECONDS)).isEqualTo("small" + large + "|x-sum: 1");
        }
    }

    @Test
    void connectionIsKeptAfterABodyOfEachFraming() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            String head = connection.readHead();
                            while (head != null) {
                                if (head.contains("content-length")) {
                                    connection.read(5);
                                } else {
                                    connection.readChunked();
                                }
                                connection.send(OK);
                                head = connection.readHead();
                            }
                        })) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            for (long length : new long[] {5, -1, 5, -1}) {
                RecordingListener listener =
                        fixture.open(
                                upstream,
                                new RecordingListener(call -> {
                                    call.sendHead(
                                            "POST", "/", RecordingListener.host(), length, false);
                                    call.sendData(text("hello"), true);
                                }));
                assertThat(listener.outcome()).isEqualTo("end");
                fixture.settle();
            }
            assertThat(backend.accepted()).isEqualTo(1);
        }
    }

    @Test
    void responsesOfEachFramingAreUnderstood() throws Exception {
        String chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
        assertAnswer(OK, "end", "ok", "head 200 2");
        assertAnswer("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", "end", "", "head 200 0");
        assertAnswer(chunked + "2;a=b\r\nok\r\n0\r\n\r\n", "end", "ok", "head 200 -1");
        assertAnswer(
                chunked + "2\r\nok\r\n0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n",
                "trailers",
                "ok",
                "head 200 -1",
                "trailer X-Sum=1");
        assertAnswer("HTTP/1.1 200 OK\r\n\r\nuntil the end", "end", "until the end", "head 200 -1");
        assertAnswer("HTTP/1.0 200 OK\r\n\r\nold", "end", "old", "head 200 -1");
        assertAnswer("HTTP/1.1 204 None\r\n\r\n", "end", "", "head 204 -1");
        assertAnswer("HTTP/1.1 204 None\r\ncontent-length: 0\r\n\r\n", "end", "", "head 204 0");
        assertAnswer("HTTP/1.1 304 Same\r\ncontent-length: 7\r\n\r\n", "end", "", "head 304 7");
        assertAnswer(
                "HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103 Hints\r\nlink: a\r\n\r\n" + OK,
                "end",
                "ok",
                "interim 100",
                "interim 103",
                "head 200 2");
    }

    private static void assertAnswer(String bytes, String outcome, String body, String... events)
            throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(bytes);
                        })) {
            RecordingListener listener = fixture.get(UpstreamFixture.upstream(backend), "/");
            assertThat(listener.outcome()).isEqualTo(outcome);
            assertThat(listener.body()).isEqualTo(body);
            List<String> expected = new ArrayList<>(List.of(events));
            expected.addFirst("new");
            assertThat(listener.events).containsExactlyElementsOf(expected);
        }
    }

    @Test
    void answerToHeadHasALengthAndNoBody() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.answering("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n")) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            for (int i = 0; i < 2; i++) {
                RecordingListener listener =
                        fixture.open(
                                upstream,
                                new RecordingListener(call ->
                                        call.sendHead(
                                                "HEAD", "/", RecordingListener.host(), 0, false)));
                assertThat(listener.outcome()).isEqualTo("end");
                assertThat(listener.events).contains("head 200 7");
                fixture.settle();
            }
            assertThat(backend.accepted()).isEqualTo(1);
        }
    }

    @Test
    void truncatedBodiesAreFailures() throws Exception {
        String fixed = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
        String chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n";
        for (String bytes : List.of(fixed, chunked)) {
            try (var fixture = new UpstreamFixture();
                    RawBackend backend =
                            RawBackend.start(connection -> {
                                connection.readHead();
                                connection.send(bytes);
                            })) {
                RecordingListener listener = fixture.get(UpstreamFixture.upstream(backend), "/");
                assertThat(listener.outcome()).isEqualTo("RESPONSE_TRUNCATED");
                assertThat(listener.events).contains("final");
            }
        }
    }

    @Test
    void resetInABodyThatEndsWithTheConnectionIsATruncation() throws Exception {
        var seen = new CountDownLatch(1);
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send("HTTP/1.1 200 OK\r\n\r\nhalf");
                            pass(seen);
                            connection.reset();
                        })) {
            RecordingListener listener =
                    fixture.open(UpstreamFixture.upstream(backend), RecordingListener.get("/"));
            await().until(() -> listener.body().equals("half"));
            seen.countDown();
            assertThat(listener.outcome()).isEqualTo("RESPONSE_TRUNCATED");
        }
    }

    @Test
    void closeBeforeAnAnswerOnANewConnectionIsFinal() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend = RawBackend.start(RawBackend.Connection::readHead)) {
            RecordingListener listener = fixture.get(UpstreamFixture.upstream(backend), "/");
            assertThat(listener.outcome()).isEqualTo("UPSTREAM_RESET");
            assertThat(listener.events).containsExactly("new", "final");
        }
    }

    @Test
    void closeBeforeAnAnswerOnAReusedConnectionIsRetriable() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(OK);
                            connection.readHead();
                        })) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            fixture.get(upstream, "/1");
            RecordingListener second = fixture.get(upstream, "/2");
            assertThat(second.outcome()).isEqualTo("UPSTREAM_RESET");
            assertThat(second.events).containsExactly("reused", "retriable");
        }
    }

    @Test
    void closeWithinAHeadOnAReusedConnectionIsFinal() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(OK);
                            connection.readHead();
                            connection.send("HTTP/1.1 20");
                        })) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            fixture.get(upstream, "/1");
            RecordingListener second = fixture.get(upstream, "/2");
            assertThat(second.outcome()).isEqualTo("UPSTREAM_RESET");
            assertThat(second.events).containsExactly("reused", "final");
        }
    }

    @Test
    void retryGetsANewConnection() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend = RawBackend.answering(OK)) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            fixture.get(upstream, "/1");
            RecordingListener retry = RecordingListener.get("/2");
            fixture.open(
                    fixture.loops.getFirst(), upstream, UpstreamFixture.endpoint(backend), retry);
            assertThat(retry.outcome()).isEqualTo("end");
            assertThat(retry.events).contains("new");
            assertThat(backend.accepted()).isEqualTo(2);
        }
    }

    @Test
    void bytesOnAnIdleConnectionCostItItsPlace() throws Exception {
        var speak = new CountDownLatch(1);
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(OK);
                            if (connection.number() == 1) {
                                pass(speak);
                                connection.send(
                                        "HTTP/1.1 200 OK\r\n" + "content-length: 4\r\n\r\nevil");
                                connection.readHead();
                            }
                        })) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            fixture.get(upstream, "/1");
            assertThat(fixture.metric(Metric.UPSTREAM_CONNECTIONS_IDLE)).isEqualTo(1);
            speak.countDown();
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_IDLE) == 0);
            assertThat(fixture.get(upstream, "/2").body()).isEqualTo("ok");
            assertThat(backend.accepted()).isEqualTo(2);
        }
    }

    @Test
    void idleConnectionIsClosedAfterItsTime() throws Exception {
        ProxySettings settings =
                UpstreamFixture.settings(
                        ProxySettings.Limits.DEFAULT,
                        UpstreamFixture.timeouts(SECOND, Duration.ofMillis(100)));
        try (var fixture = new UpstreamFixture(1, settings, new AddressGuard(true));
                RawBackend backend = RawBackend.answering(OK)) {
            fixture.get(UpstreamFixture.upstream(backend), "/1");
            assertThat(fixture.metric(Metric.UPSTREAM_CONNECTIONS_OPEN)).isEqualTo(1);
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_OPEN) == 0);
            assertThat(fixture.metric(Metric.UPSTREAM_CONNECTIONS_IDLE)).isZero();
        }
    }

    @Test
    void connectionThatCannotBeClosedKeepsNoOtherFromIt() throws Exception {
        ProxySettings settings =
                UpstreamFixture.settings(
                        ProxySettings.Limits.DEFAULT,
                        UpstreamFixture.timeouts(SECOND, Duration.ofMillis(100)));
        ProxySettings nio =
                new ProxySettings(
                        ProxySettings.Transport.NIO,
                        settings.eventLoops(),
                        settings.limits(),
                        settings.timeouts(),
                        settings.forwarding(),
                        settings.hsts(),
                        settings.accessLog(),
                        settings.escapedSlashes());
        var made = new AtomicInteger();
        try (var fixture =
                        new UpstreamFixture(
                                1,
                                nio,
                                new AddressGuard(true),
                                () -> new Stubborn(made.incrementAndGet() == 1));
                RawBackend first = RawBackend.answering(OK);
                RawBackend second = RawBackend.answering(OK)) {
            fixture.get(UpstreamFixture.upstream(first), "/1");
            await().until(() -> fixture.metric(Metric.BUGS) == 1);
            fixture.get(UpstreamFixture.upstream(second), "/2");
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_OPEN) == 1);
        }
    }

    /** Perhaps it fails to close, once. */
    private static final class Stubborn extends NioSocketChannel {
        private boolean fails;

        Stubborn(boolean fails) {
            this.fails = fails;
        }

        @Override
        public ChannelFuture close() {
            if (fails) {
                fails = false;
                throw new IllegalStateException("test");
            }
            return super.close();
        }
    }

    @Test
    void nameThatIsNotResolvedInTimeIsRetriable() throws Exception {
        ProxySettings settings =
                UpstreamFixture.settings(
                        ProxySettings.Limits.DEFAULT,
                        UpstreamFixture.timeouts(Duration.ofMillis(200), SECOND));
        try (var fixture = new UpstreamFixture(1, settings, new AddressGuard(true))) {
            RecordingListener listener =
                    fixture.get(
                            UpstreamFixture.upstream(new Endpoint(UpstreamFixture.SILENT, 80)),
                            "/");
            assertThat(listener.outcome()).isEqualTo("CONNECT_TIMEOUT");
            assertThat(listener.events).containsExactly("retriable");
            assertThat(fixture.metric(Metric.UPSTREAM_CONNECT_FAILURES)).isEqualTo(1);
        }
    }

    @Test
    void noMoreIdleConnectionsAreKeptThanAllowed() throws Exception {
        var answer = new CountDownLatch(1);
        ProxySettings settings =
                UpstreamFixture.settings(
                        UpstreamFixture.limits(100, 2, 100), ProxySettings.Timeouts.DEFAULT);
        try (var fixture = new UpstreamFixture(1, settings, new AddressGuard(true));
                RawBackend backend = answeringAfter(answer)) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            List<RecordingListener> all = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                all.add(fixture.open(upstream, RecordingListener.get("/")));
            }
            await().until(() -> backend.accepted() == 5);
            answer.countDown();
            all.forEach(RecordingListener::outcome);
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_OPEN) == 2);
        }
    }

    @Test
    void refusedConnectionIsRetriable() throws Exception {
        int closed;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = socket.getLocalPort();
        }
        try (var fixture = new UpstreamFixture()) {
            RecordingListener listener =
                    fixture.get(UpstreamFixture.upstream(new Endpoint("127.0.0.1", closed)), "/");
            assertThat(listener.outcome()).isEqualTo("CONNECT_FAILED");
            assertThat(listener.events).containsExactly("retriable");
            assertThat(fixture.metric(Metric.UPSTREAM_CONNECT_FAILURES)).isEqualTo(1);
        }
    }

    @Test
    void connectionThatIsNotMadeInTimeIsRetriable() throws Exception {
        ProxySettings settings =
                UpstreamFixture.settings(
                        ProxySettings.Limits.DEFAULT,
                        UpstreamFixture.timeouts(Duration.ofMillis(200), SECOND));
        // A full backlog of one: SYNs are dropped, which looks like a host that is off.
        try (var fixture = new UpstreamFixture(1, settings, new AddressGuard(true));
                var full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var endpoint = new Endpoint("127.0.0.1", full.getLocalPort());
            List<RecordingListener> all = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                all.add(
                        fixture.open(
                                UpstreamFixture.upstream(endpoint), RecordingListener.get("/")));
            }
            await().until(() ->
                    all.stream()
                            .anyMatch(one ->
                                    one.over.isDone() && one.outcome().equals("CONNECT_TIMEOUT")));
        }
    }

    @Test
    void endpointThatJustFailedIsAvoided() throws Exception {
        int closed;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = socket.getLocalPort();
        }
        try (var fixture = new UpstreamFixture();
                RawBackend backend = RawBackend.answering(OK)) {
            Upstream upstream =
                    UpstreamFixture.upstream(
                            UpstreamFixture.endpoint(backend), new Endpoint("127.0.0.1", closed));
            int failures = 0;
            long began = System.nanoTime();
            for (int i = 0; i < 20; i++) {
                failures += fixture.get(upstream, "/").outcome().equals("end") ? 0 : 1;
            }
            long seconds = Duration.ofNanos(System.nanoTime() - began).toSeconds();
            assertThat(failures)
                    .as("once, and after a second again")
                    .isBetween(1, 1 + (int) seconds);
        }
    }

    @Test
    void onlyEndpointIsTriedEvenWhenItJustFailed() throws Exception {
        int port;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        try (var fixture = new UpstreamFixture()) {
            Upstream upstream = UpstreamFixture.upstream(new Endpoint("127.0.0.1", port));
            assertThat(fixture.get(upstream, "/1").outcome()).isEqualTo("CONNECT_FAILED");
            assertThat(fixture.get(upstream, "/2").outcome()).isEqualTo("CONNECT_FAILED");
            assertThat(fixture.metric(Metric.UPSTREAM_CONNECT_FAILURES)).isEqualTo(2);
        }
    }

    @Test
    void requestsAreSpreadEvenly() throws Exception {
        List<RawBackend> backends = new ArrayList<>();
        List<AtomicInteger> counts = new ArrayList<>();
        try (var fixture = new UpstreamFixture()) {
            for (int i = 0; i < 4; i++) {
                var count = new AtomicInteger();
                counts.add(count);
                backends.add(
                        RawBackend.start(connection -> {
                            while (connection.readHead() != null) {
                                count.incrementAndGet();
                                connection.send(OK);
                            }
                        }));
            }
            Upstream upstream =
                    UpstreamFixture.upstream(
                            backends.stream()
                                    .map(UpstreamFixture::endpoint)
                                    .toArray(Endpoint[]::new));
            for (int i = 0; i < 40; i++) {
                fixture.get(upstream, "/");
            }
            assertThat(counts).allSatisfy(count -> assertThat(count.get()).isEqualTo(10));
        } finally {
            for (RawBackend backend : backends) {
                backend.close();
            }
        }
    }

    @Test
    void busyEndpointGetsLess() throws Exception {
        var answer = new CountDownLatch(1);
        try (var fixture = new UpstreamFixture();
                RawBackend slow = answeringAfter(answer);
                RawBackend fast = RawBackend.answering(OK)) {
            Upstream upstream =
                    UpstreamFixture.upstream(
                            UpstreamFixture.endpoint(slow), UpstreamFixture.endpoint(fast));
            List<RecordingListener> stuck = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                RecordingListener listener = fixture.open(upstream, RecordingListener.get("/"));
                UpstreamCall call = listener.connected.get(5, TimeUnit.SECONDS);
                if (call.endpoint().port() == fast.port()) {
                    listener.outcome();
                    fixture.settle();
                } else {
                    stuck.add(listener);
                }
            }
            assertThat(stuck).hasSizeLessThanOrEqualTo(1);
            answer.countDown();
            stuck.forEach(RecordingListener::outcome);
        }
    }

    @Test
    void whoFindsEveryConnectionTakenWaitsInLine() throws Exception {
        var answers = new LinkedBlockingQueue<Integer>();
        var targets = new LinkedBlockingQueue<String>();
        ProxySettings settings =
                UpstreamFixture.settings(
                        UpstreamFixture.limits(1, 10, 2), ProxySettings.Timeouts.DEFAULT);
        try (var fixture = new UpstreamFixture(1, settings, new AddressGuard(true));
                RawBackend backend =
                        RawBackend.start(connection -> {
                            String head = connection.readHead();
                            while (head != null) {
                                targets.add(head.split(" ", -1)[1]);
                                take(answers);
                                connection.send(OK);
                                head = connection.readHead();
                            }
                        })) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            RecordingListener first = fixture.open(upstream, RecordingListener.get("/1"));
            RecordingListener second = fixture.open(upstream, RecordingListener.get("/2"));
            RecordingListener third = fixture.open(upstream, RecordingListener.get("/3"));
            RecordingListener fourth = fixture.open(upstream, RecordingListener.get("/4"));
            assertThat(fourth.outcome()).isEqualTo("OVERLOADED");
            assertThat(fixture.metric(Metric.UPSTREAM_PENDING)).isEqualTo(2);
            answers.addAll(List.of(1, 2, 3));
            assertThat(first.outcome()).isEqualTo("end");
            assertThat(second.outcome()).isEqualTo("end");
            assertThat(third.outcome()).isEqualTo("end");
            assertThat(targets).containsExactly("/1", "/2", "/3");
            assertThat(backend.accepted()).isEqualTo(1);
            assertThat(fixture.metric(Metric.UPSTREAM_PENDING)).isZero();
        }
    }

    @Test
    void whoWaitsTooLongIsTurnedAway() throws Exception {
        var answer = new CountDownLatch(1);
        ProxySettings settings =
                UpstreamFixture.settings(
                        UpstreamFixture.limits(1, 10, 10),
                        UpstreamFixture.timeouts(Duration.ofMillis(200), SECOND));
        try (var fixture = new UpstreamFixture(1, settings, new AddressGuard(true));
                RawBackend backend = answeringAfter(answer)) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            RecordingListener first = fixture.open(upstream, RecordingListener.get("/1"));
            RecordingListener second = fixture.open(upstream, RecordingListener.get("/2"));
            assertThat(second.outcome()).isEqualTo("OVERLOADED");
            answer.countDown();
            assertThat(first.outcome()).isEqualTo("end");
        }
    }

    @Test
    void connectionsAreBoundedOverAllLoopsAndEveryLoopGetsItsTurn() throws Exception {
        var concurrent = new AtomicInteger();
        var most = new AtomicInteger();
        ProxySettings settings =
                UpstreamFixture.settings(
                        UpstreamFixture.limits(2, 10, 1000), ProxySettings.Timeouts.DEFAULT);
        try (var fixture = new UpstreamFixture(3, settings, new AddressGuard(true));
                RawBackend backend =
                        RawBackend.start(connection -> {
                            most.accumulateAndGet(concurrent.incrementAndGet(), Math::max);
                            while (connection.readHead() != null) {
                                connection.send(OK);
                            }
                            concurrent.decrementAndGet();
                        })) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            List<RecordingListener> all = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                RecordingListener listener = RecordingListener.get("/" + i);
                all.add(listener);
                fixture.open(fixture.loops.get(i % 3), upstream, null, listener);
            }
            assertThat(all).allSatisfy(one -> assertThat(one.outcome()).isEqualTo("end"));
            // One more than the bound: the backend may see a close after the next accept.
            assertThat(most.get()).isLessThanOrEqualTo(3);
            assertThat(fixture.metric(Metric.UPSTREAM_PENDING)).isZero();
        }
    }

    @Test
    void idleConnectionOfAnotherLoopMakesRoom() throws Exception {
        ProxySettings settings =
                UpstreamFixture.settings(
                        UpstreamFixture.limits(1, 10, 10), ProxySettings.Timeouts.DEFAULT);
        try (var fixture = new UpstreamFixture(2, settings, new AddressGuard(true));
                RawBackend backend = RawBackend.answering(OK)) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            fixture.get(upstream, "/1"); // stays idle on the first loop
            RecordingListener other = RecordingListener.get("/2");
            fixture.open(fixture.loops.get(1), upstream, null, other);
            assertThat(other.outcome()).isEqualTo("end");
            assertThat(backend.accepted()).isEqualTo(2);
        }
    }

    /** A newcomer of another loop takes the permit that a waiter is just being woken for. */
    @Test
    void whoIsWokenInVainIsNotForgotten() throws Exception {
        var first = new CountDownLatch(1);
        var busy = new CountDownLatch(1);
        ProxySettings settings =
                UpstreamFixture.settings(
                        UpstreamFixture.limits(1, 10, 10), ProxySettings.Timeouts.DEFAULT);
        try (var fixture = new UpstreamFixture(2, settings, new AddressGuard(true));
                RawBackend backend =
                        RawBackend.start(connection -> {
                            String head = connection.readHead();
                            while (head != null) {
                                if (head.startsWith("GET /1 ")) {
                                    pass(first);
                                    connection.send(LAST);
                                    return;
                                }
                                connection.send(OK);
                                head = connection.readHead();
                            }
                        })) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            RecordingListener one = fixture.open(upstream, RecordingListener.get("/1"));
            RecordingListener waiter = RecordingListener.get("/2");
            fixture.open(fixture.loops.get(1), upstream, null, waiter);
            fixture.settle();
            Future<?> held =
                    fixture.loops
                            .get(1)
                            .submit(() -> {
                                pass(busy);
                                return true;
                            });
            first.countDown();
            assertThat(one.outcome()).isEqualTo("end");
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_OPEN) == 0);
            RecordingListener newcomer = fixture.open(upstream, RecordingListener.get("/3"));
            assertThat(newcomer.outcome()).isEqualTo("end");
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_IDLE) == 1);
            busy.countDown();
            assertThat(held.get(10, TimeUnit.SECONDS)).isEqualTo(true);
            assertThat(waiter.outcome()).isEqualTo("end");
        }
    }

    @Test
    void cancelledWaitTakesNoConnection() throws Exception {
        var answer = new CountDownLatch(1);
        ProxySettings settings =
                UpstreamFixture.settings(
                        UpstreamFixture.limits(1, 10, 10), ProxySettings.Timeouts.DEFAULT);
        try (var fixture = new UpstreamFixture(1, settings, new AddressGuard(true));
                RawBackend backend = answeringAfter(answer)) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            RecordingListener first = fixture.open(upstream, RecordingListener.get("/1"));
            RecordingListener second = RecordingListener.get("/2");
            Runnable wait = fixture.open(fixture.loops.getFirst(), upstream, null, second);
            fixture.on(
                    fixture.loops.getFirst(),
                    () -> {
                        wait.run();
                        return true;
                    });
            answer.countDown();
            first.outcome();
            fixture.settle();
            assertThat(second.events).isEmpty();
            assertThat(fixture.metric(Metric.UPSTREAM_PENDING)).isZero();
            assertThat(fixture.metric(Metric.UPSTREAM_CONNECTIONS_IDLE)).isEqualTo(1);
        }
    }

    @Test
    void cancelledCallClosesItsConnection() throws Exception {
        var never = new CountDownLatch(1);
        try (var fixture = new UpstreamFixture();
                RawBackend backend = answeringAfter(never)) {
            RecordingListener listener =
                    fixture.open(UpstreamFixture.upstream(backend), RecordingListener.get("/"));
            UpstreamCall call = listener.connected.get(5, TimeUnit.SECONDS);
            fixture.on(
                    fixture.loops.getFirst(),
                    () -> {
                        call.cancel();
                        return true;
                    });
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_OPEN) == 0);
            assertThat(listener.over).isNotDone();
            never.countDown();
        }
    }

    @Test
    void lateCancelDoesNotTouchTheNextCall() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend = RawBackend.answering(OK)) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            RecordingListener first = fixture.get(upstream, "/1");
            RecordingListener second =
                    new RecordingListener(call -> {
                        call.sendHead("GET", "/2", RecordingListener.host(), 0, false);
                        first.connected.join().cancel();
                        first.connected.join().sendData(text("late"), true);
                        first.connected.join().consumed(1 << 30);
                    });
            fixture.open(upstream, second);
            assertThat(second.outcome()).isEqualTo("end");
            assertThat(second.events).contains("reused");
        }
    }

    @Test
    void earlyAnswerArrivesAndTheConnectionIsNotKept() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(
                                    connection.number() == 1
                                            ? "HTTP/1.1 413 No\r\ncontent-length: 0\r\n\r\n"
                                            : OK);
                            connection.readHead();
                        })) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            RecordingListener upload =
                    fixture.open(
                            upstream,
                            new RecordingListener(call -> {
                                call.sendHead("POST", "/", RecordingListener.host(), 100, false);
                                call.sendData(text("part"), false);
                            }));
            assertThat(upload.outcome()).isEqualTo("end");
            assertThat(upload.events).contains("head 413 0");
            assertThat(fixture.get(upstream, "/2").events).contains("new", "head 200 2");
        }
    }

    @Test
    void answerOfABackendThatClosesDuringAnUploadIsRead() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send("HTTP/1.1 413 No\r\ncontent-length: 3\r\n\r\nbig");
                        })) {
            RecordingListener upload =
                    fixture.open(
                            UpstreamFixture.upstream(backend),
                            new RecordingListener(call -> {
                                call.sendHead(
                                        "POST", "/", RecordingListener.host(), 1 << 20, false);
                                call.sendData(text("x".repeat(1 << 19)), false);
                                call.sendData(text("x".repeat(1 << 19)), true);
                            }));
            assertThat(upload.outcome()).isEqualTo("end");
            assertThat(upload.body()).isEqualTo("big");
        }
    }

    @Test
    void moreThanTheAnnouncedLengthIsNotSent() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend = RawBackend.answering(OK)) {
            RecordingListener listener =
                    fixture.open(
                            UpstreamFixture.upstream(backend),
                            new RecordingListener(call -> {
                                call.sendHead("POST", "/", RecordingListener.host(), 3, false);
                                call.sendData(text("four"), true);
                            }));
            assertThat(listener.outcome()).isEqualTo("BAD_REQUEST");
        }
    }

    @Test
    void responseOfTinyChunksIsNotReadFurtherThanWhatItCosts() throws Exception {
        int chunks = 200_000;
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(
                                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                                            + "1\r\nx\r\n".repeat(chunks)
                                            + "0\r\n\r\n");
                            connection.readHead();
                        })) {
            RecordingListener listener = RecordingListener.get("/");
            listener.consuming = false;
            listener.keepBody = false;
            fixture.open(UpstreamFixture.upstream(backend), listener);
            UpstreamCall call = listener.connected.get(5, TimeUnit.SECONDS);
            int oneRead = 64 * 1024 / "1\r\nx\r\n".length();
            await().until(() -> listener.received.get() >= 64L * 1024 / InFlight.PIECE);
            await().during(Duration.ofMillis(200))
                    .until(() -> listener.received.get() < 2L * oneRead);

            listener.consuming = true;
            fixture.on(
                    fixture.loops.getFirst(),
                    () -> {
                        call.consumed((int) listener.received.get());
                        return true;
                    });
            assertThat(listener.outcome()).isEqualTo("end");
            assertThat(listener.received.get()).isEqualTo(chunks);
        }
    }

    @Test
    void responseIsNotReadFurtherThanItsCredit() throws Exception {
        long size = 64L << 20;
        try (var fixture = new UpstreamFixture();
                RawBackend backend = streaming(size)) {
            RecordingListener listener = RecordingListener.get("/");
            listener.consuming = false;
            listener.keepBody = false;
            fixture.open(UpstreamFixture.upstream(backend), listener);
            UpstreamCall call = listener.connected.get(5, TimeUnit.SECONDS);
            await().until(() -> listener.received.get() >= 64 * 1024);
            await().during(Duration.ofMillis(200))
                    .until(() -> listener.received.get() < 256 * 1024);

            listener.consuming = true;
            fixture.on(
                    fixture.loops.getFirst(),
                    () -> {
                        call.consumed((int) listener.received.get());
                        return true;
                    });
            assertThat(listener.outcome()).isEqualTo("end");
            assertThat(listener.received.get()).isEqualTo(size);
            // Reading goes on for the pool, which watches idle connections.
            fixture.settle();
            assertThat(fixture.get(UpstreamFixture.upstream(backend), "/2").events)
                    .contains("reused");
        }
    }

    @Test
    void requestIsNotWritableWhileTheBackendDoesNotRead() throws Exception {
        var read = new CountDownLatch(1);
        long size = 32L << 20;
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            pass(read);
                            for (long left = size; left > 0; left -= 64 * 1024) {
                                connection.read(64 * 1024);
                            }
                            connection.send(OK);
                        })) {
            var sent = new java.util.concurrent.atomic.AtomicLong();
            var listener =
                    new RecordingListener(call ->
                            call.sendHead("PUT", "/", RecordingListener.host(), size, false)) {
                        private void pump() {
                            UpstreamCall call = connected.join();
                            while (sent.get() < size && call.isWritable()) {
                                sent.addAndGet(64 * 1024);
                                call.sendData(
                                        Unpooled.wrappedBuffer(new byte[64 * 1024]),
                                        sent.get() == size);
                            }
                        }

                        @Override
                        public void onConnected(UpstreamCall call) {
                            super.onConnected(call);
                            pump();
                        }

                        @Override
                        public void onWritable() {
                            pump();
                        }
                    };
            fixture.open(UpstreamFixture.upstream(backend), listener);
            await().during(Duration.ofMillis(200)).until(() -> sent.get() < size / 2);
            read.countDown();
            assertThat(listener.outcome()).isEqualTo("end");
            assertThat(sent.get()).isEqualTo(size);
        }
    }

    @Test
    void webSocketIsOpaqueBothWaysAfterTheSwitch() throws Exception {
        var heads = new LinkedBlockingQueue<String>();
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            String head = connection.readHead();
                            heads.add(head);
                            connection.send(switching(accept(head)) + "early");
                            for (int b = connection.read(); b >= 0; b = connection.read()) {
                                connection.send(new byte[] {(byte) b});
                            }
                        })) {
            RecordingListener listener =
                    fixture.open(UpstreamFixture.upstream(backend), webSocket());
            await().until(() -> listener.body().equals("early"));
            UpstreamCall call = listener.connected.join();
            fixture.on(
                    fixture.loops.getFirst(),
                    () -> {
                        call.sendData(text("HTTP/1.1 200 OK\r\n\r\n"), false);
                        call.sendData(Unpooled.EMPTY_BUFFER, true);
                        return true;
                    });
            assertThat(listener.outcome()).isEqualTo("end");
            assertThat(listener.body()).isEqualTo("earlyHTTP/1.1 200 OK\r\n\r\n");
            assertThat(listener.events).containsExactly("new", "websocket");
            assertThat(heads.poll())
                    .contains("connection: Upgrade\r\n", "upgrade: websocket\r\n")
                    .contains("sec-websocket-version: 13\r\n");
        }
    }

    @Test
    void webSocketWithAWrongAcceptIsABadResponse() throws Exception {
        assertThat(webSocketOutcome(switching("bm90IHRoZSByaWdodCBvbmU=")))
                .isEqualTo("BAD_RESPONSE");
    }

    @Test
    void switchToSomethingElseIsABadResponse() throws Exception {
        assertThat(
                        webSocketOutcome(
                                "HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"))
                .isEqualTo("BAD_RESPONSE");
    }

    @Test
    void webSocketMayBeDenied() throws Exception {
        assertThat(webSocketOutcome("HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno"))
                .isEqualTo("end");
    }

    private static String webSocketOutcome(String answer) throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend = RawBackend.answering(answer)) {
            RecordingListener listener =
                    fixture.open(UpstreamFixture.upstream(backend), webSocket());
            String outcome = listener.outcome();
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_OPEN) == 0);
            return outcome;
        }
    }

    @Test
    void endpointThatVanishedLosesItsIdleConnections() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend old = RawBackend.answering(OK);
                RawBackend young = RawBackend.answering(OK)) {
            Upstream before = UpstreamFixture.upstream(old);
            Upstream after = UpstreamFixture.upstream(young);
            fixture.registry.reconcile(ShardedMap.copyOf(Map.of(before.key(), before)));
            fixture.get(before, "/1");
            fixture.registry.reconcile(ShardedMap.copyOf(Map.of(after.key(), after)));
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_OPEN) == 0);
            assertThat(fixture.get(after, "/2").outcome()).isEqualTo("end");
        }
    }

    @Test
    void endpointThatStaysKeepsItsConnections() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend stays = RawBackend.answering(OK);
                RawBackend comes = RawBackend.answering(OK)) {
            Upstream before = UpstreamFixture.upstream(stays);
            Upstream after =
                    UpstreamFixture.upstream(
                            UpstreamFixture.endpoint(stays), UpstreamFixture.endpoint(comes));
            fixture.get(before, "/1");
            fixture.registry.reconcile(ShardedMap.copyOf(Map.of(after.key(), after)));
            fixture.settle();
            assertThat(fixture.metric(Metric.UPSTREAM_CONNECTIONS_IDLE)).isEqualTo(1);
        }
    }

    @Test
    void callInProgressOutlivesItsEndpoint() throws Exception {
        var answer = new CountDownLatch(1);
        try (var fixture = new UpstreamFixture();
                RawBackend backend = answeringAfter(answer)) {
            RecordingListener listener =
                    fixture.open(UpstreamFixture.upstream(backend), RecordingListener.get("/"));
            await().until(() -> backend.accepted() == 1);
            fixture.registry.reconcile(ShardedMap.copyOf(Map.of()));
            fixture.settle();
            answer.countDown();
            assertThat(listener.outcome()).isEqualTo("end");
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_OPEN) == 0);
        }
    }

    @Test
    void nameIsResolvedAndEveryAddressTried() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend = RawBackend.answering(OK)) {
            fixture.names.put(
                    "shop.example",
                    List.of(
                            InetAddress.ofLiteral("127.0.0.2"), // nobody listens there
                            InetAddress.ofLiteral("127.0.0.1")));
            Upstream upstream =
                    UpstreamFixture.upstream(new Endpoint("shop.example", backend.port()));
            assertThat(fixture.get(upstream, "/").outcome()).isEqualTo("end");
        }
    }

    @Test
    void unknownNameIsAFailureToConnect() throws Exception {
        try (var fixture = new UpstreamFixture()) {
            RecordingListener listener =
                    fixture.get(UpstreamFixture.upstream(new Endpoint("nowhere.example", 80)), "/");
            assertThat(listener.outcome()).isEqualTo("CONNECT_FAILED");
        }
    }

    @Test
    void nameThatPointsAtTheNodeItselfLeadsNowhere() throws Exception {
        try (var fixture = new UpstreamFixture(1, ProxySettings.DEFAULT, new AddressGuard(false));
                RawBackend backend = RawBackend.answering(OK)) {
            fixture.names.put("evil.example", List.of(InetAddress.ofLiteral("127.0.0.1")));
            RecordingListener listener =
                    fixture.get(
                            UpstreamFixture.upstream(new Endpoint("evil.example", backend.port())),
                            "/");
            assertThat(listener.outcome()).isEqualTo("CONNECT_FAILED");
            assertThat(backend.accepted()).isZero();
        }
    }

    @Test
    void nameThatPointsBackAtTheGatewayLeadsNowhere() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                RawBackend neighbour = RawBackend.answering(OK);
                var fixture =
                        new UpstreamFixture(
                                1,
                                ProxySettings.DEFAULT,
                                new AddressGuard(
                                        true,
                                        new OwnAddresses(
                                                Set.of(),
                                                Set.of(
                                                        new InetSocketAddress(
                                                                InetAddress.ofLiteral("127.0.0.1"),
                                                                backend.port())))))) {
            fixture.names.put("me.example", List.of(InetAddress.ofLiteral("127.0.0.1")));
            for (String host : List.of("me.example", "127.0.0.1")) {
                RecordingListener refused =
                        fixture.get(
                                UpstreamFixture.upstream(new Endpoint(host, backend.port())), "/");
                assertThat(refused.outcome()).isEqualTo("CONNECT_FAILED");
                RecordingListener allowed =
                        fixture.get(
                                UpstreamFixture.upstream(new Endpoint(host, neighbour.port())),
                                "/");
                assertThat(allowed.outcome()).isEqualTo("end");
            }
            assertThat(backend.accepted()).isZero();
        }
    }

    @Test
    void closedRegistryTakesNoCalls() throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend = RawBackend.answering(OK)) {
            Upstream upstream = UpstreamFixture.upstream(backend);
            fixture.get(upstream, "/1");
            fixture.registry.close();
            await().until(() -> fixture.metric(Metric.UPSTREAM_CONNECTIONS_OPEN) == 0);
            assertThat(fixture.get(upstream, "/2").outcome()).isEqualTo("DRAINING");
        }
    }

    private static RecordingListener webSocket() {
        return new RecordingListener(
                call -> call.sendHead("GET", "/ws", RecordingListener.host(), 0, true));
    }

    private static String switching(String accept) {
        return "HTTP/1.1 101 Switching Protocols\r\nConnection: keep-alive, Upgrade\r\n"
                + "Upgrade: WebSocket\r\nSec-WebSocket-Accept: "
                + accept
                + "\r\n\r\n";
    }

    private static String accept(@Nullable String head) throws IOException {
        String key =
                java.util.Objects.requireNonNull(head)
                        .lines()
                        .filter(line -> line.startsWith("sec-websocket-key: "))
                        .findFirst()
                        .orElseThrow()
                        .substring(19);
        try {
            byte[] digest =
                    java.security.MessageDigest.getInstance("SHA-1")
                            .digest(
                                    (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
                                            .getBytes(StandardCharsets.US_ASCII));
            return java.util.Base64.getEncoder().encodeToString(digest);
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IOException(e);
        }
    }

    private static RawBackend answeringAfter(CountDownLatch latch) {
        return RawBackend.start(connection -> {
            while (connection.readHead() != null) {
                pass(latch);
                connection.send(OK);
            }
        });
    }

    private static RawBackend streaming(long size) {
        return RawBackend.start(connection -> {
            while (connection.readHead() != null) {
                connection.send("HTTP/1.1 200 OK\r\ncontent-length: " + size + "\r\n\r\n");
                byte[] block = new byte[64 * 1024];
                for (long left = size; left > 0; left -= block.length) {
                    connection.send(block);
                }
            }
        });
    }

    private static void pass(CountDownLatch latch) throws IOException {
        try {
            if (!latch.await(10, TimeUnit.SECONDS)) {
                throw new IOException("the test did not go on");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static void take(LinkedBlockingQueue<Integer> queue) throws IOException {
        try {
            if (queue.poll(10, TimeUnit.SECONDS) == null) {
                throw new IOException("the test did not go on");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static ByteBuf text(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
    }
}

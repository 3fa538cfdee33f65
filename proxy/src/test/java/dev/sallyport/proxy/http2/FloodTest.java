package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.ProxyError;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients that want to cost more than they pay. */
@Tag("slow")
final class FloodTest {
    private static final ProxySettings.Limits LIMITS = ProxySettings.Limits.DEFAULT;
    private static final byte[] NOTHING = {};

    private final RecordedExchanges exchanges = new RecordedExchanges();
    private final RecordedEvents events = new RecordedEvents();

    @AfterAll
    static void noBufferIsLost() {
        LeakPresenceDetector.check();
    }

    static Stream<Arguments> floods() {
        return Stream.of(
                flood(
                        "rapid reset (CVE-2023-44487)",
                        Flood.RESETS,
                        300,
                        (client, id) -> client.get(id).reset(id)),
                flood(
                        "resets provoked by empty window updates (CVE-2025-55163)",
                        Flood.RESETS,
                        300,
                        (client, id) -> client.post(id).windowUpdate(id, 0)),
                flood(
                        "resets provoked by too large windows (CVE-2025-55163)",
                        Flood.RESETS,
                        300,
                        (client, id) -> client.post(id).windowUpdate(id, Integer.MAX_VALUE)),
                flood(
                        "resets provoked by malformed requests",
                        Flood.RESETS,
                        300,
                        (client, id) -> client.headers(id, true, ":method", "GET")),
                flood(
                        "resets provoked by wrong lengths",
                        Flood.RESETS,
                        300,
                        (client, id) ->
                                client.post(id, "content-length", "1").data(id, true, NOTHING)),
                flood(
                        "SETTINGS (CVE-2019-9515)",
                        Flood.CONTROL_FRAMES,
                        1100,
                        (client, _) -> client.settings(RawClient.SETTINGS_INITIAL_WINDOW, 65_535)),
                flood(
                        "PING (CVE-2019-9512)",
                        Flood.CONTROL_FRAMES,
                        1100,
                        (client, _) -> client.frame(RawClient.PING, 0, 0, new byte[8])),
                flood(
                        "PING acknowledgements nobody asked for",
                        Flood.CONTROL_FRAMES,
                        1100,
                        (client, _) -> client.frame(RawClient.PING, RawClient.ACK, 0, new byte[8])),
                flood(
                        "PRIORITY (CVE-2019-9513)",
                        Flood.CONTROL_FRAMES,
                        1100,
                        (client, id) -> client.frame(RawClient.PRIORITY, 0, id, new byte[5])),
                flood(
                        "WINDOW_UPDATE for nothing",
                        Flood.CONTROL_FRAMES,
                        1100,
                        (client, _) -> client.windowUpdate(0, 1)),
                flood(
                        "frames of an unknown type",
                        Flood.CONTROL_FRAMES,
                        1100,
                        (client, _) -> client.frame(0x42, 0, 0, NOTHING)),
                flood(
                        "RST_STREAM for a stream that is over",
                        Flood.CONTROL_FRAMES,
                        1300,
                        (client, id) -> (id == 1 ? client.get(1) : client).reset(1)),
                flood(
                        "empty DATA (CVE-2019-9518)",
                        Flood.CONTROL_FRAMES,
                        1100,
                        (client, id) ->
                                (id == 1 ? client.post(1) : client).data(1, false, NOTHING)),
                flood(
                        "empty CONTINUATION (CVE-2026-33871)",
                        Flood.HEADERS,
                        100,
                        (client, id) ->
                                id == 1
                                        ? client.frame(RawClient.HEADERS, 0, 1, NOTHING)
                                        : client.frame(RawClient.CONTINUATION, 0, 1, NOTHING)),
                flood(
                        "one field referred to again and again (CVE-2026-49975)",
                        Flood.HEADERS,
                        1,
                        (client, _) ->
                                client.frame(
                                        RawClient.HEADERS,
                                        RawClient.END_HEADERS | RawClient.END_STREAM,
                                        1,
                                        bomb())),
                flood(
                        "thousands of cookie crumbs (CVE-2026-47774)",
                        Flood.HEADERS,
                        1,
                        (client, _) -> client.get(1, crumbs(800))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("floods")
    void endsTheConnection(String name, Flood kind, Consumer<RawClient> attack) throws IOException {
        try (TestServer server =
                        TestServer.plain(exchanges, TestSettings.defaults().settings(), events);
                RawClient client = RawClient.connect(server)) {
            try {
                attack.accept(client);
                client.flush();
            } catch (UncheckedIOException closedMeanwhile) {
                // That is the point; GOAWAY may still be read.
            }
            assertThat(client.goAwayError())
                    .as(name)
                    .isEqualTo(Http2Error.ENHANCE_YOUR_CALM.code());
            assertThat(events.floods()).containsExactly(kind);
            assertThat(exchanges.count()).isLessThanOrEqualTo(LIMITS.resetsPerHalfMinute() + 1);
        }
    }

    @Test
    void aDownloadInSmallStepsIsNoFlood() throws IOException {
        int size = 2 * 1024 * 1024;
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.connect(server)) {
            client.get(1).flush();
            RecordedExchange exchange = exchanges.take();
            exchange.on(stream -> {
                stream.sendHead(200, new DefaultHttpHeaders(), size, false);
                stream.sendData(Unpooled.wrappedBuffer(new byte[size]), true);
            });
            int received = 0;
            while (received < size) {
                RawClient.Frame data = client.await(RawClient.DATA, 1);
                received += data.length();
                for (int left = data.length(); left > 0; left -= 1024) {
                    int step = Math.min(1024, left);
                    client.windowUpdate(0, step).windowUpdate(1, step);
                }
                client.flush();
            }
            assertThat(exchange.isAborted()).isFalse();
        }
    }

    @Test
    void streamsWithoutWindowAreResetInTime() throws IOException {
        ProxySettings settings =
                TestSettings.defaults().stalledWrite(Duration.ofMillis(400)).settings();
        try (TestServer server = TestServer.plain(exchanges, settings, events);
                RawClient client = RawClient.withWindow(server, 0)) {
            for (int i = 0; i < 100; i++) {
                client.get(1 + 2 * i);
            }
            client.flush();
            List<RecordedExchange> opened = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                RecordedExchange exchange = exchanges.take();
                opened.add(exchange);
                exchange.answer("nobody wants this");
            }
            for (int i = 0; i < 100; i++) {
                assertThat(client.await(RawClient.RST_STREAM).number(0))
                        .isEqualTo((int) Http2Error.CANCEL.code());
            }
            assertThat(opened)
                    .allSatisfy(exchange ->
                            assertThat(exchange.abortedFor()).isEqualTo(ProxyError.CLIENT_STALLED));
        }
    }

    @Test
    void aHundredStreamsWithoutWindowHoldLittle() throws IOException {
        AtomicLong sent = new AtomicLong();
        try (TestServer server = TestServer.plain(exchanges);
                RawClient client = RawClient.withWindow(server, 0)) {
            for (int i = 0; i < 100; i++) {
                client.get(1 + 2 * i);
            }
            client.flush();
            for (int i = 0; i < 100; i++) {
                exchanges
                        .take()
                        .on(stream -> {
                            stream.sendHead(200, new DefaultHttpHeaders(), -1, false);
                            while (stream.isWritable()) {
                                sent.addAndGet(16 * 1024);
                                stream.sendData(Unpooled.wrappedBuffer(new byte[16 * 1024]), false);
                            }
                        });
            }
        }
        // A mebibyte for the connection, and a piece for each stream.
        assertThat(sent.get()).isLessThanOrEqualTo((1024 + 100 * 16) * 1024);
    }

    @Test
    void aClientThatReadsNothingIsClosedInTime() throws IOException {
        ProxySettings settings =
                TestSettings.defaults().stalledWrite(Duration.ofMillis(400)).settings();
        AtomicLong sent = new AtomicLong();
        try (TestServer server = TestServer.plain(exchanges, settings, events);
                RawClient client = RawClient.narrow(server)) {
            client.settings(RawClient.SETTINGS_INITIAL_WINDOW, Integer.MAX_VALUE)
                    .windowUpdate(0, Integer.MAX_VALUE - 65_535)
                    .get(1)
                    .flush();
            RecordedExchange exchange = exchanges.take();
            exchange.on(stream -> stream.sendHead(200, new DefaultHttpHeaders(), -1, false));
            exchange.whileWritable(stream -> {
                sent.addAndGet(16 * 1024);
                stream.sendData(Unpooled.wrappedBuffer(new byte[16 * 1024]), false);
            });

            assertThat(exchange.abortedFor()).isEqualTo(ProxyError.CLIENT_STALLED);
            assertThat(events.floods()).containsExactly(Flood.STALLED);
            await().until(() -> server.connections().isEmpty());
        }
        // What the system's socket buffers took, and a little of ours.
        assertThat(sent.get()).isLessThan(16 * 1024 * 1024);
    }

    private static Arguments flood(String name, Flood kind, int times, Attack attack) {
        Consumer<RawClient> all =
                client -> {
                    for (int i = 0; i < times; i++) {
                        attack.strike(client, 1 + 2 * i);
                    }
                };
        return Arguments.of(name, kind, all);
    }

    /** One blow of many, with an identifier that was not used before. */
    private interface Attack {
        RawClient strike(RawClient client, int streamId);
    }

    /** A header block of 14 KiB that means 40 MiB. */
    private static byte[] bomb() {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        block.writeBytes(new byte[] {(byte) 0x82, (byte) 0x86, (byte) 0x84, 0x41, 0x01, 'x'});
        byte[] value = "v".repeat(3_900).getBytes(StandardCharsets.US_ASCII);
        block.writeBytes(new byte[] {0x40, 0x01, 'b', 0x7f});
        int rest = value.length - 127;
        block.write((rest & 0x7f) | 0x80);
        block.write(rest >> 7);
        block.writeBytes(value);
        for (int i = 0; i < 10_000; i++) {
            block.write(0xbe); // the newest entry of the dynamic table
        }
        return block.toByteArray();
    }

    private static String[] crumbs(int count) {
        String[] fields = new String[2 * count];
        for (int i = 0; i < count; i++) {
            fields[2 * i] = "cookie";
            fields[2 * i + 1] = "a=";
        }
        return fields;
    }
}

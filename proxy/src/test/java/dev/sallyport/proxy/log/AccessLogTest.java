package dev.sallyport.proxy.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.ProxySettings.AccessLogSettings;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.ExchangeSummary;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.metric.Metric;
import dev.sallyport.proxy.metric.ProxyMetrics;
import dev.sallyport.proxy.metric.Reading;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccessLogTest {
    private final ProxyMetrics metrics = new ProxyMetrics();
    private final Memory memory = new Memory();

    @Test
    void jsonLineSaysWhatHappened() throws Exception {
        assertThat(line(LineFormat.json(), new Summary("GET", "/a?b=c", "curl/8")))
                .isEqualTo(
                        "{\"time\":\"2026-11-23T06:07:08.009Z\",\"listener\":\"http\","
                                + "\"client\":\"192.0.2.7\",\"client_port\":5555,"
                                + "\"protocol\":\"http/1.1\",\"method\":\"GET\","
                                + "\"host\":\"shop.test\",\"target\":\"/a?b=c\",\"status\":502,"
                                + "\"error\":\"bad_response\",\"bytes_in\":1,\"bytes_out\":2,"
                                + "\"duration_ms\":12.345,\"connect_ms\":0.001,"
                                + "\"request_id\":\"id-1\",\"user_agent\":\"curl/8\","
                                + "\"upstream\":\"default/shop:80\","
                                + "\"endpoint\":\"10.0.0.7:8080\",\"attempts\":2}\n");
    }

    @Test
    void commonLineIsWhatApacheWrites() throws Exception {
        assertThat(line(LineFormat.common(), new Summary("GET", "/a?b=c", "curl/8")))
                .isEqualTo(
                        "192.0.2.7 - - [23/Nov/2026:06:07:08 +0000] \"GET /a?b=c HTTP/1.1\" 502 2"
                                + " \"-\" \"curl/8\"\n");
    }

    @Test
    void clientCannotForgeALine() throws Exception {
        String evil = "x\"}\r\n{\"status\":200,\\\u001b[2J\u0000\u007f\u00e4\u2028";
        for (LineFormat format : List.of(LineFormat.json(), LineFormat.common())) {
            String line = line(format, new Summary("G\nT", "/" + evil, evil));
            assertThat(line).matches("[\\x20-\\x7e]*\\n");
            assertThat(line.replace("\\\\", "").replace("\\\"", ""))
                    .doesNotContain("{\"status\":200");
        }
    }

    @Test
    void jsonEscapesAsItMust() throws Exception {
        assertThat(line(LineFormat.json(), new Summary("GET", "/", "a\"b\\c\nd\u00e9")))
                .contains("\"user_agent\":\"a\\\"b\\\\c\\u000ad\\u00e9\"");
    }

    @Test
    void lineThatDoesNotFitIsDroppedAndCounted() throws Exception {
        memory.hold = new CountDownLatch(1);
        AccessLog log = AccessLog.start(4, LineFormat.common(), memory, metrics);
        log.ended(new Summary("GET", "/held", "-"));
        await().until(() -> memory.writing);
        for (int i = 0; i < 10; i++) {
            log.ended(new Summary("GET", "/" + i, "-"));
        }
        memory.hold.countDown();
        log.close();
        assertThat(counted(Metric.ACCESS_LOG_DROPPED)).isEqualTo(6);
        assertThat(counted(Metric.ACCESS_LOG_LINES)).isEqualTo(5);
        assertThat(memory.text().lines()).hasSize(5);
    }

    @Test
    void closeWritesWhatIsQueued() {
        AccessLog log = AccessLog.start(1024, LineFormat.common(), memory, metrics);
        for (int i = 0; i < 1000; i++) {
            log.ended(new Summary("GET", "/" + i, "-"));
        }
        log.close();
        assertThat(memory.text().lines()).hasSize(1000);
        assertThat(memory.closed).isTrue();
    }

    @Test
    void lineAfterCloseIsCountedAsDropped() {
        AccessLog log = AccessLog.start(16, LineFormat.common(), memory, metrics);
        log.close();
        log.ended(new Summary("GET", "/", "-"));
        assertThat(counted(Metric.ACCESS_LOG_DROPPED)).isEqualTo(1);
    }

    @Test
    void outputThatFailsLosesLinesAndRecovers() {
        memory.failing.set(true);
        AccessLog log = AccessLog.start(16, LineFormat.common(), memory, metrics);
        log.ended(new Summary("GET", "/lost", "-"));
        await().until(() -> counted(Metric.ACCESS_LOG_DROPPED) == 1);
        memory.failing.set(false);
        log.ended(new Summary("GET", "/kept", "-"));
        log.close();
        assertThat(memory.text()).contains("/kept").doesNotContain("/lost");
    }

    @Test
    void fileThatWasRenamedIsMadeAnew(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("access.log");
        Path old = folder.resolve("access.log.1");
        AccessLog log =
                java.util.Objects.requireNonNull(
                        AccessLog.start(
                                new AccessLogSettings(
                                        AccessLogSettings.Format.COMMON, file.toString(), 16),
                                metrics));
        log.ended(new Summary("GET", "/first", "-"));
        await().until(() -> counted(Metric.ACCESS_LOG_LINES) == 1);
        Files.move(file, old);
        log.ended(new Summary("GET", "/second", "-"));
        log.close();
        assertThat(old).content().contains("/first").doesNotContain("/second");
        assertThat(file).content().contains("/second");
    }

    @Test
    void logThatIsOffIsNone() {
        assertThat(
                        AccessLog.start(
                                new AccessLogSettings(AccessLogSettings.Format.OFF, "stdout", 16),
                                metrics))
                .isNull();
    }

    private String line(LineFormat format, Summary summary) {
        memory.written.clear();
        AccessLog log = AccessLog.start(16, format, memory, metrics);
        log.ended(summary);
        log.close();
        return memory.text();
    }

    private double counted(Metric metric) {
        return metrics.read().families().stream()
                .filter(family -> family.metric() == metric)
                .flatMap(family -> family.samples().stream())
                .mapToDouble(sample -> ((Reading.Value) sample).value())
                .sum();
    }

    private static final class Memory implements LogOutput {
        final List<String> written = new CopyOnWriteArrayList<>();
        final AtomicBoolean failing = new AtomicBoolean();
        volatile @Nullable CountDownLatch hold;
        volatile boolean writing;
        volatile boolean closed;

        @Override
        public void write(byte[] bytes, int length) throws IOException {
            writing = true;
            CountDownLatch latch = hold;
            if (latch != null) {
                try {
                    latch.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
            if (failing.get()) {
                throw new IOException("No space left on device");
            }
            written.add(new String(bytes, 0, length, StandardCharsets.US_ASCII));
        }

        @Override
        public void close() {
            closed = true;
        }

        String text() {
            return String.join("", written);
        }
    }

    private record Summary(String method, String target, @Nullable String userAgent)
            implements ExchangeSummary {
        @Override
        public ClientConnection connection() {
            try {
                InetAddress client = InetAddress.getByAddress(new byte[] {(byte) 192, 0, 2, 7});
                return new ClientConnection(
                        new Listener("http", "0.0.0.0", 80, new ListenerProtocol.Http()),
                        new InetSocketAddress(client, 5555),
                        new InetSocketAddress(client, 80),
                        "http/1.1",
                        null);
            } catch (UnknownHostException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public long startedAtMillis() {
            return 1_795_414_028_009L;
        }

        @Override
        public long totalNanos() {
            return 12_345_678;
        }

        @Override
        public long connectNanos() {
            return 1_999;
        }

        @Override
        public long firstByteNanos() {
            return -1;
        }

        @Override
        public String authority() {
            return "shop.test";
        }

        @Override
        public int status() {
            return 502;
        }

        @Override
        public ProxyError error() {
            return ProxyError.BAD_RESPONSE;
        }

        @Override
        public long bytesIn() {
            return 1;
        }

        @Override
        public long bytesOut() {
            return 2;
        }

        @Override
        public String requestId() {
            return "id-1";
        }

        @Override
        public @Nullable String referer() {
            return null;
        }

        @Override
        public @Nullable Route route() {
            return null;
        }

        @Override
        public UpstreamKey upstream() {
            return new UpstreamKey("default", "shop", 80);
        }

        @Override
        public Endpoint endpoint() {
            return new Endpoint("10.0.0.7", 8080);
        }

        @Override
        public int attempts() {
            return 2;
        }

        @Override
        public boolean webSocket() {
            return false;
        }
    }
}

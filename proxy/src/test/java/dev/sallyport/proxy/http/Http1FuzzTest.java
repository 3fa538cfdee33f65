package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.proxy.Mutations;
import dev.sallyport.proxy.ProxySettings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.LeakPresenceDetector;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Requests that are nearly right, cut anywhere. The seeds are fixed, so that what fails fails
 * again; each failure shows its input.
 */
@Tag("slow")
class Http1FuzzTest {
    private static final int INPUTS = 8_000;
    private static final List<String> EXAMPLES = Http1FramingTest.examples();

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    /** What became of some bytes. */
    private record Outcome(List<String> requests, String answer, boolean closed) {}

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void whereBytesAreCutChangesNothing(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < INPUTS; i++) {
            String bytes = Mutations.of(EXAMPLES, random);
            Outcome whole = outcome(bytes, new int[0]);
            assertThat(outcome(bytes, Mutations.cuts(bytes.length(), random)))
                    .as(() -> shown(bytes))
                    .isEqualTo(whole);
        }
    }

    @Test
    void whatIsAcceptedReadsTheSameOnceMore() {
        SplittableRandom random = new SplittableRandom(3);
        int accepted = 0;
        for (int i = 0; i < 2 * INPUTS; i++) {
            String bytes = Mutations.of(EXAMPLES, random);
            Http1RequestParser first = new Http1RequestParser(settings());
            if (read(first, bytes) != Http1RequestParser.Outcome.HEAD) {
                continue;
            }
            accepted++;
            RequestHead head = first.head("http");
            String again = written(head, first.http10());
            Http1RequestParser second = new Http1RequestParser(settings());
            assertThat(read(second, again))
                    .as(() -> shown(bytes) + shown(again))
                    .isEqualTo(Http1RequestParser.Outcome.HEAD);
            assertThat(summary(second.head("http")))
                    .as(() -> shown(bytes))
                    .isEqualTo(summary(head));
        }
        assertThat(accepted).isGreaterThan(INPUTS / 10);
    }

    @Test
    void nothingThatIsAcceptedHasTwoFramings() {
        SplittableRandom random = new SplittableRandom(4);
        for (int i = 0; i < 2 * INPUTS; i++) {
            String bytes = Mutations.of(EXAMPLES, random);
            Http1RequestParser parser = new Http1RequestParser(settings());
            if (read(parser, bytes) == Http1RequestParser.Outcome.HEAD) {
                HttpHeaders headers = parser.head("http").headers();
                int lengths = headers.getAll("Content-Length").size();
                int codings = headers.getAll("Transfer-Encoding").size();
                assertThat(lengths + codings).as(() -> shown(bytes)).isLessThanOrEqualTo(1);
                assertThat(headers.getAll("Host")).hasSizeLessThanOrEqualTo(1);
            }
        }
    }

    @Test
    void chunkLinesAreReadAsTheGrammarSays() {
        String token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
        String quoted =
                "\"(?:[^\"\\\\\\x00-\\x08\\x0a-\\x1f\\x7f]|\\\\[^\\x00-\\x08\\x0a-\\x1f\\x7f])*\"";
        Pattern grammar =
                Pattern.compile(
                        "[0-9A-Fa-f]{1,15}(?:;"
                                + token
                                + "(?:=(?:"
                                + token
                                + "|"
                                + quoted
                                + "))?)*",
                        Pattern.DOTALL);
        String alphabet = "0123456789abcdefABCDEFgx;;;==\"\"\\ \t\r\0\u00e4-";
        SplittableRandom random = new SplittableRandom(5);
        int accepted = 0;
        for (int i = 0; i < 20 * INPUTS; i++) {
            var line = new StringBuilder();
            for (int left = 1 + random.nextInt(12); left > 0; left--) {
                line.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            ByteBuf in = bytes(line + "\r\n");
            long size = ChunkLine.parse(in, 0, in.writerIndex() - 1);
            boolean right = grammar.matcher(line).matches();
            assertThat(size >= 0).as(() -> shown(line.toString())).isEqualTo(right);
            if (right) {
                accepted++;
                String digits = line.toString().split(";", 2)[0];
                assertThat(size).isEqualTo(Long.parseLong(digits, 16));
            }
        }
        assertThat(accepted).isGreaterThan(INPUTS);
    }

    private static Outcome outcome(String bytes, int[] cuts) {
        try (Http1Client client = Http1Client.with().settings(settings()).build()) {
            client.upstreams.answer = "ok";
            int from = 0;
            for (int cut : cuts) {
                send(client, bytes.substring(from, cut));
                from = cut;
            }
            send(client, bytes.substring(from));
            List<String> requests = new ArrayList<>();
            for (RecordedUpstreams.Call call : client.upstreams.calls) {
                requests.add(
                        call.method
                                + " "
                                + call.target
                                + " "
                                + call.contentLength
                                + " "
                                + fields(call.headers)
                                + call.body
                                + " "
                                + call.ended);
            }
            assertThat(client.bugs).isEmpty();
            client.channel.checkException();
            return new Outcome(requests, client.received(), client.isClosed());
        }
    }

    private static void send(Http1Client client, String bytes) {
        if (!client.isClosed()) {
            client.sendRaw(bytes);
        }
    }

    /** Bounds that mutated requests come near to. */
    private static ProxySettings settings() {
        ProxySettings all = ProxySettings.DEFAULT;
        ProxySettings.Limits limits = all.limits();
        return new ProxySettings(
                all.transport(),
                all.eventLoops(),
                new ProxySettings.Limits(
                        limits.connections(),
                        limits.connectionsPerClient(),
                        limits.requestsInFlight(),
                        600,
                        6,
                        64,
                        limits.requestBodyBytes(),
                        limits.requestsPerConnection(),
                        limits.concurrentStreams(),
                        limits.streamWindow(),
                        limits.connectionWindow(),
                        limits.resetsPerHalfMinute(),
                        limits.controlFramesPerHalfMinute(),
                        limits.writeBuffer(),
                        limits.upstreamConnections(),
                        limits.upstreamIdle(),
                        limits.upstreamPending()),
                all.timeouts(),
                all.forwarding(),
                all.hsts(),
                all.accessLog(),
                all.escapedSlashes());
    }

    private static Http1RequestParser.Outcome read(Http1RequestParser parser, String text) {
        return parser.read(bytes(text));
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String written(RequestHead head, boolean http10) {
        return head.method()
                + " "
                + head.target().forwarded()
                + (http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")
                + fields(head.headers())
                + "\r\n";
    }

    private static String summary(RequestHead head) {
        return head.method()
                + " "
                + head.target().forwarded()
                + " "
                + head.contentLength()
                + " "
                + head.endOfStream()
                + "\n"
                + fields(head.headers());
    }

    private static String fields(HttpHeaders headers) {
        var text = new StringBuilder();
        for (Map.Entry<String, String> field : headers) {
            text.append(field.getKey()).append(": ").append(field.getValue()).append("\r\n");
        }
        return text.toString();
    }

    private static String shown(String bytes) {
        return "«" + bytes.replace("\r", "␍").replace("\n", "␊\n").replace("\0", "␀") + "»";
    }
}

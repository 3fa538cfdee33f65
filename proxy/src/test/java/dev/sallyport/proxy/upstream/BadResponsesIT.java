package dev.sallyport.proxy.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.proxy.RawBackend;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.LeakPresenceDetector;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Responses that must not be believed. Whatever the backend sends, the next request travels on
 * another connection and gets its own answer.
 */
class BadResponsesIT {
    private static final String OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    private static final String CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

    /**
     * @param bytes what the backend answers before it waits for the connection's end
     * @param outcome how the call ends
     */
    private record Row(String name, String bytes, String outcome) {}

    private static final List<Row> ROWS =
            List.of(
                    bad("not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
                    bad("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n"),
                    bad("version 2.0", "HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n"),
                    bad("version 1.2", "HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n"),
                    bad("lower-case http", "http/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
                    bad("empty line first", "\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
                    bad("two spaces", "HTTP/1.1  200 OK\r\ncontent-length: 0\r\n\r\n"),
                    bad("two digits", "HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n"),
                    bad("four digits", "HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n"),
                    bad("status 099", "HTTP/1.1 099 Low\r\ncontent-length: 0\r\n\r\n"),
                    bad("status 600", "HTTP/1.1 600 High\r\ncontent-length: 0\r\n\r\n"),
                    bad("status with letters", "HTTP/1.1 2x0 OK\r\ncontent-length: 0\r\n\r\n"),
                    bad("NUL in the reason", "HTTP/1.1 200 O\0K\r\ncontent-length: 0\r\n\r\n"),
                    bad("CR in the reason", "HTTP/1.1 200 O\rK\r\ncontent-length: 0\r\n\r\n"),
                    bad("bare LF in the status line", "HTTP/1.1 200 OK\ncontent-length: 0\r\n\r\n"),
                    bad("bare LF after a field", "HTTP/1.1 200 OK\r\ncontent-length: 0\n\r\n"),
                    bad("bare LF as the empty line", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\n"),
                    bad("two lengths", fields("content-length: 2\r\ncontent-length: 3")),
                    bad("the same length twice", fields("content-length: 2\r\ncontent-length: 2")),
                    bad("a list of lengths", fields("content-length: 2, 2")),
                    bad("a negative length", fields("content-length: -1")),
                    bad("a signed length", fields("content-length: +2")),
                    bad("a hexadecimal length", fields("content-length: 0x2")),
                    bad("an empty length", fields("content-length:")),
                    bad("a huge length", fields("content-length: 99999999999999999999")),
                    bad(
                            "length and chunked",
                            fields("content-length: 2\r\ntransfer-encoding: chunked")),
                    bad(
                            "chunked and length",
                            fields("transfer-encoding: chunked\r\ncontent-length: 2")),
                    bad("another coding", fields("transfer-encoding: gzip")),
                    bad("a coding before chunked", fields("transfer-encoding: gzip, chunked")),
                    bad("chunked not last", fields("transfer-encoding: chunked, identity")),
                    bad("an unknown coding", fields("transfer-encoding: xchunked")),
                    bad(
                            "chunked twice",
                            fields("transfer-encoding: chunked\r\ntransfer-encoding: chunked")),
                    bad(
                            "chunked in HTTP/1.0",
                            "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
                    bad("obs-fold", fields("x-a: b\r\n c\r\ncontent-length: 2")),
                    bad("space before the colon", fields("content-length : 2")),
                    bad("space in a name", fields("x a: b\r\ncontent-length: 2")),
                    bad("no colon", fields("nonsense\r\ncontent-length: 2")),
                    bad("no name", fields(": b\r\ncontent-length: 2")),
                    bad("NUL in a value", fields("x-a: b\0c\r\ncontent-length: 2")),
                    bad("CR in a value", fields("x-a: b\rc\r\ncontent-length: 2")),
                    bad("DEL in a value", fields("x-a: b\u007fc\r\ncontent-length: 2")),
                    bad("CR that ends nothing", fields("x-a: b\r\n\rx-b: c\r\ncontent-length: 2")),
                    bad("too many fields", fields("x: y\r\n".repeat(101) + "content-length: 2")),
                    bad("too large fields", fields("x: " + "y".repeat(40_000))),
                    bad("101 unasked", "HTTP/1.1 101 Switching\r\nupgrade: websocket\r\n\r\n"),
                    bad("a flood of 1xx", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(11) + OK),
                    bad("a 1xx with length", "HTTP/1.1 100 Go on\r\ncontent-length: 2\r\n\r\nok"),
                    bad(
                            "a 1xx with chunks",
                            "HTTP/1.1 103 Hints\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
                    bad("204 with length", "HTTP/1.1 204 None\r\ncontent-length: 2\r\n\r\nok"),
                    bad(
                            "204 with chunks",
                            "HTTP/1.1 204 None\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
                    cut("a chunk size with sign", CHUNKED + "+2\r\nok\r\n0\r\n\r\n"),
                    cut("a chunk size with 0x", CHUNKED + "0x2\r\nok\r\n0\r\n\r\n"),
                    cut("a chunk size with space", CHUNKED + "2 \r\nok\r\n0\r\n\r\n"),
                    cut("an empty chunk size", CHUNKED + "\r\nok\r\n0\r\n\r\n"),
                    cut("a huge chunk size", CHUNKED + "fffffffffffffffff\r\nok\r\n0\r\n\r\n"),
                    cut("a chunk size with bare LF", CHUNKED + "2\nok\r\n0\r\n\r\n"),
                    cut("a long chunk extension", CHUNKED + "2;" + "x".repeat(300) + "\r\nok"),
                    cut("NUL in a chunk extension", CHUNKED + "2;a\0\r\nok\r\n0\r\n\r\n"),
                    cut("no CRLF after a chunk", CHUNKED + "2\r\nokXX0\r\n\r\n"),
                    cut("LF after a chunk", CHUNKED + "2\r\nok\n0\r\n\r\n"),
                    cut("a malformed trailer", CHUNKED + "2\r\nok\r\n0\r\nx y: z\r\n\r\n"),
                    cut("a folded trailer", CHUNKED + "2\r\nok\r\n0\r\nx: y\r\n z\r\n\r\n"),
                    good("garbage after the end", OK + "HTTP/1.1 200 OK\r\n"),
                    good("a second response", OK + OK),
                    good("a body for 304", "HTTP/1.1 304 Same\r\ncontent-length: 2\r\n\r\nok"),
                    good(
                            "announced close",
                            "HTTP/1.1 200 OK\r\nconnection: keep-alive, Close\r\n"
                                    + "content-length: 2\r\n\r\nok"),
                    good(
                            "HTTP/1.0",
                            "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n"
                                    + "content-length: 2\r\n\r\nok"));

    private static Row bad(String name, String bytes) {
        return new Row(name, bytes, "BAD_RESPONSE");
    }

    private static Row cut(String name, String bytes) {
        return new Row(name, bytes, "RESPONSE_TRUNCATED");
    }

    /** The response is believed, the connection is not. */
    private static Row good(String name, String bytes) {
        return new Row(name, bytes, "end");
    }

    private static String fields(String fields) {
        return "HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\nok";
    }

    @TestFactory
    Stream<DynamicTest> doNotPoisonTheNextRequest() {
        return ROWS.stream()
                .map(row -> DynamicTest.dynamicTest(row.name(), () -> doesNotPoison(row)));
    }

    @TestFactory
    Stream<DynamicTest> meanTheSameByteForByte() {
        return ROWS.stream()
                .map(row -> DynamicTest.dynamicTest(row.name(), () -> meansTheSame(row)));
    }

    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    private static void doesNotPoison(Row row) throws Exception {
        try (var fixture = new UpstreamFixture();
                RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(connection.number() == 1 ? row.bytes() : OK);
                            connection.readHead(); // until the gateway closes
                        })) {
            Upstream upstream = UpstreamFixture.upstream(backend);

            RecordingListener first = fixture.get(upstream, "/first");
            assertThat(first.outcome()).isEqualTo(row.outcome());
            assertThat(first.events).doesNotContain("retriable");

            RecordingListener second = fixture.get(upstream, "/second");
            assertThat(second.events).containsExactly("new", "head 200 2");
            assertThat(second.body()).isEqualTo("ok");
            assertThat(backend.accepted()).isEqualTo(2);
        }
    }

    private static void meansTheSame(Row row) {
        byte[] bytes = row.bytes().getBytes(StandardCharsets.ISO_8859_1);
        ByteBuf whole = Unpooled.wrappedBuffer(bytes);
        assertThat(parse(whole, 1)).isEqualTo(parse(whole, bytes.length));
    }

    /** The events up to the end of the first final response, pieces of body joined. */
    private static String parse(ByteBuf bytes, int step) {
        var parser = new ResponseParser(32 * 1024, 100);
        parser.expect(false, false);
        var events = new StringBuilder();
        ByteBuf in = bytes.duplicate();
        for (int end = Math.min(step, bytes.writerIndex());
                end <= bytes.writerIndex();
                end += step) {
            in.writerIndex(end);
            boolean more = true;
            while (more) {
                ResponseParser.Event event = parser.next(in);
                switch (event) {
                    case NEED_MORE -> more = false;
                    case DATA -> {
                        ByteBuf data = parser.takeData();
                        events.append(data.toString(StandardCharsets.ISO_8859_1));
                        data.release();
                    }
                    case BAD -> {
                        return events.append(" BAD").toString();
                    }
                    case INFORMATIONAL, HEAD, TRAILERS, SWITCHED ->
                            events.append(event).append(parser.status());
                }
                if (parser.ended()) {
                    return events.append(" END").toString();
                }
            }
        }
        return events.append(" OPEN").toString();
    }
}

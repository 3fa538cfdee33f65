package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.sallyport.proxy.ProxySettings;
import io.netty.util.LeakPresenceDetector;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The framing table: raw bytes in, and either a refusal with a closed connection or exactly one
 * request at the backend. Each row is sent in one piece and byte by byte.
 */
class Http1FramingTest {
    private static final String HOST = "Host: shop.example\r\n";
    private static final String CHUNKED =
            "POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\n";

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    private record Refused(String claim, int status, String bytes) {}

    private record Accepted(String claim, String bytes, String target, String body) {}

    private static List<Refused> refused() {
        List<Refused> rows = new ArrayList<>();
        // The request line.
        bad(rows, "HTTP/0.9 is not spoken", "GET /\r\n\r\n");
        bad(rows, "HTTP/1.2 does not exist", "GET / HTTP/1.2\r\n" + HOST + "\r\n");
        bad(rows, "HTTP/2.0 is not spoken this way", "GET / HTTP/2.0\r\n" + HOST + "\r\n");
        bad(rows, "a late HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        bad(rows, "a lower-case version", "GET / http/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a version with more digits", "GET / HTTP/1.10\r\n" + HOST + "\r\n");
        bad(rows, "a version with leading zero", "GET / HTTP/01.1\r\n" + HOST + "\r\n");
        bad(rows, "two spaces before the target", "GET  / HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "two spaces after the target", "GET /  HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a space after the version", "GET / HTTP/1.1 \r\n" + HOST + "\r\n");
        bad(rows, "a tab for a space", "GET\t/ HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a space within the target", "GET /a b HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a space before the method", " GET / HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a lower-case method", "get / HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a method that is no token", "GE(T / HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a colon in the method", "GET: / HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "NUL in the method", "G\0T / HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "NUL in the target", "GET /\0 HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "DEL in the target", "GET /\u007f HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "bytes beyond ASCII in the target", "GET /\u00e4 HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a relative target", "GET a HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "an asterisk but for OPTIONS", "GET * HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a fragment", "GET /a#b HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "an encoded NUL", "GET /%00 HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a path above the root", "GET /../a HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a bare LF first", "\nGET / HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a bare CR first", "\rGET / HTTP/1.1\r\n" + HOST + "\r\n");
        bad(rows, "a TLS hello", "\u0016\u0003\u0001\u0002\0\u0001");
        // Line ends.
        bad(rows, "LF after the request line", "GET / HTTP/1.1\n" + HOST + "\r\n");
        bad(rows, "LF after a field", "GET / HTTP/1.1\r\nHost: shop.example\n\r\n");
        bad(rows, "LF for the empty line", "GET / HTTP/1.1\r\n" + HOST + "\n");
        bad(rows, "CR for a line end", "GET / HTTP/1.1\r" + HOST + "\r\n");
        bad(rows, "CR within a value", "GET / HTTP/1.1\r\n" + HOST + "A: b\rc\r\n\r\n");
        bad(rows, "CR CR LF", "GET / HTTP/1.1\r\n" + HOST + "A: b\r\r\n\r\n");
        bad(rows, "CR within a name", "GET / HTTP/1.1\r\n" + HOST + "A\r: b\r\n\r\n");
        // Fields.
        bad(rows, "a space before the colon", "GET / HTTP/1.1\r\n" + HOST + "A : b\r\n\r\n");
        bad(rows, "a space before a name", "GET / HTTP/1.1\r\n A: b\r\n" + HOST + "\r\n");
        bad(rows, "a folded line", "GET / HTTP/1.1\r\n" + HOST + "A: b\r\n c\r\n\r\n");
        bad(rows, "a line folded with a tab", "GET / HTTP/1.1\r\n" + HOST + "A: b\r\n\tc\r\n\r\n");
        bad(rows, "no colon", "GET / HTTP/1.1\r\n" + HOST + "A b\r\n\r\n");
        bad(rows, "no name", "GET / HTTP/1.1\r\n" + HOST + ": b\r\n\r\n");
        bad(rows, "NUL in a name", "GET / HTTP/1.1\r\n" + HOST + "A\0: b\r\n\r\n");
        bad(rows, "NUL in a value", "GET / HTTP/1.1\r\n" + HOST + "A: \0\r\n\r\n");
        bad(rows, "a control byte in a value", "GET / HTTP/1.1\r\n" + HOST + "A: \u001b\r\n\r\n");
        bad(rows, "DEL in a value", "GET / HTTP/1.1\r\n" + HOST + "A: \u007f\r\n\r\n");
        bad(rows, "beyond ASCII in a name", "GET / HTTP/1.1\r\n" + HOST + "\u00c4: b\r\n\r\n");
        bad(rows, "a quote in a name", "GET / HTTP/1.1\r\n" + HOST + "A\": b\r\n\r\n");
        // Host.
        bad(rows, "no Host", "GET / HTTP/1.1\r\n\r\n");
        bad(rows, "two Hosts", "GET / HTTP/1.1\r\n" + HOST + HOST + "\r\n");
        bad(rows, "two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\n" + HOST + HOST + "\r\n");
        bad(rows, "an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n");
        bad(rows, "a Host list", "GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n");
        bad(rows, "a Host with a path", "GET / HTTP/1.1\r\nHost: shop.example/a\r\n\r\n");
        bad(rows, "a Host with user", "GET / HTTP/1.1\r\nHost: a@shop.example\r\n\r\n");
        bad(rows, "a Host with a bad port", "GET / HTTP/1.1\r\nHost: shop.example:x\r\n\r\n");
        bad(rows, "a Host with a space", "GET / HTTP/1.1\r\nHost: shop example\r\n\r\n");
        bad(
                rows,
                "an absolute target of another host",
                "GET http://other.example/ HTTP/1.1\r\n" + HOST + "\r\n");
        bad(
                rows,
                "an absolute target of another port",
                "GET http://shop.example:81/ HTTP/1.1\r\n" + HOST + "\r\n");
        bad(
                rows,
                "an absolute target with user",
                "GET http://a@shop.example/ HTTP/1.1\r\n" + HOST + "\r\n");
        bad(
                rows,
                "an absolute target of another scheme",
                "GET ftp://shop.example/ HTTP/1.1\r\n" + HOST + "\r\n");
        // Content-Length and Transfer-Encoding.
        length(rows, "length and chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked");
        length(rows, "chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 5");
        length(rows, "two equal lengths", "Content-Length: 5\r\nContent-Length: 5");
        length(rows, "two lengths", "Content-Length: 5\r\nContent-Length: 6");
        length(rows, "a list of lengths", "Content-Length: 5, 5");
        length(rows, "a length with a sign", "Content-Length: +5");
        length(rows, "a negative length", "Content-Length: -5");
        length(rows, "a hexadecimal length", "Content-Length: 0x5");
        length(rows, "an empty length", "Content-Length:");
        length(rows, "a length with a blank within", "Content-Length: 1 0");
        length(rows, "a length too long for us", "Content-Length: 9999999999999999999");
        length(rows, "a length with a vertical tab", "Content-Length: \u000b5");
        length(rows, "identity", "Transfer-Encoding: identity");
        length(rows, "gzip, chunked", "Transfer-Encoding: gzip, chunked");
        length(rows, "chunked, identity", "Transfer-Encoding: chunked, identity");
        length(rows, "chunked twice in a list", "Transfer-Encoding: chunked, chunked");
        length(rows, "chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked");
        length(rows, "chunked with a parameter", "Transfer-Encoding: chunked;a=b");
        length(rows, "a prefixed chunked", "Transfer-Encoding: xchunked");
        length(rows, "chunked in quotes", "Transfer-Encoding: \"chunked\"");
        length(rows, "an empty coding", "Transfer-Encoding:");
        length(rows, "chunked after a vertical tab", "Transfer-Encoding: \u000bchunked");
        bad(
                rows,
                "chunked in HTTP/1.0",
                "POST / HTTP/1.0\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
        // Chunks.
        chunk(rows, "a size that is no number", "x\r\n");
        chunk(rows, "an empty size", "\r\n");
        chunk(rows, "a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n");
        chunk(rows, "a negative size", "-5\r\nhello\r\n0\r\n\r\n");
        chunk(rows, "a size that overflows", "10000000000000005\r\nhello\r\n0\r\n\r\n");
        chunk(rows, "a space before the size", " 5\r\nhello\r\n0\r\n\r\n");
        chunk(rows, "a space after the size", "5 \r\nhello\r\n0\r\n\r\n");
        chunk(rows, "LF after the size", "5\nhello\r\n0\r\n\r\n");
        chunk(rows, "LF after the data", "5\r\nhello\n0\r\n\r\n");
        chunk(rows, "CR only after the data", "5\r\nhello\rX0\r\n\r\n");
        chunk(rows, "more data than the size", "4\r\nhello\r\n0\r\n\r\n");
        chunk(rows, "CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n");
        chunk(rows, "an extension without a name", "5;\r\nhello\r\n0\r\n\r\n");
        chunk(rows, "an extension without a value", "5;a=\r\nhello\r\n0\r\n\r\n");
        chunk(rows, "an open quote", "5;a=\"b\r\nhello\r\n0\r\n\r\n");
        chunk(rows, "a line end in quotes", "5;a=\"\r\nhello\"\r\n0\r\n\r\n");
        chunk(rows, "an escaped line end", "5;a=\"\\\r\nhello\"\r\n0\r\n\r\n");
        chunk(rows, "a long extension", "5;" + "a".repeat(300) + "\r\nhello\r\n0\r\n\r\n");
        chunk(rows, "a bad trailer", "0\r\nA : b\r\n\r\n");
        chunk(rows, "a folded trailer", "0\r\nA: b\r\n c\r\n\r\n");
        chunk(rows, "LF after the trailers", "0\r\n\n");
        // Limits, and what is understood but refused.
        row(
                rows,
                414,
                "a long target",
                "GET /" + "a".repeat(9000) + " HTTP/1.1\r\n" + HOST + "\r\n");
        row(rows, 414, "a target without end", "GET /" + "a".repeat(20_000));
        row(
                rows,
                431,
                "too many fields",
                "GET / HTTP/1.1\r\n" + HOST + "A: b\r\n".repeat(100) + "\r\n");
        row(
                rows,
                431,
                "too large fields",
                "GET / HTTP/1.1\r\n" + HOST + "A: " + "b".repeat(33_000) + "\r\n\r\n");
        row(rows, 405, "CONNECT", "CONNECT shop.example:80 HTTP/1.1\r\n" + HOST + "\r\n");
        row(rows, 405, "TRACE", "TRACE / HTTP/1.1\r\n" + HOST + "\r\n");
        row(
                rows,
                417,
                "another expectation",
                "POST / HTTP/1.1\r\n" + HOST + "Expect: 200-ok\r\nContent-Length: 1\r\n\r\nx");
        row(
                rows,
                400,
                "a WebSocket with a body",
                "GET / HTTP/1.1\r\n"
                        + HOST
                        + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 5\r\n\r\nhello");
        return rows;
    }

    private static void bad(List<Refused> rows, String claim, String bytes) {
        row(rows, 400, claim, bytes);
    }

    private static void length(List<Refused> rows, String claim, String fields) {
        bad(rows, claim, "POST / HTTP/1.1\r\n" + HOST + fields + "\r\n\r\nhello");
    }

    private static void chunk(List<Refused> rows, String claim, String body) {
        bad(rows, claim, CHUNKED + "\r\n" + body);
    }

    private static void row(List<Refused> rows, int status, String claim, String bytes) {
        rows.add(new Refused(claim, status, bytes));
    }

    private static List<Accepted> accepted() {
        String get = " HTTP/1.1\r\n" + HOST + "\r\n";
        String post = "POST / HTTP/1.1\r\n" + HOST;
        return List.of(
                new Accepted("a plain request", "GET /a" + get, "/a", ""),
                new Accepted("one empty line first", "\r\nGET /a" + get, "/a", ""),
                new Accepted("an escaped path", "GET /%41%2fb%C3%a4" + get, "/A%2Fb%C3%A4", ""),
                new Accepted("dot segments", "GET /a/./b/../c%2e%2E" + get, "/a/c..", ""),
                new Accepted("a query to the letter", "GET /?%41=../\\" + get, "/?%41=../\\", ""),
                new Accepted("an asterisk", "OPTIONS *" + get, "*", ""),
                new Accepted("an absolute target", "GET http://shop.example/a?b" + get, "/a?b", ""),
                new Accepted(
                        "its host in capitals", "GET HTTP://SHOP.example:80/a" + get, "/a", ""),
                new Accepted("one without a path", "GET http://shop.example?a" + get, "/?a", ""),
                new Accepted("one for OPTIONS", "OPTIONS http://shop.example" + get, "*", ""),
                new Accepted("a length", post + "Content-Length: 5\r\n\r\nhello", "/", "hello"),
                new Accepted("a length of zero", post + "Content-Length: 0\r\n\r\n", "/", ""),
                new Accepted(
                        "blanks around a length",
                        post + "Content-Length: \t5 \r\n\r\nhello",
                        "/",
                        "hello"),
                new Accepted("no length, no body", post + "\r\n", "/", ""),
                new Accepted(
                        "chunks", CHUNKED + "\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "/", "hello!"),
                new Accepted(
                        "capitals in chunked",
                        post + "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n",
                        "/",
                        ""),
                new Accepted(
                        "hexadecimal sizes",
                        CHUNKED + "\r\n00A\r\n0123456789\r\n0\r\n\r\n",
                        "/",
                        "0123456789"),
                new Accepted(
                        "extensions",
                        CHUNKED + "\r\n5;a;b=c;d=\"e;\\\"\"\r\nhello\r\n0;f\r\n\r\n",
                        "/",
                        "hello"),
                new Accepted(
                        "trailers", CHUNKED + "\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n", "/", "hello"),
                new Accepted("an empty value", "GET / HTTP/1.1\r\n" + HOST + "A:\r\n\r\n", "/", ""),
                new Accepted(
                        "beyond ASCII in a value",
                        "GET / HTTP/1.1\r\n" + HOST + "A: \u00e4\r\n\r\n",
                        "/",
                        ""),
                new Accepted(
                        "h2c is passed over",
                        "GET / HTTP/1.1\r\n"
                                + HOST
                                + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                                + "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
                        "/",
                        ""));
    }

    /** What the rows are made of, for whoever wants to break it further. */
    static List<String> examples() {
        return Stream.concat(
                        refused().stream().map(Refused::bytes),
                        accepted().stream().map(Accepted::bytes))
                .toList();
    }

    @TestFactory
    Stream<DynamicTest> ambiguousBytesAreRefusedAndTheConnectionIsClosed() {
        return refused().stream()
                .flatMap(row ->
                        Stream.of(
                                dynamicTest(row.claim, () -> refuses(row, row.bytes.length())),
                                dynamicTest(row.claim + ", byte by byte", () -> refuses(row, 1))));
    }

    private static void refuses(Refused row, int pieces) {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "";
            sendInPieces(client, row.bytes, pieces);
            // Anything that follows must not be taken for a request.
            sendInPieces(client, "GET /smuggled HTTP/1.1\r\n" + HOST + "\r\n", 1000);
            assertThat(client.received())
                    .startsWith("HTTP/1.1 " + row.status + " ")
                    .contains("\r\nconnection: close\r\n")
                    .doesNotContain("200 OK");
            assertThat(client.isClosed()).isTrue();
            assertThat(client.upstreams.calls).allMatch(call -> call.cancelled && !call.ended);
            assertThat(client.observer.ended).hasSize(1);
            assertThat(client.observer.last().status()).isEqualTo(row.status);
        }
    }

    @TestFactory
    Stream<DynamicTest> unambiguousBytesAreExactlyOneRequest() {
        return accepted().stream()
                .flatMap(row ->
                        Stream.of(
                                dynamicTest(row.claim, () -> accepts(row, row.bytes.length())),
                                dynamicTest(row.claim + ", byte by byte", () -> accepts(row, 1))));
    }

    private static void accepts(Accepted row, int pieces) {
        try (Http1Client client = Http1Client.plain()) {
            sendInPieces(client, row.bytes, pieces);
            assertThat(client.upstreams.calls).hasSize(1);
            RecordedUpstreams.Call call = client.call();
            assertThat(call.ended).isTrue();
            assertThat(call.target).isEqualTo(row.target);
            assertThat(call.body.toString()).isEqualTo(row.body);
            assertThat(call.headers.names())
                    .noneMatch(name -> name.equalsIgnoreCase("connection"))
                    .noneMatch(name -> name.equalsIgnoreCase("transfer-encoding"))
                    .noneMatch(name -> name.equalsIgnoreCase("content-length"))
                    .noneMatch(name -> name.equalsIgnoreCase("upgrade"))
                    .noneMatch(name -> name.equalsIgnoreCase("http2-settings"));
            call.respond(200, "done");
            assertThat(client.received())
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .endsWith("\r\n\r\ndone");
            assertThat(client.isClosed()).isFalse();
        }
    }

    @Test
    void asManyFieldsAsAllowedMayBeCutAnywhere() {
        int count = ProxySettings.Limits.DEFAULT.headerCount();
        accepts(
                new Accepted(
                        "the most fields",
                        "GET / HTTP/1.1\r\n" + HOST + "A: b\r\n".repeat(count - 1) + "\r\n",
                        "/",
                        ""),
                1);
    }

    @Test
    void bytesBehindARequestAreTheNextOneOnly() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "done";
            client.send(
                    """
                    POST /a HTTP/1.1
                    Host: shop.example
                    Content-Length: 2

                    abGET /b HTTP/1.1
                    Host: shop.example

                    """);
            assertThat(client.upstreams.calls)
                    .extracting(call -> call.target + " " + call.body)
                    .containsExactly("/a ab", "/b ");
        }
    }

    @Test
    void bytesBehindARequestThatAreNoRequestCloseTheConnection() {
        try (Http1Client client = Http1Client.plain()) {
            client.upstreams.answer = "done";
            client.send("POST /a HTTP/1.1\nHost: shop.example\nContent-Length: 2\n\nabcd\n\n");
            assertThat(client.received()).contains("200 OK").contains("HTTP/1.1 400 ");
            assertThat(client.upstreams.calls).hasSize(1);
            assertThat(client.isClosed()).isTrue();
        }
    }

    private static void sendInPieces(Http1Client client, String bytes, int size) {
        for (int i = 0; i < bytes.length() && !client.isClosed(); i += size) {
            client.sendRaw(bytes.substring(i, Math.min(bytes.length(), i + size)));
        }
    }
}

package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static java.util.function.Predicate.not;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What ambiguous bytes become: a refusal and a closed connection, or exactly the one request that
 * RFC 9112 sees in them. Behind each lies a second request that must never reach a backend.
 */
final class FramingIT {

    private static final String SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";
    private static final String HEAD = "POST /row HTTP/1.1\r\nHost: a.test\r\n";
    private static final String CHUNKED =
            HEAD + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

    /** What becomes of a row's bytes. */
    sealed interface Fate {
        /** Refused with one of these statuses, and closed. */
        record Refused(List<Integer> statuses) implements Fate {}

        /** One request at the backend, with this target and body. */
        record Passed(String method, String target, String body) implements Fate {}

        /** RFC 9112 leaves a choice: either of the two, nothing between. */
        record Either(Passed passed) implements Fate {}
    }

    /** Bytes, ISO 8859-1, and what becomes of them. */
    record Row(String name, String bytes, Fate fate) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Row refused(String name, String bytes) {
        return new Row(name, bytes + SMUGGLED, new Fate.Refused(List.of(400)));
    }

    private static Row refused(String name, String bytes, Integer... statuses) {
        return new Row(name, bytes + SMUGGLED, new Fate.Refused(List.of(statuses)));
    }

    private static Row passed(String name, String bytes, String body) {
        return new Row(name, bytes, new Fate.Passed("POST", "/row", body));
    }

    private static Row get(String name, String bytes, String target) {
        return new Row(name, bytes, new Fate.Passed("GET", target, ""));
    }

    private static Row either(String name, String bytes, String body) {
        return new Row(name, bytes, new Fate.Either(new Fate.Passed("POST", "/row", body)));
    }

    private static Row field(String name, String line) {
        return refused(name, HEAD + line + "\r\nContent-Length: 0\r\n\r\n");
    }

    private static Row length(String name, String value) {
        return refused(name, HEAD + "Content-Length:" + value + "\r\n\r\nhello");
    }

    private static Row coding(String name, String line) {
        return refused(name, HEAD + line + "\r\n\r\n0\r\n\r\n", 400, 501);
    }

    private static Row chunk(String name, String bytes) {
        return refused(name, CHUNKED + bytes);
    }

    private static Row start(String name, String line) {
        return refused(name, line + "\r\nHost: a.test\r\n\r\n", 400, 501, 505);
    }

    private static Row target(String name, String target) {
        return start(name, "GET " + target + " HTTP/1.1");
    }

    private static final List<Row> ROWS =
            List.of(
                    // Two framings
                    refused(
                            "length then chunked",
                            HEAD
                                    + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                    refused(
                            "chunked then length",
                            HEAD
                                    + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
                    refused(
                            "length behind what looks like chunked",
                            HEAD
                                    + "Content-Length: 6\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nG",
                            400,
                            501),
                    refused(
                            "two different lengths",
                            HEAD + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
                    refused(
                            "the same length twice",
                            HEAD + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
                    refused(
                            "chunked in HTTP/1.0",
                            "POST /row HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                    // Lengths
                    length("a list of lengths", " 5, 5"),
                    length("a signed length", " +5"),
                    length("a negative length", " -1"),
                    length("a hexadecimal length", " 0x5"),
                    length("a length with a space in it", " 1 5"),
                    length("an empty length", ""),
                    length("a vertical tab before the length", " \u000b5"),
                    length("a length beyond 64 bits", " 18446744073709551621"),
                    length("a length beyond 63 bits", " 9223372036854775808"),
                    length("a fraction", " 5.0"),
                    length("digits of another script", " \u00b2"),
                    // Codings
                    coding("identity after chunked", "Transfer-Encoding: chunked, identity"),
                    coding("identity", "Transfer-Encoding: identity"),
                    coding("gzip and chunked", "Transfer-Encoding: gzip, chunked"),
                    coding("chunked twice in a list", "Transfer-Encoding: chunked, chunked"),
                    coding(
                            "chunked twice",
                            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
                    coding(
                            "identity in a second field",
                            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
                    coding("a vertical tab before chunked", "Transfer-Encoding: \u000bchunked"),
                    coding("a form feed after chunked", "Transfer-Encoding: chunked\f"),
                    coding("an unknown coding", "Transfer-Encoding: xchunked"),
                    coding("quotes", "Transfer-Encoding: \"chunked\""),
                    coding("an empty coding", "Transfer-Encoding: "),
                    coding("a parameter", "Transfer-Encoding: chunked;q=1"),
                    coding("chunked with a bare CR after", "Transfer-Encoding: chunked\rX: y"),
                    refused(
                            "a space before the colon of the coding",
                            HEAD + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
                    refused(
                            "a tab before the colon of the coding",
                            HEAD + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"),
                    refused(
                            "a coding behind a bare LF",
                            HEAD + "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                    refused(
                            "a folded coding",
                            HEAD + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
                    refused(
                            "a coding that begins with a space",
                            HEAD + " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                    // Fields
                    field("a folded field", "X: a\r\n b"),
                    field("a folded field by tab", "X: a\r\n\tb"),
                    field("a field behind a bare LF", "X: a\nY: b"),
                    field("a bare CR in a value", "X: a\rb"),
                    field("a NUL in a value", "X: a\0b"),
                    field("a NUL in a name", "X\0Y: b"),
                    field("a control byte in a value", "X: a\u0001b"),
                    field("DEL in a value", "X: a\u007fb"),
                    field("an empty name", ": a"),
                    field("no colon", "X"),
                    field("a space in a name", "X Y: a"),
                    field("a space after a name", "X : a"),
                    field("a separator in a name", "X(Y): a"),
                    field("a byte above ASCII in a name", "X\u00e4: a"),
                    field("a second Host", "Host: b.test"),
                    field("the same Host twice", "Host: a.test"),
                    refused("no Host", "GET /row HTTP/1.1\r\n\r\n"),
                    refused("a Host with a user", "GET /row HTTP/1.1\r\nHost: a@a.test\r\n\r\n"),
                    refused("a Host with a path", "GET /row HTTP/1.1\r\nHost: a.test/x\r\n\r\n"),
                    refused("a Host with a space", "GET /row HTTP/1.1\r\nHost: a test\r\n\r\n"),
                    refused("a list of Hosts", "GET /row HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n"),
                    refused(
                            "a Host with no number as its port",
                            "GET /row HTTP/1.1\r\nHost: a.test:x\r\n\r\n"),
                    refused("a NUL in Host", "GET /row HTTP/1.1\r\nHost: a.test\0\r\n\r\n"),
                    refused("too many fields", HEAD + "X: y\r\n".repeat(200) + "\r\n", 431),
                    refused(
                            "too large a field",
                            HEAD + "X: " + "y".repeat(70_000) + "\r\n\r\n",
                            431),
                    // Request lines
                    start("two spaces", "GET  /row HTTP/1.1"),
                    start("tabs", "GET\t/row\tHTTP/1.1"),
                    start("a space first", " GET /row HTTP/1.1"),
                    start("no version", "GET /row"),
                    start("nothing but a version", "HTTP/1.1"),
                    start("a version in lower case", "GET /row http/1.1"),
                    start("an unknown version", "GET /row HTTP/3.7"),
                    start("a version without a dot", "GET /row HTTP/11"),
                    start("a version with more digits", "GET /row HTTP/1.10"),
                    start("something after the version", "GET /row HTTP/1.1 x"),
                    start("a separator in the method", "G(ET /row HTTP/1.1"),
                    start("a NUL in the method", "G\0ET /row HTTP/1.1"),
                    target("a space in the target", "/a b"),
                    target("a NUL in the target", "/a\0b"),
                    target("a control byte in the target", "/a\u0001b"),
                    target("DEL in the target", "/a\u007fb"),
                    target("a target without a slash", "row"),
                    target("an escaped NUL in the target", "/a%00b"),
                    target("half an escape in the target", "/a%2"),
                    target("no escape in the target", "/a%zzb"),
                    target("a path above the root", "/../etc"),
                    target("a dot segment with a parameter", "/a/..;/b"),
                    target("a backslash in the target", "/a\\b"),
                    target("a fragment in the target", "/a#b"),
                    target("a byte above ASCII in the target", "/\u00e4"),
                    target("an asterisk for GET", "*"),
                    target("a bare CR in the target", "/a\rb"),
                    target("another host's absolute target", "http://b.test:x/row"),
                    refused("LF for CRLF throughout", "GET /row HTTP/1.1\nHost: a.test\n\n"),
                    refused("LF after the request line", "GET /row HTTP/1.1\nHost: a.test\r\n\r\n"),
                    refused("LF before the body", HEAD + "Content-Length: 5\r\n\nhello"),
                    refused(
                            "too long a target",
                            "GET /" + "a".repeat(20_000) + " HTTP/1.1\r\nHost: a.test\r\n\r\n",
                            414,
                            431),
                    refused("random bytes", "\u0016\u0003\u0001\u0002\0\u0001\u00fc\r\n\r\n"),
                    // Chunks
                    chunk("a chunk size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
                    chunk("a signed chunk size", "+5\r\nhello\r\n0\r\n\r\n"),
                    chunk("a negative chunk size", "-5\r\nhello\r\n0\r\n\r\n"),
                    chunk("a space before the chunk size", " 5\r\nhello\r\n0\r\n\r\n"),
                    chunk("no chunk size", "\r\nhello\r\n0\r\n\r\n"),
                    chunk("only an extension", ";x\r\nhello\r\n0\r\n\r\n"),
                    chunk("no hexadecimal", "5g\r\nhello\r\n0\r\n\r\n"),
                    chunk("a chunk size of 65 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
                    chunk("a chunk size of 64 bits", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
                    chunk("a chunk size of 33 bits and minus", "-ffffffff\r\nhello\r\n0\r\n\r\n"),
                    chunk("LF after the chunk size", "5\nhello\r\n0\r\n\r\n"),
                    chunk("LF in a chunk extension", "5;x\nhello\r\n0\r\n\r\n"),
                    chunk("CR in a chunk extension", "5;x\ry\r\nhello\r\n0\r\n\r\n"),
                    chunk("NUL in a chunk extension", "5;x\0\r\nhello\r\n0\r\n\r\n"),
                    chunk("LF in a quoted extension", "5;x=\"\ny\"\r\nhello\r\n0\r\n\r\n"),
                    chunk(
                            "an endless extension",
                            "5;" + "x".repeat(70_000) + "\r\nhello\r\n0\r\n\r\n"),
                    chunk("a chunk longer than its size", "5\r\nhelloworld\r\n0\r\n\r\n"),
                    chunk("no CRLF after a chunk", "5\r\nhello0\r\n\r\n"),
                    chunk("LF after a chunk", "5\r\nhello\n0\r\n\r\n"),
                    chunk("CR after a chunk", "5\r\nhello\r0\r\n\r\n"),
                    chunk("two bytes that are no CRLF after a chunk", "5\r\nhelloXX0\r\n\r\n"),
                    chunk("LF at the end of the body", "5\r\nhello\r\n0\r\n\n"),
                    chunk("LF after the last chunk", "5\r\nhello\r\n0\n\r\n"),
                    chunk("a folded trailer", "0\r\nX: a\r\n b\r\n\r\n"),
                    chunk("LF after a trailer", "0\r\nX: a\n\r\n"),
                    chunk("a trailer without a colon", "0\r\nX\r\n\r\n"),
                    chunk("a NUL in a trailer", "0\r\nX: a\0\r\n\r\n"),
                    refused(
                            "endless trailers",
                            CHUNKED + "0\r\n" + "X: y\r\n".repeat(20_000) + "\r\n",
                            400,
                            431),
                    // What RFC 9112 leaves open
                    either(
                            "framing fields among trailers",
                            CHUNKED + "5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n",
                            "hello"),
                    either(
                            "a space after the chunk size",
                            CHUNKED + "5 \r\nhello\r\n0\r\n\r\n",
                            "hello"),
                    either(
                            "a length named by Connection",
                            HEAD
                                    + "Connection: close, Content-Length\r\nContent-Length: 5\r\n\r\nhello",
                            "hello"),
                    either(
                            "a coding named by Connection",
                            HEAD
                                    + "Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                            "hello"),
                    either(
                            "Host named by Connection",
                            HEAD + "Connection: close, Host\r\nContent-Length: 5\r\n\r\nhello",
                            "hello"),
                    either(
                            "an empty line before the request",
                            "\r\n" + HEAD + "Connection: close\r\nContent-Length: 5\r\n\r\nhello",
                            "hello"),
                    // One request, byte for byte
                    passed(
                            "a length",
                            HEAD + "Connection: close\r\nContent-Length: 5\r\n\r\nhello",
                            "hello"),
                    passed(
                            "a length with zeros before it",
                            HEAD + "Connection: close\r\nContent-Length: 005\r\n\r\nhello",
                            "hello"),
                    passed("no body", HEAD + "Connection: close\r\nContent-Length: 0\r\n\r\n", ""),
                    passed("chunks", CHUNKED + "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello"),
                    passed("an empty chunked body", CHUNKED + "0\r\n\r\n", ""),
                    passed(
                            "chunk sizes in either case with zeros",
                            CHUNKED + "00a\r\n0123456789\r\n0B\r\n0123456789a\r\n000\r\n\r\n",
                            "01234567890123456789a"),
                    passed(
                            "a chunk extension",
                            CHUNKED + "5;name=value\r\nhello\r\n0\r\n\r\n",
                            "hello"),
                    passed(
                            "a quoted chunk extension",
                            CHUNKED + "5;name=\"a;b\"\r\nhello\r\n0;last\r\n\r\n",
                            "hello"),
                    passed(
                            "chunked in capitals",
                            HEAD
                                    + "Connection: close\r\nTransfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                            "hello"),
                    passed(
                            "a body that looks like a request",
                            HEAD
                                    + "Connection: close\r\nContent-Length: "
                                    + "GET /inner HTTP/1.1\r\nHost: a.test\r\n\r\n".length()
                                    + "\r\n\r\nGET /inner HTTP/1.1\r\nHost: a.test\r\n\r\n",
                            "GET /inner HTTP/1.1\r\nHost: a.test\r\n\r\n"),
                    passed(
                            "all byte values",
                            HEAD + "Connection: close\r\nContent-Length: 256\r\n\r\n" + allBytes(),
                            allBytes()),
                    get(
                            "an absolute target",
                            "GET http://a.test/row?q HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n",
                            "/row?q"),
                    get("HTTP/1.0", "GET /row HTTP/1.0\r\nHost: a.test\r\n\r\n", "/row"),
                    get(
                            "a target of all that RFC 3986 allows",
                            "GET /~a!$&'()*+,;=:@%0D%0A/%2F/?/?&= HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n",
                            "/~a!$&'()*+,;=:@%0D%0A/%2F/?/?&="),
                    get(
                            "dots, removed as RFC 3986 section 5.2.4 says",
                            "GET //a/./b/../c//%2e%2e/d HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n",
                            "//a/c/d"),
                    get(
                            "white space around values and capitals in names",
                            "GET /row HTTP/1.1\r\nhOsT: \t a.test \t \r\nCONNECTION:close\r\nX-Empty:\r\n\r\n",
                            "/row"));

    private static String allBytes() {
        var all = new StringBuilder();
        for (int i = 0; i < 256; i++) {
            all.append((char) i);
        }
        return all.toString();
    }

    /** A whole request that reached the backend. */
    private record Arrived(Request head, String body) {}

    @TempDir private static Path work;
    private static final Queue<Arrived> ARRIVED = new ConcurrentLinkedQueue<>();
    private static Backend backend;
    private static Gateway gateway;

    @BeforeAll
    static void start() {
        backend =
                Backend.start((request, reply) -> {
                    ARRIVED.add(new Arrived(request, request.text()));
                    reply.send(200, "arrived");
                });
        Folder folder =
                Folder.in(work)
                        .put(
                                "all.yaml",
                                Manifests.service("echo", backend),
                                ingress("all")
                                        .host("a.test", "echo")
                                        .host("b.test", "echo")
                                        .yaml());
        gateway =
                Gateway.in(work, Pki.in(work), folder)
                        .jvm("-Dio.netty.leakDetection.level=paranoid")
                        .start();
    }

    @AfterAll
    static void stop() {
        gateway.close();
        backend.close();
        assertThat(backend.violations()).isEmpty();
        assertThat(ARRIVED).noneMatch(each -> each.head().target().contains("smuggled"));
    }

    @BeforeEach
    void forget() {
        ARRIVED.removeIf(not(each -> each.head().target().contains("smuggled")));
    }

    static Stream<Arguments> rows() {
        return Stream.of("plain", "tls")
                .flatMap(port -> ROWS.stream().map(row -> Arguments.of(port, row)));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("rows")
    void ambiguousBytesAreRefusedAndOthersAreOneRequest(String port, Row row) throws IOException {
        Answers answers = exchange(port, row.bytes());

        switch (row.fate()) {
            case Fate.Refused(var statuses) -> assertRefused(answers, statuses);
            case Fate.Passed passed -> assertPassed(answers, passed);
            case Fate.Either(var passed) -> {
                if (answers.first().status() == 400) {
                    assertRefused(answers, List.of(400));
                } else {
                    assertPassed(answers, passed);
                }
            }
        }
    }

    /** The first response, and what came after it up to the end of the connection. */
    private record Answers(RawClient.Response first, String rest) {}

    private static Answers exchange(String port, String bytes) throws IOException {
        RawClient client =
                port.equals("tls")
                        ? RawClient.tls(gateway.https(), "a.test")
                        : RawClient.plain(gateway.http());
        try (var connection = client.open()) {
            connection.trySend(bytes);
            return new Answers(connection.response(), connection.rest());
        }
    }

    private static void assertRefused(Answers answers, List<Integer> statuses) {
        assertThat(answers.first().status()).as(answers.toString()).isIn(statuses);
        assertThat(answers.rest()).as("after the refusal").isEmpty();
        assertThat(ARRIVED).as("at the backend").isEmpty();
    }

    private static void assertPassed(Answers answers, Fate.Passed expected) {
        assertThat(answers.first().status()).as(answers.toString()).isEqualTo(200);
        assertThat(answers.rest()).as("after the response").isEmpty();
        assertThat(ARRIVED).as("at the backend").hasSize(1);
        Arrived arrived = ARRIVED.element();
        assertThat(arrived.head().method()).isEqualTo(expected.method());
        assertThat(arrived.head().target()).isEqualTo(expected.target());
        assertThat(arrived.body()).isEqualTo(expected.body());
        assertThat(arrived.head().all("host")).containsExactly("a.test");
    }

    @Test
    void valuesAboveAsciiArriveAsTheyWere() throws IOException {
        exchange(
                "plain",
                "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nX: \u00e4\u00ff\tb\r\n\r\n");

        assertThat(ARRIVED.element().head().all("x")).containsExactly("\u00e4\u00ff\tb");
    }

    @Test
    void aBackendsConnectionIsNotReusedAfterARefusedBody() throws IOException {
        exchange("plain", CHUNKED + "5\r\nhelloX" + SMUGGLED);
        exchange("plain", "GET /next HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");

        assertThat(new ArrayList<>(ARRIVED))
                .extracting(each -> each.head().target())
                .containsExactly("/next");
    }
}

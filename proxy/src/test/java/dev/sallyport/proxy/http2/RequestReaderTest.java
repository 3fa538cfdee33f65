package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.http.RequestHead;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.AsciiString;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What header blocks are taken for. */
final class RequestReaderTest {
    private final RequestReader reader =
            new RequestReader(ProxySettings.DEFAULT, TestServer.client(new EmbeddedChannel()));

    static Stream<Arguments> malformed() {
        return Stream.of(
                block("nothing at all"),
                block("no method", ":scheme", "http", ":path", "/", ":authority", "a"),
                block("no scheme", ":method", "GET", ":path", "/", ":authority", "a"),
                block("no path", ":method", "GET", ":scheme", "http", ":authority", "a"),
                block("an empty path", get(":path", "")),
                block("a path without slash", get(":path", "x")),
                block("an asterisk for GET", get(":path", "*")),
                block("an absolute target", get(":path", "http://a/")),
                block("another scheme", get(":scheme", "ftp")),
                block("method twice", with(":method", "GET")),
                block("path twice", with(":path", "/")),
                block("scheme twice", with(":scheme", "http")),
                block("authority twice", with(":authority", "a")),
                block("a pseudo-header field of responses", with(":status", "200")),
                block("an unknown pseudo-header field", with(":what", "x")),
                block("pseudo-header fields last", "accept", "*/*", ":method", "GET"),
                block("an upper-case name", with("Accept", "x")),
                block("an empty name", with("", "x")),
                block("a name with a space", with("a b", "x")),
                block("a name with a colon", with("a:b", "x")),
                block("a name with a high byte", with("caf\u00e9", "x")),
                block("NUL in a value", with("x", "a\0b")),
                block("CR in a value", with("x", "a\rb")),
                block("LF in a value", with("x", "a\nb")),
                block("DEL in a value", with("x", "a\u007fb")),
                block("a blank before a value", with("x", " a")),
                block("a blank after a value", with("x", "a\t")),
                block("NUL in the path", get(":path", "/\0")),
                block("connection", with("connection", "close")),
                block("keep-alive", with("keep-alive", "1")),
                block("proxy-connection", with("proxy-connection", "close")),
                block("transfer-encoding", with("transfer-encoding", "chunked")),
                block("upgrade", with("upgrade", "h2c")),
                block("te other than trailers", with("te", "gzip")),
                block("another host", with("host", "b")),
                block("host twice", with("host", "a", "host", "a")),
                block("content-length twice", with("content-length", "0", "content-length", "0")),
                block("a list of lengths", with("content-length", "0, 0")),
                block("a signed length", with("content-length", "+1")),
                block("a negative length", with("content-length", "-1")),
                block("an empty length", with("content-length", "")),
                block("a length beyond all", with("content-length", "1".repeat(19))),
                block("a length without body", with("content-length", "1")),
                block("a protocol without CONNECT", with(":protocol", "websocket")),
                block(
                        "CONNECT with a path",
                        ":method",
                        "CONNECT",
                        ":path",
                        "/",
                        ":scheme",
                        "http",
                        ":authority",
                        "a"),
                block("CONNECT without authority", ":method", "CONNECT"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("malformed")
    void isMalformed(String what, String... fields) {
        assertThat(read(true, fields)).as(what).isEqualTo(Reading.Malformed.MALFORMED);
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                refusal("TRACE", ProxyError.METHOD_NOT_ALLOWED, get(":method", "TRACE")),
                refusal(
                        "CONNECT",
                        ProxyError.METHOD_NOT_ALLOWED,
                        ":method",
                        "CONNECT",
                        ":authority",
                        "a:1"),
                refusal(
                        "CONNECT for something else",
                        ProxyError.METHOD_NOT_ALLOWED,
                        ":method",
                        "CONNECT",
                        ":protocol",
                        "connect-udp",
                        ":scheme",
                        "http",
                        ":path",
                        "/",
                        ":authority",
                        "a"),
                refusal("a method in lower case", ProxyError.BAD_REQUEST, get(":method", "get")),
                refusal("an empty method", ProxyError.BAD_REQUEST, get(":method", "")),
                refusal("user information", ProxyError.BAD_REQUEST, get(":authority", "u@a")),
                refusal("an empty authority", ProxyError.BAD_REQUEST, get(":authority", "")),
                refusal(
                        "nobody",
                        ProxyError.BAD_REQUEST,
                        ":method",
                        "GET",
                        ":scheme",
                        "http",
                        ":path",
                        "/"),
                refusal("a fragment", ProxyError.BAD_REQUEST, get(":path", "/#x")),
                refusal("a path above the root", ProxyError.BAD_REQUEST, get(":path", "/../x")),
                refusal(
                        "a long path",
                        ProxyError.URI_TOO_LONG,
                        get(":path", "/" + "x".repeat(8 * 1024))),
                refusal(
                        "another expectation",
                        ProxyError.EXPECTATION_FAILED,
                        with("expect", "a-miracle")),
                refusal(
                        "many fields",
                        ProxyError.HEADERS_TOO_LARGE,
                        with(Stream.generate(() -> "x").limit(202).toArray(String[]::new))),
                refusal(
                        "a large field",
                        ProxyError.HEADERS_TOO_LARGE,
                        with("x", "x".repeat(32 * 1024))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void isRefused(String what, ProxyError why, String... fields) {
        assertThat(read(true, fields)).as(what).isEqualTo(new Reading.Refused(why));
    }

    @Test
    void aRequestIsReadToTheLetter() {
        RequestHead head = request(true, with("accept", "*/*", "x", "caf\u00e9", "te", "trailers"));

        assertThat(head.method()).isEqualTo("GET");
        assertThat(head.scheme()).isEqualTo("http");
        assertThat(head.authority().text()).isEqualTo("a");
        assertThat(head.target().original()).isEqualTo("/");
        assertThat(head.contentLength()).isZero();
        assertThat(head.headers().names()).containsExactlyInAnyOrder("accept", "x", "te");
        assertThat(head.headers().get("x")).isEqualTo("caf\u00e9");
    }

    @Test
    void aBodyWithoutLengthIsOfUnknownLength() {
        assertThat(request(false, with()).contentLength()).isEqualTo(-1);
    }

    @Test
    void theSchemeIsThatOfTheConnection() {
        assertThat(request(true, get(":scheme", "https")).scheme()).isEqualTo("http");
    }

    @Test
    void optionsMayAskForTheServerAsAWhole() {
        String[] fields = get(":method", "OPTIONS");
        fields[5] = "*";

        assertThat(request(true, fields).target().original()).isEqualTo("*");
    }

    @Test
    void hostMayRepeatTheAuthority() {
        assertThat(request(true, with("host", "A")).authority().text()).isEqualTo("a");
    }

    @Test
    void whoSendsNoBodyWaitsForNothing() {
        assertThat(request(true, with("expect", "100-continue")).expectsContinue()).isFalse();
    }

    @Test
    void twoAuthoritiesAreToldApart() {
        assertThat(request(true, get(":authority", "one")).authority().host()).isEqualTo("one");
        assertThat(request(true, get(":authority", "two")).authority().host()).isEqualTo("two");
    }

    private RequestHead request(boolean endOfStream, String... fields) {
        assertThat(read(endOfStream, fields)).isInstanceOf(Reading.Request.class);
        return ((Reading.Request) read(endOfStream, fields)).head();
    }

    private Reading read(boolean endOfStream, String... fields) {
        RequestFields block = new RequestFields(ProxySettings.Limits.DEFAULT);
        for (int i = 0; i < fields.length; i += 2) {
            block.add(new AsciiString(fields[i]), ascii(fields[i + 1]));
        }
        return reader.read(block, endOfStream);
    }

    private static AsciiString ascii(String latin1) {
        return new AsciiString(latin1.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
    }

    /** A GET with one pseudo-header field changed. */
    private static String[] get(String name, String value) {
        String[] fields = with();
        for (int i = 0; i < fields.length; i += 2) {
            if (fields[i].equals(name)) {
                fields[i + 1] = value;
            }
        }
        return fields;
    }

    /** A GET with more fields. */
    private static String[] with(String... more) {
        return Stream.concat(
                        Stream.of(
                                ":method",
                                "GET",
                                ":scheme",
                                "http",
                                ":path",
                                "/",
                                ":authority",
                                "a"),
                        Stream.of(more))
                .toArray(String[]::new);
    }

    private static Arguments block(String what, String... fields) {
        return Arguments.of(what, fields);
    }

    private static Arguments refusal(String what, ProxyError why, String... fields) {
        return Arguments.of(what, why, fields);
    }
}

package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whoever refuses, a client that asks for JSON gets it. */
class ErrorFormatTest {

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    @ParameterizedTest(name = "{0} for {1}")
    @CsvSource({
        "404, GET /, Host: elsewhere.example",
        "405, TRACE /, Host: shop.example",
        "417, GET /, 'Host: shop.example\r\nExpect: a miracle'",
        "400, GET /, 'Host: shop.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked'",
        "400, GET /, 'Host: shop.example\r\nBad name: a'",
        "400, GET nowhere, Host: shop.example",
    })
    void errorsAreInJsonWhereItIsAskedFor(int status, String start, String fields) {
        String answer =
                answer(start + " HTTP/1.1\r\nAccept: application/json\r\n" + fields + "\r\n\r\n");
        assertThat(answer)
                .startsWith("HTTP/1.1 " + status + " ")
                .contains("content-type: application/json\r\n")
                .contains("{\"status\":" + status + ",");
    }

    @ParameterizedTest
    @CsvSource({"10000, 414", "8190, 414"})
    void longAddressesAreRefusedInJson(int length, int status) {
        String target = "/" + "a".repeat(length + 8);
        assertThat(
                        answer(
                                "GET "
                                        + target
                                        + " HTTP/1.1\r\nAccept: application/json\r\n"
                                        + "Host: shop.example\r\n\r\n"))
                .startsWith("HTTP/1.1 " + status + " ")
                .contains("{\"status\":414,");
    }

    @ParameterizedTest
    @CsvSource({"200"})
    void tooManyFieldsAreRefusedInJson(int fields) {
        assertThat(
                        answer(
                                "GET / HTTP/1.1\r\nAccept: application/json\r\n"
                                        + "A: b\r\n".repeat(fields)
                                        + "\r\n"))
                .startsWith("HTTP/1.1 431 ")
                .contains("{\"status\":431,");
    }

    @ParameterizedTest
    @CsvSource({"application/json;q=0", "*/*"})
    void errorsAreInPlainTextElse(String accept) {
        assertThat(
                        answer(
                                "TRACE / HTTP/1.1\r\nAccept: "
                                        + accept
                                        + "\r\nHost: shop.example\r\n\r\n"))
                .startsWith("HTTP/1.1 405 ")
                .contains("content-type: text/plain");
    }

    private static String answer(String request) {
        try (Http1Client client = Http1Client.plain()) {
            return client.sendRaw(request).received();
        }
    }
}

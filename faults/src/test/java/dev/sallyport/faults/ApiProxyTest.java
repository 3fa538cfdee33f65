package dev.sallyport.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What it answers itself; an API server has what else it does ({@code OutageIT}). */
class ApiProxyTest {
    private static final String PUT =
            "PUT /a HTTP/1.1\r\nHost: b\r\ncontent-length: 18\r\n\r\nGET /c HTTP/1.1\r\n\r";
    private static final String WATCH =
            "GET /d HTTP/1.1\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n";
    private static final String REFUSED =
            "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n"
                    + "Retry-After: 1\r\nContent-Length: 2\r\n\r\n{}";

    private ApiProxy proxy;

    @BeforeEach
    void start() throws NoSuchAlgorithmException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        // Port 9: nobody is there.
        proxy =
                ApiProxy.before(
                        new InetSocketAddress(loopback, 9), SSLContext.getDefault(), loopback);
    }

    @AfterEach
    void stop() {
        proxy.close();
    }

    @Test
    void aRefusedRequestIsReadToTheEndOfItsBodyAndTheNextOneIsRefusedToo() throws IOException {
        refuse(_ -> true);
        assertThat(answersTo(PUT + WATCH)).isEqualTo(REFUSED + REFUSED);
        assertThat(proxy.requests())
                .extracting(ApiProxy.Request::target)
                .containsExactly("/a", "/d");
        assertThat(proxy.requests())
                .extracting(ApiProxy.Request::watch)
                .containsExactly(false, true);
    }

    @Test
    void whoeverIsNotRefusedIsCutOffWhereThereIsNoServer() throws IOException {
        refuse(request -> !request.watch());
        assertThat(answersTo(PUT + WATCH)).isEqualTo(REFUSED);
        proxy.pass();
        assertThat(answersTo(WATCH)).isEmpty();
    }

    private void refuse(Predicate<ApiProxy.Request> which) {
        proxy.answer(which, "429 Too Many Requests", "Retry-After: 1\r\n", "{}");
    }

    private String answersTo(String requests) throws IOException {
        URI url = URI.create(proxy.url());
        try (var socket = new Socket(url.getHost(), url.getPort())) {
            socket.getOutputStream().write(requests.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            var answers = new ByteArrayOutputStream();
            socket.getInputStream().transferTo(answers);
            return answers.toString(StandardCharsets.ISO_8859_1);
        }
    }
}

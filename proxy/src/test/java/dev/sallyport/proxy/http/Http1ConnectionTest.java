package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class Http1ConnectionTest {

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void requestReachesBackendAndResponseReachesClient() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("GET /a?b=c HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.call().method).isEqualTo("GET");
            assertThat(client.call().target).isEqualTo("/a?b=c");
            client.call().respond(200, "hello");
            assertThat(client.received())
                    .isEqualTo(
                            "HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 10:00:00 GMT\r\n"
                                    + "content-length: 5\r\n\r\nhello");
            assertThat(client.isClosed()).isFalse();
        }
    }
}

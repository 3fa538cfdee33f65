package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.sallyport.proxy.ProxySettings.Forwarding;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.LeakPresenceDetector;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What backends are told about the client, and what clients cannot make them believe. */
class ForwardedFieldsTest {

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void backendsLearnWhoAsksAndHow() {
        HttpHeaders headers = sent(Http1Client.with(), "");
        assertThat(headers.getAll("X-Forwarded-For")).containsExactly("192.0.2.7");
        assertThat(headers.getAll("X-Forwarded-Proto")).containsExactly("http");
        assertThat(headers.getAll("X-Forwarded-Host")).containsExactly("Shop.example:8080");
        assertThat(headers.getAll("X-Forwarded-Port")).containsExactly("8080");
        assertThat(headers.getAll("Host")).containsExactly("Shop.example:8080");
        assertThat(headers.get("X-Request-ID")).matches("[0-9a-f]{32}");
        assertThat(headers.contains("Forwarded")).isFalse();
    }

    @TestFactory
    Stream<DynamicTest> claimsOfAnyClientAreDropped() {
        return Stream.of(
                        "X-Forwarded-For",
                        "x-forwarded-for",
                        "X-Forwarded-Proto",
                        "X-Forwarded-Host",
                        "X-Forwarded-Port",
                        "X-Forwarded-Prefix",
                        "X-Forwarded-Client-Cert",
                        "X-Real-IP",
                        "X-Request-ID",
                        "Forwarded",
                        "X_Forwarded_For",
                        "x_forwarded-proto",
                        "X.Forwarded.For",
                        "X_Real_IP",
                        "X_Request_Id",
                        "Content_Length",
                        "Transfer_Encoding",
                        "Proxy-Authorization",
                        "Keep-Alive",
                        "Proxy-Connection",
                        "HTTP2-Settings",
                        "Upgrade",
                        "TE")
                .map(name ->
                        dynamicTest(
                                name,
                                () ->
                                        assertThat(sent(Http1Client.with(), name + ": evil\n"))
                                                .noneMatch(field ->
                                                        field.getValue().contains("evil"))));
    }

    @Test
    void trustedProxiesAreBelievedAndAppended() {
        HttpHeaders headers =
                sent(
                        trusting("192.0.2.0/24"),
                        """
                        X-Forwarded-For: 198.51.100.1
                        X-Forwarded-For: 10.0.0.1
                        X-Forwarded-Proto: https
                        X-Forwarded-Host: a.example
                        X-Forwarded-Port: 443
                        X-Request-ID: abc
                        """);
        assertThat(headers.getAll("X-Forwarded-For"))
                .containsExactly("198.51.100.1, 10.0.0.1, 192.0.2.7");
        assertThat(headers.getAll("X-Forwarded-Proto")).containsExactly("https");
        assertThat(headers.getAll("X-Forwarded-Host")).containsExactly("a.example");
        assertThat(headers.getAll("X-Forwarded-Port")).containsExactly("443");
        assertThat(headers.getAll("X-Request-ID")).containsExactly("abc");
    }

    @Test
    void portIsThatOfTheSchemeThatATrustedProxyNames() {
        assertThat(portSent("shop.example", "X-Forwarded-Proto: https\n")).isEqualTo("443");
        assertThat(portSent("shop.example", "")).isEqualTo("80");
    }

    @Test
    void portThatIsNamedWins() {
        assertThat(portSent("shop.example:8443", "X-Forwarded-Proto: https\n")).isEqualTo("8443");
        assertThat(portSent("shop.example", "X-Forwarded-Proto: https\nX-Forwarded-Port: 444\n"))
                .isEqualTo("444");
    }

    private static @Nullable String portSent(String host, String fields) {
        try (Http1Client client = trusting("192.0.2.7").build()) {
            client.send("GET / HTTP/1.1\nHost: " + host + "\n" + fields + "\n");
            return client.call().headers.get("X-Forwarded-Port");
        }
    }

    @Test
    void hostThatIsNotKnownIsSentEmpty() {
        try (Http1Client client =
                Http1Client.with()
                        .snapshot(Http1Client.anyHost(Http1Client.forward("/")))
                        .build()) {
            client.send("GET / HTTP/1.0\n\n");
            assertThat(client.call().headers.getAll("Host")).containsExactly("");
        }
    }

    @Test
    void aliasesOfTrustedProxiesAreDroppedToo() {
        HttpHeaders headers = sent(trusting("192.0.2.7"), "X_Forwarded_For: evil\n");
        assertThat(headers.contains("X_Forwarded_For")).isFalse();
    }

    @Test
    void connectionCannotTakeOurFieldsAway() {
        HttpHeaders headers =
                sent(
                        Http1Client.with(),
                        "Connection: X-Forwarded-For, Host, X-Request-ID, X-Own\nX-Own: a\n");
        assertThat(headers.contains("X-Forwarded-For")).isTrue();
        assertThat(headers.contains("Host")).isTrue();
        assertThat(headers.contains("X-Request-ID")).isTrue();
        assertThat(headers.contains("X-Own")).isFalse();
        assertThat(headers.contains("Connection")).isFalse();
    }

    @Test
    void connectionCannotTakeATrustedProxysFieldsAway() {
        HttpHeaders headers =
                sent(
                        trusting("192.0.2.7"),
                        "Connection: X-Forwarded-For\nX-Forwarded-For: 10.0.0.1\n");
        assertThat(headers.get("X-Forwarded-For")).isEqualTo("10.0.0.1, 192.0.2.7");
    }

    @Test
    void readinessForTrailersIsPassedOn() {
        assertThat(sent(Http1Client.with(), "TE: gzip, trailers\n").getAll("TE"))
                .containsExactly("trailers");
    }

    @Test
    void forwardedIsSentWhereItIsAskedFor() {
        HttpHeaders headers =
                sent(
                        Http1Client.with()
                                .remote("2001:db8::1")
                                .forwarding(new Forwarding(List.of(), true)),
                        "Forwarded: for=evil\n");
        assertThat(headers.getAll("Forwarded"))
                .containsExactly("for=\"[2001:db8::1]\";host=\"Shop.example:8080\";proto=http");
    }

    @Test
    void ordinaryFieldsPassInTheirOrder() {
        HttpHeaders headers =
                sent(
                        Http1Client.with(),
                        "Cookie: a=b\nX-Own_Name: c\nAccept: d\nAccept: e\nAuthorization: f\n");
        assertThat(headers.get("Cookie")).isEqualTo("a=b");
        assertThat(headers.get("X-Own_Name")).isEqualTo("c");
        assertThat(headers.getAll("Accept")).containsExactly("d", "e");
        assertThat(headers.get("Authorization")).isEqualTo("f");
    }

    @Test
    void absurdConnectionFieldsAreRefused() {
        try (Http1Client client = Http1Client.plain()) {
            client.send(
                    "GET / HTTP/1.1\nHost: shop.example\nConnection: " + "a,".repeat(40) + "\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 400 ");
        }
    }

    @Test
    void trustedProxyThatCameByHttpsIsNotRedirected() {
        try (Http1Client client =
                trusting("192.0.2.7").snapshot(RoutingTest.redirecting()).build()) {
            client.send("GET / HTTP/1.1\nHost: shop.example\nX-Forwarded-Proto: https\n\n");
            assertThat(client.upstreams.calls).hasSize(1);
        }
    }

    private static Http1Client.Builder trusting(String block) {
        return Http1Client.with().forwarding(new Forwarding(List.of(block), false));
    }

    private static HttpHeaders sent(Http1Client.Builder builder, String fields) {
        try (Http1Client client = builder.build()) {
            client.send("GET / HTTP/1.1\nHost: Shop.example:8080\n" + fields + "\n");
            return client.call().headers;
        }
    }
}

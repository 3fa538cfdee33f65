package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.route.Challenge;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.route.WeightedBackend;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.route.BackendChoice;
import io.netty.util.LeakPresenceDetector;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** From a request to what answers it. */
class RoutingTest {

    private static final UpstreamKey SOLVER = new UpstreamKey("default", "solver", 8089);

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    static GatewaySnapshot redirecting() {
        return Http1Client.snapshot(
                List.of(
                        Http1Client.forward("/"),
                        Http1Client.forward("/.well-known/acme-challenge/token")),
                Optional.of(new HttpsRedirect(308, 443)));
    }

    @Test
    void plainRequestsAreSentToHttpsByteForByte() {
        try (Http1Client client = Http1Client.with().snapshot(redirecting()).build()) {
            client.send("GET /%41/../b?c=%2e HTTP/1.1\nHost: SHOP.example:8080\n\n");
            assertThat(client.received())
                    .isEqualTo(
                            """
                            HTTP/1.1 308 Permanent Redirect
                            date: Mon, 23 Nov 2026 10:00:00 GMT
                            location: https://shop.example/%41/../b?c=%2e
                            content-length: 0

                            """
                                    .replace("\n", "\r\n"));
            assertThat(client.observer.last().status()).isEqualTo(308);
        }
    }

    @Test
    void anotherPortIsNamed() {
        GatewaySnapshot snapshot =
                Http1Client.snapshot(
                        Http1Client.forward("/"), Optional.of(new HttpsRedirect(301, 8443)));
        try (Http1Client client = Http1Client.with().snapshot(snapshot).build()) {
            client.send("GET / HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.received())
                    .startsWith("HTTP/1.1 301 ")
                    .contains("location: https://shop.example:8443/\r\n");
        }
    }

    @Test
    void challengesAreAnsweredOnPlainHttp() {
        try (Http1Client client = Http1Client.with().snapshot(redirecting()).build()) {
            client.send("GET /.well-known/acme-challenge/token HTTP/1.1\nHost: shop.example\n\n");
            client.call().respond(200, "proof");
            assertThat(client.received()).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\nproof");
        }
    }

    @Test
    void onlyLiveChallengesAreExemptFromTheRedirect() {
        try (Http1Client client = Http1Client.with().snapshot(redirecting()).build()) {
            client.send("GET /.well-known/acme-challenge/other HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 308 ");
        }
    }

    /** A challenge beside a host whose every path is taken and redirected. */
    private static GatewaySnapshot challenged(String host) {
        return challenged(host, new RouteAction.Forward(List.of(new WeightedBackend(SOLVER, 1))));
    }

    private static GatewaySnapshot challenged(String host, RouteAction action) {
        GatewaySnapshot full = redirecting();
        var challenge = new Challenge(host, "live");
        Route route =
                new Route(
                        new PathMatch.Exact(challenge.path()),
                        action,
                        Http1Client.ORIGIN,
                        Instant.EPOCH);
        return new GatewaySnapshot(
                2,
                List.of(),
                new RoutingTable(
                        full.routes().challenges().with(Map.of(challenge, route)),
                        full.routes().hosts(),
                        full.routes().anyHost(),
                        full.routes().fallback()),
                full.certificates(),
                full.upstreams()
                        .with(
                                Map.of(
                                        SOLVER,
                                        new Upstream(
                                                SOLVER, List.of(RecordedUpstreams.ENDPOINT)))));
    }

    @Test
    void aLiveChallengeComesBeforeTheRedirectAndEveryRule() {
        try (Http1Client client = Http1Client.with().snapshot(challenged("shop.example")).build()) {
            client.send(
                    "GET /.well-known/acme-challenge/live?q HTTP/1.1\nHost: Shop.example:80\n\n");
            assertThat(client.call().target).isEqualTo("/.well-known/acme-challenge/live?q");
            assertThat(client.call().headers.get("Host")).isEqualTo("Shop.example:80");
            client.call().respond(200, "proof");
            assertThat(client.received()).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\nproof");
            client.send("GET /.well-known/acme-challenge/live/x HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.received()).contains("HTTP/1.1 308 ");
        }
    }

    /** The gateway's own orders: nobody is asked. */
    @Test
    void aKeyAuthorizationIsAnsweredByTheGateway() {
        GatewaySnapshot snapshot =
                challenged("shop.example", new RouteAction.KeyAuthorization("live.thumb-print"));
        String target = " /.well-known/acme-challenge/live HTTP/1.1\nHost: shop.example\n";
        try (Http1Client client = Http1Client.with().snapshot(snapshot).build()) {
            client.send("GET" + target + "\n");
            assertThat(client.received())
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .contains("content-type: application/octet-stream\r\n")
                    .contains("content-length: 16\r\n")
                    .endsWith("\r\n\r\nlive.thumb-print");
            assertThat(client.isClosed()).isFalse();
            assertThat(client.observer.last().error()).isNull();
        }
        try (Http1Client client = Http1Client.with().snapshot(snapshot).build()) {
            client.send("HEAD" + target + "\n");
            assertThat(client.received())
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .contains("content-length: 16\r\n")
                    .endsWith("\r\n\r\n");
        }
        try (Http1Client client = Http1Client.with().snapshot(snapshot).build()) {
            client.send("POST" + target + "Content-Length: 2\n\nhi");
            assertThat(client.received()).startsWith("HTTP/1.1 405 ");
        }
    }

    @Test
    void aChallengeOfAnAddressIsFoundByWhoeverNamesNoHostOfOurs() {
        for (String host :
                List.of("Host: 192.0.2.1", "Host: [2001:db8::1]:80", "Host: other.example")) {
            try (Http1Client client = Http1Client.with().snapshot(challenged("")).build()) {
                client.send("GET /.well-known/acme-challenge/live HTTP/1.1\n" + host + "\n\n");
                client.call().respond(200, "proof");
                assertThat(client.received()).as(host).startsWith("HTTP/1.1 200 OK\r\n");
            }
        }
        try (Http1Client client = Http1Client.with().snapshot(challenged("")).build()) {
            client.send("GET /.well-known/acme-challenge/live HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 308 ");
        }
    }

    @Test
    void requestsWithoutHostAreNotRedirected() {
        try (Http1Client client = Http1Client.with().snapshot(redirecting()).build()) {
            client.send("GET / HTTP/1.0\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 404 ");
        }
    }

    @Test
    void unknownHostsAreNotFound() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("GET / HTTP/1.1\nHost: other.example\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 404 Not Found\r\n");
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.NO_ROUTE);
            assertThat(client.isClosed()).isFalse();
        }
    }

    @Test
    void backendsWithoutEndpointsAreUnavailable() {
        GatewaySnapshot full = Http1Client.snapshot(Http1Client.forward("/"), Optional.empty());
        GatewaySnapshot empty =
                new GatewaySnapshot(
                        2,
                        List.of(),
                        full.routes(),
                        full.certificates(),
                        ShardedMap.copyOf(
                                Map.of(
                                        Http1Client.SHOP,
                                        new Upstream(Http1Client.SHOP, List.of()))));
        try (Http1Client client = Http1Client.with().snapshot(empty).build()) {
            client.send("GET / HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 503 ");
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.NO_ENDPOINT);
        }
    }

    @Test
    void missingBackendsAreUnavailable() {
        Route route =
                new Route(
                        new PathMatch.Prefix("/"),
                        new RouteAction.Forward(
                                List.of(
                                        new WeightedBackend(
                                                new UpstreamKey("default", "gone", 80), 1))),
                        Http1Client.ORIGIN,
                        Instant.EPOCH);
        try (Http1Client client =
                Http1Client.with()
                        .snapshot(Http1Client.snapshot(route, Optional.empty()))
                        .build()) {
            client.send("GET / HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 503 ");
        }
    }

    @Test
    void backendsGetTheirShare() {
        UpstreamKey a = new UpstreamKey("default", "a", 80);
        UpstreamKey b = new UpstreamKey("default", "b", 80);
        List<WeightedBackend> backends =
                List.of(
                        new WeightedBackend(a, 3),
                        new WeightedBackend(new UpstreamKey("default", "c", 80), 0),
                        new WeightedBackend(b, 1));
        SplittableRandom random = new SplittableRandom(1);
        int ofA = 0;
        for (int i = 0; i < 10_000; i++) {
            UpstreamKey chosen = BackendChoice.choose(backends, random);
            assertThat(chosen).isIn(a, b);
            ofA += a.equals(chosen) ? 1 : 0;
        }
        assertThat(ofA).isBetween(7_300, 7_700);
    }

    @Test
    void backendsWithoutWeightGetNothing() {
        assertThat(
                        BackendChoice.choose(
                                List.of(new WeightedBackend(Http1Client.SHOP, 0)),
                                new SplittableRandom(1)))
                .isNull();
    }

    @Test
    void refusedAdmissionIsAnsweredAtOnce() {
        try (Http1Client client =
                Http1Client.with().admission(_ -> ProxyError.OVERLOADED).build()) {
            client.send("GET / HTTP/1.1\nHost: shop.example\nAccept: application/json\n\n");
            assertThat(client.received())
                    .startsWith("HTTP/1.1 503 Service Unavailable\r\n")
                    .contains("\r\nretry-after: 1\r\n")
                    .contains("\r\ncontent-type: application/json\r\n")
                    .contains("\r\ncache-control: no-store\r\n")
                    .contains("\"error\":\"overloaded\"")
                    .contains(client.observer.last().requestId());
        }
    }

    @Test
    void errorsAreTextForPeople() {
        try (Http1Client client = Http1Client.plain()) {
            client.send("GET / HTTP/1.1\nHost: other.example\n\n");
            assertThat(client.received())
                    .contains("\r\ncontent-type: text/plain; charset=utf-8\r\n")
                    .endsWith("Request: " + client.observer.last().requestId() + "\n");
        }
    }

    @Test
    void emptyTablesServeNothing() {
        try (Http1Client client = Http1Client.with().snapshot(GatewaySnapshot.EMPTY).build()) {
            client.send("GET / HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 404 ");
        }
    }
}

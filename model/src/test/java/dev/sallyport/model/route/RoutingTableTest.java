package dev.sallyport.model.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RoutingTableTest {
    private static final Instant OLD = Instant.parse("2026-01-01T00:00:00Z");
    private static final String CHALLENGE = "/.well-known/acme-challenge/token";

    @Test
    void theHostComesBeforeThePath() {
        RoutingTable table =
                new RoutingTable(
                        HostTable.copyOf(
                                Map.ofEntries(
                                        host("a.example", prefix("/", "exact")),
                                        host("*.example", prefix("/long/path", "wildcard")))),
                        virtualHost(),
                        Optional.empty());

        assertThat(origin(table.find("a.example", "/long/path"))).isEqualTo("exact");
        assertThat(origin(table.find("b.example", "/long/path"))).isEqualTo("wildcard");
    }

    @Test
    void aPathThatTheHostDoesNotHaveIsLookedForUnderTheWildcardThenUnderNoHost() {
        RoutingTable table =
                new RoutingTable(
                        HostTable.copyOf(
                                Map.ofEntries(
                                        host("a.example", prefix("/exact", "exact")),
                                        host("*.example", prefix("/wildcard", "wildcard")))),
                        virtualHost(prefix("/", "any")),
                        Optional.empty());

        assertThat(origin(table.find("a.example", "/wildcard"))).isEqualTo("wildcard");
        assertThat(origin(table.find("a.example", "/other"))).isEqualTo("any");
        assertThat(origin(table.find("unknown", "/exact"))).isEqualTo("any");
    }

    @Test
    void defaultBackendsCountOnlyWhereNoRuleMatches() {
        Route exactDefault = prefix("/", "default of the host");
        Route gatewayDefault = prefix("/", "default of the gateway");
        RoutingTable table =
                new RoutingTable(
                        HostTable.copyOf(
                                Map.of(
                                        Hostname.parse("a.example"),
                                        VirtualHost.of(
                                                List.of(prefix("/x", "rule")),
                                                Optional.of(exactDefault),
                                                Optional.empty()))),
                        virtualHost(prefix("/any", "any")),
                        Optional.of(gatewayDefault));

        assertThat(origin(table.find("a.example", "/x"))).isEqualTo("rule");
        assertThat(origin(table.find("a.example", "/any"))).isEqualTo("any");
        assertThat(origin(table.find("a.example", "/none"))).isEqualTo("default of the host");
        assertThat(origin(table.find("b.example", "/none"))).isEqualTo("default of the gateway");
        assertThat(RoutingTable.EMPTY.find("b.example", "/none")).isNull();
    }

    @Test
    void theOldestOfTwoEqualRoutesWinsThenTheFirstByName() {
        Route young =
                new Route(new PathMatch.Prefix("/"), action(), ref("a-young"), OLD.plusSeconds(1));
        Route old = new Route(new PathMatch.Prefix("/"), action(), ref("z-old"), OLD);
        Route twin = new Route(new PathMatch.Prefix("/"), action(), ref("b-twin"), OLD);

        assertThat(VirtualHost.of(List.of(young, old), Optional.empty(), Optional.empty()).routes())
                .containsExactly(old);
        assertThat(
                        VirtualHost.of(
                                        List.of(young, old, twin),
                                        Optional.empty(),
                                        Optional.empty())
                                .routes())
                .containsExactly(twin);
    }

    @Test
    void theMostSpecificHostDecidesOnTheRedirect() {
        var redirect = Optional.of(new HttpsRedirect(308, 443));
        RoutingTable table =
                new RoutingTable(
                        HostTable.copyOf(
                                Map.of(
                                        Hostname.parse("plain.example"),
                                        virtualHost(prefix("/", "plain")),
                                        Hostname.parse("*.example"),
                                        VirtualHost.of(List.of(), Optional.empty(), redirect))),
                        virtualHost(),
                        Optional.empty());

        assertThat(table.httpsRedirect("plain.example")).isEmpty();
        assertThat(table.httpsRedirect("other.example")).isEqualTo(redirect);
        assertThat(table.httpsRedirect("elsewhere")).isEmpty();
    }

    @Test
    void aChallengeForAHostComesBeforeItsRules() {
        RoutingTable table =
                new RoutingTable(
                        challenges(new Challenge("a.example", "token")),
                        HostTable.copyOf(
                                Map.ofEntries(
                                        host(
                                                "a.example",
                                                exact(CHALLENGE, "exact"),
                                                prefix("/", "prefix")),
                                        host("*.example", prefix("/", "wildcard")))),
                        virtualHost(prefix("/", "any")),
                        Optional.empty());

        assertThat(origin(table.find("a.example", CHALLENGE))).isEqualTo("challenge");
        assertThat(origin(table.find("a.example", CHALLENGE + "/x"))).isEqualTo("prefix");
        assertThat(origin(table.find("a.example", CHALLENGE + "x"))).isEqualTo("prefix");
        assertThat(origin(table.find("b.example", CHALLENGE))).isEqualTo("wildcard");
        assertThat(origin(table.find("elsewhere", CHALLENGE))).isEqualTo("any");
    }

    @Test
    void aHostOfWhichOnlyAChallengeIsKnownStaysTheWildcards() {
        var redirect = Optional.of(new HttpsRedirect(308, 443));
        RoutingTable table =
                new RoutingTable(
                        challenges(new Challenge("a.example", "token")),
                        HostTable.copyOf(
                                Map.of(
                                        Hostname.parse("*.example"),
                                        VirtualHost.of(
                                                List.of(prefix("/x", "wildcard")),
                                                Optional.of(prefix("/", "default")),
                                                redirect))),
                        virtualHost(),
                        Optional.empty());

        assertThat(origin(table.find("a.example", CHALLENGE))).isEqualTo("challenge");
        assertThat(origin(table.find("a.example", "/x"))).isEqualTo("wildcard");
        assertThat(origin(table.find("a.example", "/y"))).isEqualTo("default");
        assertThat(table.httpsRedirect("a.example")).isEqualTo(redirect);
    }

    @Test
    void aChallengeWithoutHostComesBeforeTheRulesWithoutHostOnly() {
        RoutingTable table =
                new RoutingTable(
                        challenges(new Challenge(Challenge.ANY_HOST, "token")),
                        HostTable.copyOf(
                                Map.ofEntries(
                                        host("a.example", prefix("/", "exact")),
                                        host("b.example", prefix("/b", "exact")),
                                        host("*.example", prefix("/.well-known", "wildcard")))),
                        virtualHost(exact(CHALLENGE, "any"), prefix("/", "any")),
                        Optional.of(prefix("/", "default")));

        for (String host : List.of("192.0.2.7", "[2001:db8::7]", "elsewhere", "")) {
            assertThat(origin(table.find(host, CHALLENGE))).as(host).isEqualTo("challenge");
        }
        assertThat(origin(table.find("a.example", CHALLENGE))).isEqualTo("exact");
        assertThat(origin(table.find("b.example", CHALLENGE))).isEqualTo("wildcard");
        assertThat(origin(table.find("192.0.2.7", "/"))).isEqualTo("any");
    }

    @Test
    void onlyOneSegmentOfTheTokensAlphabetIsAToken() {
        String prefix = "/.well-known/acme-challenge/";
        assertThat(Challenge.tokenOf(prefix + "aZ09-_")).isEqualTo("aZ09-_");
        assertThat(Challenge.tokenOf(prefix + "x".repeat(256))).hasSize(256);
        assertThat(
                        List.of(
                                "/",
                                "/.well-known",
                                prefix,
                                prefix + "a/b",
                                prefix + "a/",
                                prefix + "a.b",
                                prefix + "a%2Fb",
                                prefix + "a b",
                                prefix + "é",
                                prefix + "x".repeat(257),
                                "/x" + prefix + "a"))
                .allMatch(path -> Challenge.tokenOf(path) == null);
        assertThatThrownBy(() -> new Challenge("a.example", "a/b"))
                .hasMessage("token: a/b (expected: 1–256 letters, digits, '-' and '_')");
    }

    @Test
    void challengesAreSetAndRemoved() {
        var one = new Challenge("a.example", "one");
        var two = new Challenge("a.example", "two");
        ChallengeTable both = challenges(one, two);
        Map<Challenge, @Nullable Route> change = new HashMap<>();
        change.put(one, null);
        ChallengeTable left = both.with(change);
        assertThat(both.size()).isEqualTo(2);
        assertThat(left).isEqualTo(challenges(two)).hasSameHashCodeAs(challenges(two));
        assertThat(left.find("a.example", "one")).isNull();
        assertThat(left.find("a.example", "two")).isNotNull();
        assertThat(left.with(Map.of())).isSameAs(left);
    }

    @Test
    void onlyPathsAtOrBelowTheChallengePathAnswerChallenges() {
        assertThat(prefix("/.well-known/acme-challenge/token", "a").answersChallenges()).isTrue();
        assertThat(prefix("/.well-known/acme-challenge", "a").answersChallenges()).isTrue();
        assertThat(prefix("/.well-known/acme-challenges", "a").answersChallenges()).isFalse();
        assertThat(prefix("/", "a").answersChallenges()).isFalse();
    }

    @Test
    void manyPrefixesAreFoundAsFewAre() {
        var random = new Random(7);
        for (int round = 0; round < 200; round++) {
            List<Route> routes = new ArrayList<>();
            for (int i = 1 + random.nextInt(40); i > 0; i--) {
                String path = randomPath(random);
                routes.add(
                        new Route(
                                random.nextBoolean()
                                        ? new PathMatch.Exact(path)
                                        : new PathMatch.Prefix(path),
                                action(),
                                ref("r" + i),
                                OLD));
            }
            VirtualHost host = VirtualHost.of(routes, Optional.empty(), Optional.empty());
            for (int i = 0; i < 50; i++) {
                String request = randomPath(random);
                Route expected =
                        host.routes().stream()
                                .filter(route -> route.path().matches(request))
                                .findFirst()
                                .orElse(null);
                assertThat(host.find(request)).as(request).isSameAs(expected);
            }
        }
    }

    private static String randomPath(Random random) {
        var path = new StringBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            path.append('/')
                    .append(
                            random.nextInt(5) == 0
                                    ? ""
                                    : String.valueOf((char) ('a' + random.nextInt(3))));
        }
        return path.toString();
    }

    private static ChallengeTable challenges(Challenge... all) {
        Map<Challenge, Route> routes = new HashMap<>();
        for (Challenge challenge : all) {
            routes.put(challenge, exact(challenge.path(), "challenge"));
        }
        return ChallengeTable.EMPTY.with(routes);
    }

    private static Map.Entry<Hostname, VirtualHost> host(String name, Route... routes) {
        return Map.entry(Hostname.parse(name), virtualHost(routes));
    }

    private static VirtualHost virtualHost(Route... routes) {
        return VirtualHost.of(List.of(routes), Optional.empty(), Optional.empty());
    }

    private static Route prefix(String path, String origin) {
        return new Route(new PathMatch.Prefix(path), action(), ref(origin), OLD);
    }

    private static Route exact(String path, String origin) {
        return new Route(new PathMatch.Exact(path), action(), ref(origin), OLD);
    }

    private static RouteAction action() {
        return new RouteAction.Forward(List.of());
    }

    private static ObjectRef ref(String name) {
        return new ObjectRef("Ingress", "default", name);
    }

    private static String origin(@Nullable Route route) {
        return route == null ? "nothing" : route.origin().name();
    }
}

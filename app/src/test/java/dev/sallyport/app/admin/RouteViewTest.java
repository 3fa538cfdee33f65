package dev.sallyport.app.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.route.Challenge;
import dev.sallyport.model.route.ChallengeTable;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class RouteViewTest {

    @Test
    void challengesComeFirstInTheirHostAndAreNotRedirected() {
        var redirect = new HttpsRedirect(308, 443);
        VirtualHost host =
                VirtualHost.of(
                        List.of(route(new PathMatch.Exact("/"))),
                        Optional.empty(),
                        Optional.of(redirect));
        Map<Challenge, Route> challenges = new HashMap<>();
        for (Challenge challenge :
                List.of(
                        new Challenge("b.example", "two"),
                        new Challenge("b.example", "one"),
                        new Challenge("a.example", "three"),
                        new Challenge(Challenge.ANY_HOST, "four"))) {
            challenges.put(challenge, route(new PathMatch.Exact(challenge.path())));
        }
        var snapshot =
                new GatewaySnapshot(
                        1,
                        List.of(),
                        new RoutingTable(
                                ChallengeTable.EMPTY.with(challenges),
                                HostTable.copyOf(Map.of(Hostname.parse("b.example"), host)),
                                VirtualHost.of(
                                        List.of(route(new PathMatch.Prefix("/any"))),
                                        Optional.empty(),
                                        Optional.empty()),
                                Optional.empty()),
                        CertificateTable.EMPTY,
                        ShardedMap.empty());

        assertThat(RouteView.of(snapshot))
                .extracting(
                        RouteView::host, RouteView::pathType, RouteView::path, RouteView::redirect)
                .containsExactly(
                        tuple("a.example", "Challenge", "/.well-known/acme-challenge/three", null),
                        tuple("b.example", "Challenge", "/.well-known/acme-challenge/one", null),
                        tuple("b.example", "Challenge", "/.well-known/acme-challenge/two", null),
                        tuple("b.example", "Exact", "/", redirect),
                        tuple("*", "Challenge", "/.well-known/acme-challenge/four", null),
                        tuple("*", "Prefix", "/any", null));
    }

    private static Route route(PathMatch path) {
        return new Route(
                path,
                new RouteAction.Forward(List.of()),
                new ObjectRef("Ingress", "default", "shop"),
                Instant.EPOCH);
    }
}

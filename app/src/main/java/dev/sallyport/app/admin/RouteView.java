package dev.sallyport.app.admin;

import dev.sallyport.model.route.Challenge;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.route.WeightedBackend;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A route as it is served: a row of {@code sallyport routes}. Rows of one host are in order of
 * precedence.
 *
 * @param host with wildcard; {@code *} for rules without a host
 * @param path as it is compared; empty where only the redirect is there
 * @param pathType {@code Challenge} for that of a live challenge, {@code Exact}, {@code Prefix}, or
 *     {@code Default} for a default backend
 * @param action {@code forward}, {@code respond 503}, or {@code redirect} where nothing else is
 *     there
 * @param backends where requests go
 * @param origin the object it was written in; empty where only the redirect is there
 * @param redirect how plain requests are sent to HTTPS; null where they are not
 */
public record RouteView(
        String host,
        String path,
        String pathType,
        String action,
        List<BackendView> backends,
        String origin,
        @Nullable HttpsRedirect redirect) {
    public RouteView {
        Objects.requireNonNull(host);
        Objects.requireNonNull(path);
        Objects.requireNonNull(pathType);
        Objects.requireNonNull(action);
        backends = List.copyOf(backends);
        Objects.requireNonNull(origin);
    }

    /**
     * A share of a route's requests.
     *
     * @param service {@code namespace/name}
     * @param port the Service's port
     * @param weight in proportion to the route's other backends
     * @param endpoints the addresses that can serve it now; none means requests are answered 503
     */
    public record BackendView(String service, int port, int weight, List<String> endpoints) {
        public BackendView {
            Objects.requireNonNull(service);
            endpoints = List.copyOf(endpoints);
        }
    }

    /**
     * All rows of a snapshot: hosts by name, then rules without a host, then the gateway's default
     * backend.
     */
    public static List<RouteView> of(GatewaySnapshot snapshot) {
        RoutingTable table = snapshot.routes();
        List<RouteView> rows = new ArrayList<>();
        List<RouteView> ofAnyHost = new ArrayList<>();
        table.challenges()
                .forEach((challenge, route) -> {
                    boolean named = !challenge.host().equals(Challenge.ANY_HOST);
                    (named ? rows : ofAnyHost)
                            .add(
                                    row(
                                            named ? challenge.host() : "*",
                                            route,
                                            "Challenge",
                                            Optional.empty(),
                                            snapshot));
                });
        rows.sort(Comparator.comparing(RouteView::path));
        ofAnyHost.sort(Comparator.comparing(RouteView::path));
        table.hosts().forEach((name, host) -> add(rows, name.text(), host, snapshot));
        rows.sort(
                Comparator.comparing(
                        RouteView::host)); // stable: the precedence inside a host stays
        rows.addAll(ofAnyHost);
        add(rows, "*", table.anyHost(), snapshot);
        table.fallback()
                .ifPresent(
                        route -> rows.add(row("*", route, "Default", Optional.empty(), snapshot)));
        return rows;
    }

    private static void add(
            List<RouteView> rows, String name, VirtualHost host, GatewaySnapshot snapshot) {
        for (Route route : host.routes()) {
            rows.add(row(name, route, pathType(route.path()), host.httpsRedirect(), snapshot));
        }
        host.fallback()
                .ifPresent(route ->
                        rows.add(row(name, route, "Default", host.httpsRedirect(), snapshot)));
        if (host.routes().isEmpty()
                && host.fallback().isEmpty()
                && host.httpsRedirect().isPresent()) {
            rows.add(
                    new RouteView(
                            name, "", "", "redirect", List.of(), "", host.httpsRedirect().get()));
        }
    }

    private static RouteView row(
            String host,
            Route route,
            String pathType,
            Optional<HttpsRedirect> redirect,
            GatewaySnapshot snapshot) {
        return new RouteView(
                host,
                route.path().path(),
                pathType,
                switch (route.action()) {
                    case RouteAction.Forward(List<WeightedBackend> backends) ->
                            backends.isEmpty() ? "respond 503" : "forward";
                    case RouteAction.KeyAuthorization _ -> "answer challenge";
                },
                switch (route.action()) {
                    case RouteAction.Forward(List<WeightedBackend> backends) ->
                            backends.stream().map(backend -> view(backend, snapshot)).toList();
                    case RouteAction.KeyAuthorization _ -> List.of();
                },
                route.origin().toString(),
                route.answersChallenges() ? null : redirect.orElse(null));
    }

    private static BackendView view(WeightedBackend backend, GatewaySnapshot snapshot) {
        Upstream upstream = snapshot.upstreams().get(backend.upstream());
        return new BackendView(
                backend.upstream().namespace() + "/" + backend.upstream().service(),
                backend.upstream().port(),
                backend.weight(),
                upstream == null
                        ? List.of()
                        : upstream.endpoints().stream().map(Endpoint::toString).toList());
    }

    private static String pathType(PathMatch match) {
        return switch (match) {
            case PathMatch.Exact _ -> "Exact";
            case PathMatch.Prefix _ -> "Prefix";
        };
    }
}

package dev.sallyport.model.route;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The routes of one host, in order of precedence.
 *
 * <p>Immutable. Lookup: exact paths by hash, then prefixes from the longest; hosts with many
 * prefixes are looked up by hash as well, segment by segment from the end.
 */
public final class VirtualHost {
    /** Up to here a scan is faster than hashing every leading part of the path. */
    private static final int SCANNED_PREFIXES = 16;

    private final List<Route> routes;
    private final Optional<Route> fallback;
    private final Optional<HttpsRedirect> httpsRedirect;
    private final Map<String, Route> exact = new HashMap<>();
    private final Route[] prefixes;
    private final Map<String, Route> prefixesByPath = new HashMap<>();

    private VirtualHost(
            List<Route> routes, Optional<Route> fallback, Optional<HttpsRedirect> httpsRedirect) {
        this.routes = routes;
        this.fallback = fallback;
        this.httpsRedirect = httpsRedirect;
        List<Route> scanned = new ArrayList<>();
        for (Route route : routes) {
            switch (route.path()) {
                case PathMatch.Exact(String path) -> exact.put(path, route);
                case PathMatch.Prefix(String path) -> {
                    scanned.add(route);
                    prefixesByPath.put(path, route);
                }
            }
        }
        prefixes = scanned.toArray(Route[]::new);
    }

    /**
     * Sorts the routes by precedence; of two with the same path only the first stays.
     *
     * @param routes in any order
     * @param fallback for requests that no route of any host matches (an Ingress's default backend)
     * @param httpsRedirect whether plain requests are sent to HTTPS
     */
    public static VirtualHost of(
            List<Route> routes, Optional<Route> fallback, Optional<HttpsRedirect> httpsRedirect) {
        Set<PathMatch> seen = new HashSet<>();
        List<Route> ordered =
                routes.stream()
                        .sorted(Route.PRECEDENCE)
                        .filter(route -> seen.add(route.path()))
                        .toList();
        return new VirtualHost(ordered, fallback, httpsRedirect);
    }

    /**
     * The first route that matches {@code path} (normalised, without query), or null. Safe from any
     * thread.
     */
    public @Nullable Route find(String path) {
        Route found = exact.get(path);
        if (found != null) {
            return found;
        }
        return prefixes.length <= SCANNED_PREFIXES ? scan(path) : walk(path);
    }

    /** In order of precedence, without duplicates. */
    public List<Route> routes() {
        return routes;
    }

    /** For requests that no route of any host matches. */
    public Optional<Route> fallback() {
        return fallback;
    }

    /** Whether plain requests are sent to HTTPS, and how. */
    public Optional<HttpsRedirect> httpsRedirect() {
        return httpsRedirect;
    }

    private @Nullable Route scan(String path) {
        for (Route route : prefixes) {
            if (route.path().matches(path)) {
                return route;
            }
        }
        return null;
    }

    private @Nullable Route walk(String path) {
        int end = path.length();
        while (end > 0) {
            Route found = prefixesByPath.get(path.substring(0, end));
            if (found != null) {
                return found;
            }
            end = path.lastIndexOf('/', end - 1);
        }
        return prefixesByPath.get("/");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VirtualHost that
                && routes.equals(that.routes)
                && fallback.equals(that.fallback)
                && httpsRedirect.equals(that.httpsRedirect);
    }

    @Override
    public int hashCode() {
        return routes.hashCode();
    }

    @Override
    public String toString() {
        return "VirtualHost["
                + routes
                + ", fallback="
                + fallback
                + ", httpsRedirect="
                + httpsRedirect
                + "]";
    }
}

package dev.sallyport.model.route;

import dev.sallyport.model.name.HostTable;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The compiled routes of all hosts.
 *
 * <p>Kubernetes Ingress: a rule applies to every request that its host and path cover, the more
 * specific host first. So a path that the exact host does not have is looked for under the wildcard
 * host, then under no host. Only where no rule of any host matches do the default backends count,
 * in the same order, and the gateway's own last.
 *
 * <p>A live challenge for a host comes before all of that. One without a host comes before the
 * rules without a host only: whoever has a host must not have it answered by others.
 *
 * @param challenges what ACME servers are answered with
 * @param hosts the virtual hosts with a name
 * @param anyHost the rules without a host
 * @param fallback the gateway's default backend, or what it answers where nothing matches
 */
public record RoutingTable(
        ChallengeTable challenges,
        HostTable<VirtualHost> hosts,
        VirtualHost anyHost,
        Optional<Route> fallback) {

    /** Matches nothing. */
    public static final RoutingTable EMPTY =
            new RoutingTable(
                    ChallengeTable.EMPTY,
                    HostTable.empty(),
                    VirtualHost.of(List.of(), Optional.empty(), Optional.empty()),
                    Optional.empty());

    /** Without challenges. */
    public RoutingTable(
            HostTable<VirtualHost> hosts, VirtualHost anyHost, Optional<Route> fallback) {
        this(ChallengeTable.EMPTY, hosts, anyHost, fallback);
    }

    /**
     * The route for a request, or null where nothing matches. Safe from any thread.
     *
     * @param host normalised, without port; empty where the request names none
     * @param path normalised, without query
     */
    public @Nullable Route find(String host, String path) {
        String token = Challenge.tokenOf(path);
        Route challenge = token == null ? null : challenges.find(host, token);
        if (challenge != null) {
            return challenge;
        }
        VirtualHost exact = hosts.findExact(host);
        VirtualHost wildcard = hosts.findWildcard(host);
        Route found = exact == null ? null : exact.find(path);
        if (found == null && wildcard != null) {
            found = wildcard.find(path);
        }
        if (found == null && token != null) {
            found = challenges.find(Challenge.ANY_HOST, token);
        }
        if (found == null) {
            found = anyHost.find(path);
        }
        return found != null ? found : fallback(exact, wildcard);
    }

    /**
     * Whether plain requests for {@code host} (normalised) are sent to HTTPS: the most specific
     * host decides.
     */
    public Optional<HttpsRedirect> httpsRedirect(String host) {
        VirtualHost found = hosts.find(host);
        return (found != null ? found : anyHost).httpsRedirect();
    }

    private @Nullable Route fallback(@Nullable VirtualHost exact, @Nullable VirtualHost wildcard) {
        if (exact != null && exact.fallback().isPresent()) {
            return exact.fallback().get();
        }
        if (wildcard != null && wildcard.fallback().isPresent()) {
            return wildcard.fallback().get();
        }
        return anyHost.fallback().or(() -> fallback).orElse(null);
    }
}

package dev.sallyport.bench.table;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.route.WeightedBackend;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.tls.certificate.CertificateParser;
import dev.sallyport.tls.certificate.DemoAuthority;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Tables of a given size: nine tenths of the hosts exact, one tenth wildcards, as {@code
 * shop-000017.team-17.example.com} and {@code *.tenant-000023.example.net}.
 */
final class Tables {
    /** One name in so many is a wildcard. */
    static final int WILDCARD_EVERY = 10;

    /** Bounds the heap: hosts beyond these share the virtual hosts of those before. */
    private static final int DISTINCT_VIRTUAL_HOSTS = 1_000;

    private static final Instant CREATED = Instant.parse("2026-01-01T00:00:00Z");

    private Tables() {}

    /** The name of host {@code i}. */
    static Hostname host(int i) {
        return i % WILDCARD_EVERY == 0
                ? new Hostname.Wildcard(String.format(Locale.ROOT, "tenant-%06d.example.net", i))
                : new Hostname.Exact(
                        String.format(Locale.ROOT, "shop-%06d.team-%d.example.com", i, i % 100));
    }

    /** A certificate set for each host, all with the same bundle. */
    static CertificateTable certificates(int hosts) {
        CertificateBundle bundle = bundle();
        Map<Hostname, CertificateSet> sets = HashMap.newHashMap(hosts);
        for (int i = 0; i < hosts; i++) {
            sets.put(host(i), certificates(bundle, i));
        }
        return new CertificateTable(HostTable.copyOf(sets), Optional.empty());
    }

    /** A new set for host {@code i}, as a rotation makes one. */
    static CertificateSet certificates(CertificateBundle bundle, int i) {
        var secret = new ObjectRef("Secret", "default", "shop-" + i);
        return CertificateSet.of(List.of(new ServedCertificate(bundle, secret, CREATED, false)));
    }

    /** A bundle that passed the parser. */
    static CertificateBundle bundle() {
        DemoAuthority.Issued issued =
                DemoAuthority.create("Bench CA", InstantSource.system())
                        .issue(
                                List.of(new Hostname.Exact("bench.example.com")),
                                Duration.ofDays(30),
                                KeyType.ECDSA);
        Parsed<CertificateBundle> parsed =
                CertificateParser.parse(
                        new ObjectRef("Secret", "default", "bench"),
                        issued.tlsCrt().getBytes(ISO_8859_1),
                        issued.tlsKey().getBytes(ISO_8859_1));
        return switch (parsed) {
            case Parsed.Usable<CertificateBundle> usable -> usable.value();
            case Parsed.Rejected<CertificateBundle> rejected ->
                    throw new IllegalStateException(rejected.toString());
        };
    }

    /** {@code paths} prefixes for each host, {@code /area-07/item-0042} and the like. */
    static RoutingTable routes(int hosts, int paths) {
        List<VirtualHost> distinct = new ArrayList<>();
        for (int i = 0; i < Math.min(hosts, DISTINCT_VIRTUAL_HOSTS); i++) {
            distinct.add(virtualHost(i, paths));
        }
        Map<Hostname, VirtualHost> virtualHosts = HashMap.newHashMap(hosts);
        for (int i = 0; i < hosts; i++) {
            virtualHosts.put(host(i), distinct.get(i % distinct.size()));
        }
        return new RoutingTable(
                HostTable.copyOf(virtualHosts),
                VirtualHost.of(List.of(), Optional.empty(), Optional.empty()),
                Optional.empty());
    }

    /** A new virtual host, as an edit of an Ingress makes one. */
    static VirtualHost virtualHost(int i, int paths) {
        var ingress = new ObjectRef("Ingress", "default", "shop-" + i);
        var action =
                new RouteAction.Forward(
                        List.of(
                                new WeightedBackend(
                                        new UpstreamKey("default", "shop-" + i, 80), 1)));
        List<Route> routes = new ArrayList<>();
        for (int p = 0; p < paths; p++) {
            routes.add(new Route(new PathMatch.Prefix(path(p)), action, ingress, CREATED));
        }
        return VirtualHost.of(routes, Optional.empty(), Optional.empty());
    }

    /** The path of route {@code p} of any host; the first is the root. */
    static String path(int p) {
        return p == 0 ? "/" : String.format(Locale.ROOT, "/area-%02d/item-%04d", p % 16, p);
    }
}

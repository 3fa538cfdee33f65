package dev.sallyport.control.acme;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.keep.Prospect;
import dev.sallyport.acme.keep.Wish;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.translate.AcmeHost;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** From hosts to what is wanted of the keeper. Pure. */
final class Wishes {
    /**
     * Whoever renews a certificate has done so by its last sixth: cert-manager does after two
     * thirds, and others not much later.
     */
    private static final int LEFT = 6;

    private Wishes() {}

    /**
     * One certificate for each host, and one for the gateway's own addresses.
     *
     * @param served what handshakes are answered with, wildcards too
     * @param rules whose certificates count, and where the gateway's own are
     */
    static List<Wish> of(
            ShardedMap<Hostname, AcmeHost> hosts,
            CertificateTable served,
            Issuers issuers,
            AcmeRules rules) {
        List<Wish> wishes = new ArrayList<>(hosts.size() + 1);
        hosts.forEach((host, wanted) -> {
            if (wanted.refusal().isEmpty()) {
                wishes.add(
                        new Wish(
                                CertificateId.of(host),
                                order(List.of(new Identifier.Dns(host)), wanted.issuers(), issuers),
                                wanted.issuers(),
                                servedUntil(wanted, served, rules),
                                wanted.prospect()));
            }
        });
        rules.addresses()
                .map(own ->
                        new Wish(
                                CertificateId.ADDRESSES,
                                order(own.addresses(), own.issuers(), issuers),
                                own.issuers(),
                                Optional.empty(),
                                Prospect.NONE))
                .ifPresent(wishes::add);
        return wishes;
    }

    /** What is told of hosts that may have none ordered, and have none from elsewhere. */
    static Map<CertificateId, Finding> refused(
            ShardedMap<Hostname, AcmeHost> hosts, CertificateTable served, AcmeRules rules) {
        Map<CertificateId, Finding> refused = new HashMap<>();
        hosts.forEach((host, wanted) ->
                wanted.refusal()
                        .filter(_ ->
                                wanted.prospect() != Prospect.AWAITED
                                        && servedUntil(wanted, served, rules).isEmpty()
                                        && !isByDefault(host, served))
                        .ifPresent(why -> refused.put(CertificateId.of(host), why)));
        return refused;
    }

    private static boolean isByDefault(Hostname host, CertificateTable served) {
        return served.fallback().stream()
                .flatMap(set -> set.certificates().stream())
                .filter(it -> !it.temporary())
                .flatMap(it -> it.bundle().names().stream())
                .anyMatch(name -> name.covers(host));
    }

    private static CertificateOrder order(
            List<? extends Identifier> identifiers, List<String> from, Issuers issuers) {
        KeyAlgorithm key =
                issuers.find(from.getFirst()).map(Issuer::key).orElse(KeyAlgorithm.EC_P256);
        return CertificateOrder.of(identifiers, key);
    }

    private static Optional<Instant> servedUntil(
            AcmeHost wanted, CertificateTable served, AcmeRules rules) {
        return Stream.concat(wanted.others().stream(), behind(wanted.host(), served, rules))
                .map(ServedCertificate::bundle)
                .map(Wishes::renewedBefore)
                .max(Instant::compareTo);
    }

    /** What a host that has no certificate of its own is served with. */
    private static Stream<ServedCertificate> behind(
            Hostname host, CertificateTable served, AcmeRules rules) {
        if (!(host instanceof Hostname.Exact(String name))) {
            return Stream.empty();
        }
        CertificateSet wildcard = served.hosts().findWildcard(name);
        if (wildcard == null) {
            // The default one is the gateway's own, so it is anybody's.
            return good(served.fallback().stream(), name);
        }
        String parent = name.substring(name.indexOf('.') + 1);
        ObjectRef ours = rules.secret(CertificateId.of(new Hostname.Wildcard(parent)));
        return good(Stream.of(wildcard), name)
                .filter(it ->
                        !it.source().equals(ours) && rules.allows(it.source().namespace(), host));
    }

    private static Stream<ServedCertificate> good(Stream<CertificateSet> sets, String name) {
        return sets.flatMap(set -> set.certificates().stream())
                .filter(it -> !it.temporary() && it.bundle().covers(name));
    }

    private static Instant renewedBefore(CertificateBundle bundle) {
        Duration lifetime = Duration.between(bundle.notBefore(), bundle.notAfter());
        return bundle.notAfter().minus(lifetime.dividedBy(LEFT));
    }
}

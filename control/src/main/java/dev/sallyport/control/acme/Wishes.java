package dev.sallyport.control.acme;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.Issuers;
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
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
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
     * One certificate for each host.
     *
     * @param served what handshakes are answered with, wildcards too
     * @param namespace of the Secrets with what the gateway has issued
     */
    static List<Wish> of(
            ShardedMap<Hostname, AcmeHost> hosts,
            CertificateTable served,
            Issuers issuers,
            String namespace) {
        List<Wish> wishes = new ArrayList<>(hosts.size());
        hosts.forEach((host, wanted) -> {
            KeyAlgorithm key =
                    issuers.find(wanted.issuers().getFirst())
                            .map(Issuer::key)
                            .orElse(KeyAlgorithm.EC_P256);
            wishes.add(
                    new Wish(
                            CertificateId.of(host),
                            CertificateOrder.of(List.of(new Identifier.Dns(host)), key),
                            wanted.issuers(),
                            servedUntil(wanted, served, namespace)));
        });
        return wishes;
    }

    private static Optional<Instant> servedUntil(
            AcmeHost wanted, CertificateTable served, String namespace) {
        Stream<ServedCertificate> byWildcard = Stream.empty();
        if (wanted.host() instanceof Hostname.Exact(String name)) {
            CertificateSet wildcard = served.hosts().findWildcard(name);
            if (wildcard != null) {
                String parent = name.substring(name.indexOf('.') + 1);
                ObjectRef ours =
                        AcmeRules.secret(
                                namespace, CertificateId.of(new Hostname.Wildcard(parent)));
                byWildcard =
                        wildcard.certificates().stream()
                                .filter(it ->
                                        !it.temporary()
                                                && !it.source().equals(ours)
                                                && it.bundle().covers(name));
            }
        }
        return Stream.concat(wanted.others().stream(), byWildcard)
                .map(ServedCertificate::bundle)
                .map(Wishes::renewedBefore)
                .max(Instant::compareTo);
    }

    private static Instant renewedBefore(CertificateBundle bundle) {
        Duration lifetime = Duration.between(bundle.notBefore(), bundle.notAfter());
        return bundle.notAfter().minus(lifetime.dividedBy(LEFT));
    }
}

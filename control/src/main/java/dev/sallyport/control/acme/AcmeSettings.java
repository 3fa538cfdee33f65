package dev.sallyport.control.acme;

import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.challenge.DynamicZone;
import dev.sallyport.acme.issuer.AllowList;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.keep.KeeperSettings;
import dev.sallyport.acme.order.OrderTimes;
import dev.sallyport.acme.plan.RateLimits;
import dev.sallyport.acme.plan.RenewalRules;
import dev.sallyport.control.translate.AcmeAddresses;
import dev.sallyport.control.translate.AcmeRules;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How certificates are issued by the gateway itself.
 *
 * @param issuers whom they are ordered from
 * @param everyHost whether every host is to have one, or only those that ask
 * @param allowed which namespace may have certificates ordered for which names
 * @param challenges how hosts are proven, of what the listeners and the zone allow
 * @param zone where DNS-01 records may be written
 * @param addresses the gateway's own, if there is to be a certificate for them
 * @param state the folder that accounts, orders and certificates are kept in; empty in a cluster,
 *     where Secrets are
 * @param ordersAtOnce how many orders are worked on at a time
 */
public record AcmeSettings(
        Issuers issuers,
        boolean everyHost,
        AllowList allowed,
        Set<ChallengeType> challenges,
        Optional<DynamicZone> zone,
        Optional<AcmeAddresses> addresses,
        Optional<Path> state,
        int ordersAtOnce) {
    public AcmeSettings {
        challenges = Set.copyOf(challenges);
    }

    /**
     * For translation.
     *
     * @param namespace of the Secrets with what was issued
     * @param gateway whose Secrets these are, of those in that namespace
     */
    public AcmeRules rules(String namespace, String gateway) {
        return new AcmeRules(
                issuers.names(),
                everyHost,
                allowed,
                zone.isPresent(),
                namespace,
                gateway,
                addresses);
    }

    KeeperSettings keeper() {
        return new KeeperSettings(
                issuers,
                RenewalRules.STANDARD,
                issuers.ordered().stream()
                        .collect(
                                Collectors.toMap(
                                        Issuer::name,
                                        issuer -> List.copyOf(RateLimits.of(issuer.directory())))),
                OrderTimes.STANDARD,
                ordersAtOnce);
    }
}

package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.issuer.AllowList;
import dev.sallyport.acme.keep.Prospect;
import dev.sallyport.acme.keep.Wish;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.Placeholders;
import dev.sallyport.control.translate.AcmeAddresses;
import dev.sallyport.control.translate.AcmeHost;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import java.net.InetAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WishesTest {
    private static final ObjectRef INGRESS = new ObjectRef("Ingress", "shop", "web");
    private static final Finding REFUSAL =
            Finding.of(Reason.HOST_NOT_ALLOWED, INGRESS, "no", "Have it granted.");
    private static final String OURS = "acme";
    private static final Hostname SHOP = new Hostname.Exact("www.shop.example");
    private static final Hostname WILDCARD = new Hostname.Wildcard("shop.example");

    /** Six days long: the last sixth is one. */
    private static final String FROM = "2026-06-01";

    private static final String UNTIL = "2026-06-07";
    private static final Instant LAST_SIXTH = Instant.parse("2026-06-06T00:00:00Z");

    @Test
    void aHostIsACertificateOfItsOwn() {
        assertThat(wishes(SHOP, List.of("first", "second"), List.of(), CertificateTable.EMPTY))
                .containsExactly(
                        new Wish(
                                new CertificateId("www.shop.example"),
                                CertificateOrder.of(
                                        List.of(new Identifier.Dns(SHOP)), KeyAlgorithm.EC_P256),
                                List.of("first", "second"),
                                Optional.empty(),
                                Prospect.NONE));
    }

    @Test
    void theGatewaysOwnAddressesAreOneMore() {
        var addresses =
                List.of(
                        new Identifier.Ip(InetAddress.ofLiteral("192.0.2.7")),
                        new Identifier.Ip(InetAddress.ofLiteral("2001:db8::7")));
        AcmeRules rules =
                new AcmeRules(
                        List.of("first", "second"),
                        true,
                        AllowList.EVERYTHING,
                        false,
                        OURS,
                        AcmeRules.GATEWAY,
                        Optional.of(new AcmeAddresses(addresses, List.of("second"))));
        assertThat(
                        Wishes.of(
                                ShardedMap.empty(),
                                CertificateTable.EMPTY,
                                AcmeFixture.issuers(),
                                rules))
                .containsExactly(
                        new Wish(
                                CertificateId.ADDRESSES,
                                CertificateOrder.of(addresses, KeyAlgorithm.RSA_2048),
                                List.of("second"),
                                Optional.empty(),
                                Prospect.NONE));
        assertThat(rules.defaultCertificate()).contains(rules.secret(CertificateId.ADDRESSES));
    }

    @Test
    void itsKeyIsOfTheKindThatItsFirstIssuerIsConfiguredWith() {
        assertThat(wish(SHOP, List.of("second"), List.of(), CertificateTable.EMPTY).order().key())
                .isEqualTo(KeyAlgorithm.RSA_2048);
    }

    @Test
    void whoeverServesItIsLeftUntilTheLastSixth() {
        assertThat(
                        wish(
                                        SHOP,
                                        List.of("first"),
                                        List.of(served("user", "www.shop.example", false)),
                                        CertificateTable.EMPTY)
                                .servedUntil())
                .contains(LAST_SIXTH);
    }

    @Test
    void theOneThatLastsLongestCounts() {
        ServedCertificate shorter =
                new ServedCertificate(
                        Placeholders.bundle(
                                "rsa", "0b", List.of("www.shop.example"), FROM, "2026-06-02"),
                        new ObjectRef("Secret", "user", "tls"),
                        AcmeFixture.NOW,
                        false);
        assertThat(
                        wish(
                                        SHOP,
                                        List.of("first"),
                                        List.of(shorter, served("user", "www.shop.example", false)),
                                        CertificateTable.EMPTY)
                                .servedUntil())
                .contains(LAST_SIXTH);
    }

    @Test
    void aWildcardOfOthersServesItToo() {
        assertThat(servedBy(served("user", "*.shop.example", false))).contains(LAST_SIXTH);
    }

    @Test
    void aTemporaryWildcardOurOwnOrOneForOtherNamesDoesNot() {
        assertThat(servedBy(served("user", "*.shop.example", true))).isEmpty();
        assertThat(servedBy(ours())).isEmpty();
        assertThat(servedBy(served("user", "*.other.example", false))).isEmpty();
    }

    /** A user may have Secrets in the gateway's namespace, too. */
    @Test
    void aWildcardOfAUserBesideOursCounts() {
        assertThat(servedBy(served(OURS, "*.shop.example", false))).contains(LAST_SIXTH);
    }

    @Test
    void aWildcardOfWhoMayNotHaveOneDoesNotCount() {
        AllowList others =
                new AllowList(
                        List.of(
                                new AllowList.Grant(
                                        Optional.of("shop"),
                                        AllowList.EVERYTHING.grants().getFirst().names())));
        assertThat(
                        wishes(
                                        SHOP,
                                        List.of("first"),
                                        List.of(),
                                        table(served("user", "*.shop.example", false)),
                                        others)
                                .getFirst()
                                .servedUntil())
                .isEmpty();
    }

    @Test
    void whatMayNotBeOrderedIsNot() {
        assertThat(
                        Wishes.of(
                                refusedHost(List.of()),
                                CertificateTable.EMPTY,
                                AcmeFixture.issuers(),
                                rules(AllowList.EVERYTHING)))
                .isEmpty();
    }

    @Test
    void whatMayNotBeOrderedIsToldOfWhereNobodyElseServesIt() {
        assertThat(refused(List.of(), CertificateTable.EMPTY))
                .isEqualTo(Map.of(CertificateId.of(SHOP), REFUSAL));
        ServedCertificate own = served("user", "www.shop.example", false);
        assertThat(refused(List.of(own), CertificateTable.EMPTY)).isEmpty();
        assertThat(refused(List.of(), table(served("user", "*.shop.example", false)))).isEmpty();
    }

    @Test
    void aWildcardHostIsServedByADefaultCertificateOfThatName() {
        Hostname wildcard = Hostname.parse("*.shop.example");
        var hosts = host(wildcard, List.of("first"), List.of(), Optional.of(REFUSAL));
        var fallback = CertificateSet.of(List.of(served("infra", "*.shop.example", false)));
        var table = new CertificateTable(HostTable.copyOf(Map.of()), Optional.of(fallback));
        assertThat(Wishes.refused(hosts, table, rules(AllowList.EVERYTHING))).isEmpty();
        assertThat(Wishes.refused(hosts, CertificateTable.EMPTY, rules(AllowList.EVERYTHING)))
                .hasSize(1);
    }

    private static Map<CertificateId, Finding> refused(
            List<ServedCertificate> others, CertificateTable served) {
        return Wishes.refused(refusedHost(others), served, rules(AllowList.EVERYTHING));
    }

    private static ShardedMap<Hostname, AcmeHost> refusedHost(List<ServedCertificate> others) {
        return host(SHOP, List.of("first"), others, Optional.of(REFUSAL));
    }

    @Test
    void theDefaultCertificateServesWhatItIsFor() {
        assertThat(servedByDefault("*.shop.example")).contains(LAST_SIXTH);
        assertThat(servedByDefault("sallyport.invalid")).isEmpty();
    }

    private static Optional<Instant> servedByDefault(String name) {
        return wish(
                        SHOP,
                        List.of("first"),
                        List.of(),
                        new CertificateTable(
                                HostTable.copyOf(Map.of()),
                                Optional.of(
                                        CertificateSet.of(List.of(served("infra", name, false))))))
                .servedUntil();
    }

    private static ServedCertificate ours() {
        return new ServedCertificate(
                served(OURS, "*.shop.example", false).bundle(),
                AcmeRules.secret(OURS, CertificateId.of(WILDCARD)),
                AcmeFixture.NOW,
                false);
    }

    @Test
    void aWildcardIsServedByNoWildcardAboveIt() {
        assertThat(
                        wish(
                                        WILDCARD,
                                        List.of("first"),
                                        List.of(),
                                        table(served("user", "*.shop.example", false)))
                                .servedUntil())
                .isEmpty();
    }

    private static Optional<Instant> servedBy(ServedCertificate wildcard) {
        return wish(SHOP, List.of("first"), List.of(), table(wildcard)).servedUntil();
    }

    private static CertificateTable table(ServedCertificate wildcard) {
        return new CertificateTable(
                HostTable.copyOf(Map.of(WILDCARD, CertificateSet.of(List.of(wildcard)))),
                Optional.empty());
    }

    private static ServedCertificate served(String namespace, String name, boolean temporary) {
        return new ServedCertificate(
                Placeholders.bundle("ecdsa", "0a", List.of(name), FROM, UNTIL),
                new ObjectRef("Secret", namespace, "tls"),
                AcmeFixture.NOW,
                temporary);
    }

    private static Wish wish(
            Hostname host,
            List<String> issuers,
            List<ServedCertificate> others,
            CertificateTable served) {
        return wishes(host, issuers, others, served).getFirst();
    }

    private static List<Wish> wishes(
            Hostname host,
            List<String> issuers,
            List<ServedCertificate> others,
            CertificateTable served) {
        return wishes(host, issuers, others, served, AllowList.EVERYTHING);
    }

    private static List<Wish> wishes(
            Hostname host,
            List<String> issuers,
            List<ServedCertificate> others,
            CertificateTable served,
            AllowList allowed) {
        return Wishes.of(
                host(host, issuers, others, Optional.empty()),
                served,
                AcmeFixture.issuers(),
                rules(allowed));
    }

    private static AcmeRules rules(AllowList allowed) {
        return new AcmeRules(
                List.of("first"), true, allowed, false, OURS, AcmeRules.GATEWAY, Optional.empty());
    }

    private static ShardedMap<Hostname, AcmeHost> host(
            Hostname host,
            List<String> issuers,
            List<ServedCertificate> others,
            Optional<Finding> refusal) {
        var wanted = new AcmeHost(host, issuers, INGRESS, others, Prospect.NONE, false, refusal);
        return ShardedMap.copyOf(Map.of(host, wanted));
    }
}

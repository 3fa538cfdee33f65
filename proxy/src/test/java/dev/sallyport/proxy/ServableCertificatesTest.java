package dev.sallyport.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.CertificateBuilder.Algorithm;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ServableCertificatesTest {
    private final Set<CertificateBundle> bad = new HashSet<>();
    private final List<CertificateBundle> tried = new ArrayList<>();
    private final List<CertificateBundle> forgotten = new ArrayList<>();
    private final MockTicker ticker = Ticker.newMockTicker();
    private Duration price = Duration.ZERO; // of one trial
    private final ServableCertificates servable =
            new ServableCertificates(this::refusal, forgotten::add, ticker);

    @Test
    void tableWithoutRefusalsIsServedAsItIs() {
        CertificateTable table = table(Map.of("a.test", set()));
        assertThat(servable.serve(table)).isSameAs(table);
        assertThat(servable.findings()).isEmpty();
    }

    @Test
    void unchangedTableIsNotLookedAt() {
        CertificateTable table = table(Map.of("a.test", set()));
        servable.serve(table);
        tried.clear();
        servable.serve(table);
        assertThat(tried).isEmpty();
    }

    @Test
    void onlyWhatChangedIsTried() {
        CertificateTable first = table(Map.of("a.test", set(), "b.test", set()));
        servable.serve(first);
        tried.clear();
        CertificateSet fresh = set();
        servable.serve(with(first, "b.test", fresh));
        assertThat(tried).containsExactly(bundle(fresh));
    }

    @Test
    void refusedRotationLeavesTheLastGoodInService() {
        CertificateSet good = set();
        CertificateTable first = table(Map.of("a.test", good, "b.test", set()));
        servable.serve(first);
        CertificateSet refused = refusedSet();
        CertificateTable served = servable.serve(with(first, "a.test", refused));
        assertThat(served.find("a.test")).isSameAs(good);
        assertThat(served.find("b.test")).isSameAs(first.find("b.test"));
        assertThat(servable.findings())
                .extracting(Finding::reason)
                .containsExactly(Reason.CERTIFICATE_REFUSED);
    }

    @Test
    void refusalLastsUntilTheBundleIsReplaced() {
        CertificateSet good = set();
        CertificateTable first = table(Map.of("a.test", good));
        servable.serve(first);
        CertificateTable second = with(first, "a.test", refusedSet());
        servable.serve(second);
        CertificateTable third = with(second, "other.test", set());
        assertThat(servable.serve(third).find("a.test")).isSameAs(good);
        assertThat(servable.findings()).hasSize(1);
        CertificateSet healed = set();
        CertificateTable fourth = with(third, "a.test", healed);
        assertThat(servable.serve(fourth)).isSameAs(fourth);
        assertThat(servable.findings()).isEmpty();
    }

    @Test
    void refusedNewcomerIsLeftToTheDefault() {
        CertificateSet fallback = set();
        CertificateTable table =
                new CertificateTable(
                        HostTable.copyOf(Map.of(Hostname.parse("a.test"), refusedSet())),
                        Optional.of(fallback));
        assertThat(servable.serve(table).find("a.test")).isSameAs(fallback);
    }

    @Test
    void bundleIsForgottenWhenItsLastHostIsGone() {
        CertificateSet shared = set();
        CertificateTable first = table(Map.of("a.test", shared, "b.test", shared));
        servable.serve(first);
        CertificateTable second = with(first, "a.test", set());
        servable.serve(second);
        assertThat(forgotten).isEmpty();
        servable.serve(with(second, "b.test", null));
        assertThat(forgotten).containsExactly(bundle(shared));
    }

    // Where there is no time

    @Test
    void whatThereIsNoTimeForIsServedUntriedAndTriedLater() {
        price = Duration.ofMillis(60);
        Map<String, CertificateSet> hosts = new HashMap<>();
        for (int i = 0; i < 30; i++) {
            hosts.put(i + ".test", set());
        }
        CertificateTable table = table(hosts);
        assertThat(servable.serve(table)).isSameAs(table);
        assertThat(tried).hasSizeBetween(8, 10);
        assertThat(servable.hasUntried()).isTrue();

        int pieces = 0;
        for (; servable.hasUntried(); pieces++) {
            assertThat(servable.proceed()).isSameAs(table);
        }
        assertThat(pieces).as("each is short").isGreaterThanOrEqualTo(20);
        assertThat(tried).hasSize(30).doesNotHaveDuplicates();
        assertThat(forgotten).isEmpty();
    }

    @Test
    void whatIsRefusedLaterGivesWayToTheLastGood() {
        CertificateSet good = set();
        CertificateTable first = table(Map.of("a.test", good, "b.test", set()));
        servable.serve(first);
        CertificateSet refused = refusedSet();
        CertificateTable second = servedUntried(with(first, "a.test", refused));
        assertThat(second.find("a.test")).isSameAs(refused);
        assertThat(forgotten).as("kept in reserve").isEmpty();

        CertificateTable third = proceedToTheEnd();

        assertThat(third.find("a.test")).isSameAs(good);
        assertThat(third.find("b.test")).isSameAs(first.find("b.test"));
        assertThat(servable.findings())
                .extracting(Finding::reason)
                .containsExactly(Reason.CERTIFICATE_REFUSED);
        assertThat(forgotten).isEmpty();
    }

    @Test
    void whatTurnsOutGoodLetsTheLastGoodGo() {
        CertificateSet good = set();
        CertificateTable first = table(Map.of("a.test", good));
        servable.serve(first);
        CertificateSet better = set();
        servedUntried(with(first, "a.test", better));

        assertThat(proceedToTheEnd().find("a.test")).isSameAs(better);

        assertThat(forgotten).containsExactly(bundle(good));
    }

    @Test
    void theLastGoodStaysThroughRotationsThatWereNotTried() {
        CertificateSet good = set();
        CertificateTable first = table(Map.of("a.test", good));
        servable.serve(first);
        CertificateSet one = refusedSet();
        CertificateTable second = with(first, "a.test", one);
        servedUntried(second);
        CertificateSet two = refusedSet();
        servedUntried(with(second, "a.test", two));
        assertThat(forgotten).contains(bundle(one)).doesNotContain(bundle(good));

        assertThat(proceedToTheEnd().find("a.test")).isSameAs(good);
    }

    @Test
    void aHostThatIsGoneLeavesNothingToTry() {
        CertificateTable first = table(Map.of("a.test", set()));
        servable.serve(first);
        CertificateTable second = with(first, "b.test", set());
        servedUntried(second);
        tried.clear();
        servable.serve(with(second, "b.test", null));
        assertThat(servable.hasUntried()).isFalse();
        assertThat(tried).isEmpty();
    }

    @Test
    void theDefaultIsTriedFirst() {
        price = Duration.ofSeconds(1);
        CertificateSet fallback = refusedSet();
        servable.serve(
                new CertificateTable(
                        HostTable.copyOf(Map.of(Hostname.parse("a.test"), set())),
                        Optional.of(fallback)));
        assertThat(tried).containsExactly(bundle(fallback));
    }

    @Test
    void theLastGoodThatIsServedIsNotForgotten() {
        CertificateSet good = set();
        CertificateTable first = table(Map.of("a.test", good));
        servable.serve(first);
        CertificateTable second = with(first, "a.test", refusedSet());
        servable.serve(second);
        assertThat(forgotten).isEmpty();
        servable.serve(with(second, "a.test", set()));
        assertThat(forgotten).contains(bundle(good));
    }

    @Test
    void whatProvedGoodMeanwhileIsTheLastGood() {
        CertificateTable first = table(Map.of("a.test", set()));
        servable.serve(first);
        CertificateSet proven = set();
        CertificateTable second = with(first, "a.test", proven);
        servedUntried(second);
        CertificateTable third = with(second, "b.test", set());
        servedUntried(third);
        servable.proceed();
        assertThat(tried).contains(bundle(proven));
        assertThat(servable.hasUntried()).as("others wait still").isTrue();

        servedUntried(with(third, "a.test", refusedSet()));

        assertThat(proceedToTheEnd().find("a.test")).isSameAs(proven);
    }

    @Test
    void whatIsRefusedForOneHostGivesWayWhereItIsServedUntried() {
        CertificateSet good = set();
        CertificateTable first = table(Map.of("a.test", good));
        servable.serve(first);
        CertificateSet shared = refusedSet();
        CertificateTable second = with(first, "a.test", shared);
        servedUntried(second);
        price = Duration.ZERO;

        CertificateTable third = servable.serve(with(second, "b.test", shared));

        assertThat(servable.hasUntried()).isFalse();
        assertThat(third.find("a.test")).isSameAs(good);
    }

    // The default

    @Test
    void theDefaultBeforeARefusedOneIsServedAndNotForgotten() {
        CertificateSet good = set();
        servable.serve(table(good));

        CertificateTable refused = servable.serve(table(refusedSet()));

        assertThat(refused.fallback()).containsSame(good);
        assertThat(forgotten).isEmpty();
        assertThat(servable.serve(table(refusedSet())).fallback()).containsSame(good);
        assertThat(forgotten).doesNotContain(bundle(good));
    }

    @Test
    void theDefaultBeforeIsForgottenOnceAnotherIsGood() {
        CertificateSet good = set();
        servable.serve(table(good));
        servable.serve(table(refusedSet()));
        CertificateSet better = set();

        assertThat(servable.serve(table(better)).fallback()).containsSame(better);

        assertThat(forgotten).contains(bundle(good)).doesNotContain(bundle(better));
    }

    @Test
    void theDefaultBeforeIsForgottenOnceNoneIsWanted() {
        CertificateSet good = set();
        servable.serve(table(good));
        servable.serve(table(refusedSet()));

        assertThat(servable.serve(table(Map.of())).fallback()).isEmpty();

        assertThat(forgotten).contains(bundle(good));
    }

    @Test
    void aDefaultThatIsRefusedLaterGivesWayToTheLastGood() {
        CertificateSet good = set();
        servable.serve(table(good));
        price = Duration.ofSeconds(1);
        CertificateSet first = refusedSet();
        CertificateSet second = set(Algorithm.rsa2048); // no time is left for it
        bad.add(bundle(second));
        CertificateSet both =
                CertificateSet.of(
                        List.of(first.certificates().getFirst(), second.certificates().getFirst()));
        assertThat(servable.serve(table(both)).fallback()).isPresent();
        assertThat(servable.hasUntried()).isTrue();

        assertThat(proceedToTheEnd().fallback()).containsSame(good);
        assertThat(forgotten).isEmpty();
    }

    /** With what is new in it, for which there is no time. */
    private CertificateTable servedUntried(CertificateTable table) {
        price = Duration.ofSeconds(1);
        CertificateTable served =
                servable.serve(
                        new CertificateTable(table.hosts(), Optional.of(set()))); // takes it all
        assertThat(servable.hasUntried()).isTrue();
        return served;
    }

    private CertificateTable proceedToTheEnd() {
        CertificateTable served = servable.proceed();
        while (servable.hasUntried()) {
            served = servable.proceed();
        }
        return served;
    }

    private Optional<Finding> refusal(ServedCertificate certificate) {
        tried.add(certificate.bundle());
        ticker.advance(price.toNanos(), TimeUnit.NANOSECONDS);
        return bad.contains(certificate.bundle())
                ? Optional.of(
                        Finding.of(
                                Reason.CERTIFICATE_REFUSED,
                                certificate.source(),
                                "refused",
                                "Issue another."))
                : Optional.empty();
    }

    private CertificateSet refusedSet() {
        CertificateSet set = set();
        bad.add(bundle(set));
        return set;
    }

    private static CertificateSet set() {
        return set(Algorithm.ecp256);
    }

    private static CertificateSet set(Algorithm algorithm) {
        try {
            return TestGateway.set(
                    TestGateway.bundle(
                            new CertificateBuilder()
                                    .subject("CN=a.test")
                                    .algorithm(algorithm)
                                    .addSanDnsName("a.test")
                                    .setIsCertificateAuthority(true)
                                    .buildSelfSigned()));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static CertificateBundle bundle(CertificateSet set) {
        return set.certificates().getFirst().bundle();
    }

    private static CertificateTable table(CertificateSet fallback) {
        return new CertificateTable(HostTable.copyOf(Map.of()), Optional.of(fallback));
    }

    private static CertificateTable table(Map<String, CertificateSet> hosts) {
        Map<Hostname, CertificateSet> parsed = new HashMap<>();
        hosts.forEach((name, set) -> parsed.put(Hostname.parse(name), set));
        return new CertificateTable(HostTable.copyOf(parsed), Optional.empty());
    }

    private static CertificateTable with(
            CertificateTable before, String name, @Nullable CertificateSet set) {
        Map<Hostname, @Nullable CertificateSet> change = new HashMap<>();
        change.put(Hostname.parse(name), set);
        return new CertificateTable(before.hosts().with(change), before.fallback());
    }
}

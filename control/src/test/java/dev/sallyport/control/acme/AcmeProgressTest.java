package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.keep.Prospect;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.OrderKind;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.Why;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.event.News;
import dev.sallyport.control.translate.AcmeHost;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AcmeProgressTest {
    private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
    private static final Hostname HOST = Hostname.parse("a.shop.example");
    private static final ObjectRef INGRESS = new ObjectRef("Ingress", "default", "a");
    private static final Identifier NAME = Identifier.parse("a.shop.example");
    private static final CertificateOrder ORDER =
            CertificateOrder.of(List.of(NAME), KeyAlgorithm.EC_P256);
    private static final ShardedMap<Hostname, AcmeHost> HOSTS =
            ShardedMap.copyOf(
                    Map.of(
                            HOST,
                            new AcmeHost(
                                    HOST,
                                    List.of("default"),
                                    INGRESS,
                                    List.of(),
                                    Prospect.NONE,
                                    false,
                                    Optional.empty())));

    private final AcmeProgress progress = new AcmeProgress();

    private static KeeperState state(boolean leads, String serial, Optional<Station> station) {
        Instant end = NOW.plus(Duration.ofDays(90));
        Instant due = NOW.plus(Duration.ofDays(60));
        boolean there = !serial.isEmpty();
        RenewalPlan plan =
                there && station.isEmpty()
                        ? new RenewalPlan.Keep(due, due, new Why.Lifetime(due, end))
                        : new RenewalPlan.Issue(
                                ORDER, "default", OrderKind.FIRST, new Why.NoCertificate());
        var kept =
                new Kept(
                        CertificateId.of(HOST),
                        Optional.of(ORDER),
                        List.of("default"),
                        there
                                ? Optional.of(
                                        new CurrentCertificate(
                                                Set.of(NAME),
                                                Optional.of(KeyAlgorithm.EC_P256),
                                                NOW,
                                                end,
                                                "default",
                                                true))
                                : Optional.empty(),
                        serial,
                        Optional.empty(),
                        plan,
                        station,
                        station.map(_ -> "default"),
                        List.of(),
                        Optional.empty(),
                        NOW);
        return new KeeperState(
                leads,
                leads,
                List.of(kept),
                List.of(),
                new KeeperState.Counts(0, 0, Map.of()),
                Optional.empty());
    }

    private List<News> news(boolean leads, String serial, Station... station) {
        return progress.news(state(leads, serial, List.of(station).stream().findFirst()), HOSTS);
    }

    @Test
    void eachStepIsToldOnce() {
        assertThat(news(true, "")).isEmpty();
        assertThat(news(true, "", Station.ACCOUNT)).isEmpty();
        assertThat(news(true, "", Station.ORDERED))
                .containsExactly(
                        new News(
                                INGRESS,
                                "a.shop.example",
                                "AcmeOrdered",
                                "a.shop.example: ordered from default: there is no certificate"
                                        + " yet"));
        assertThat(news(true, "", Station.PRESENTED)).isEmpty();
        assertThat(news(true, "", Station.CHALLENGED))
                .containsExactly(
                        new News(
                                INGRESS,
                                "a.shop.example",
                                "AcmeChallenged",
                                "a.shop.example: the gateway answers the challenge, and default is"
                                        + " to look"));
        assertThat(news(true, "", Station.VALIDATED))
                .singleElement()
                .satisfies(one -> assertThat(one.reason()).isEqualTo("AcmeValidated"));
        assertThat(news(true, "", Station.FINALISED)).isEmpty();
        assertThat(news(true, "01"))
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.reason()).isEqualTo("AcmeIssued");
                    assertThat(one.note())
                            .startsWith(
                                    "a.shop.example: default issued a certificate, serial 01, valid"
                                            + " until 2026-08-30T12:00:00Z; it is renewed at"
                                            + " 2026-07-31T12:00:00Z: ");
                });
        assertThat(news(true, "01")).isEmpty();
        assertThat(news(true, "02")).hasSize(1);
    }

    @Test
    void stepsThatArePassedAtOnceAreOneNews() {
        assertThat(news(true, "")).isEmpty();
        assertThat(news(true, "", Station.FINALISED))
                .singleElement()
                .satisfies(one -> assertThat(one.reason()).isEqualTo("AcmeValidated"));
    }

    @Test
    void whileTheStoreCannotBeReadNothingIsNew() {
        KeeperState unread = state(true, "", Optional.empty());
        var troubled =
                new KeeperState(
                        true,
                        false,
                        unread.certificates(),
                        List.of(),
                        unread.counts(),
                        Optional.of("the store cannot be read"));
        assertThat(progress.news(troubled, HOSTS)).isEmpty();
        assertThat(news(true, "01")).isEmpty();
        assertThat(news(true, "02")).hasSize(1);
    }

    /** It may lead before it is told what is wanted, and reads nothing until then. */
    @Test
    void beforeTheStoreIsReadNothingIsNew() {
        var unread =
                new KeeperState(
                        true,
                        false,
                        List.of(),
                        List.of(),
                        state(true, "", Optional.empty()).counts(),
                        Optional.empty());
        assertThat(progress.news(unread, HOSTS)).isEmpty();
        assertThat(news(true, "01")).isEmpty();
        assertThat(news(true, "02")).hasSize(1);
    }

    @Test
    void whatWasSoBeforeItLedIsNoNews() {
        assertThat(news(true, "01")).isEmpty();
        assertThat(news(false, "02")).isEmpty();
        assertThat(news(true, "03")).isEmpty();
        assertThat(progress.news(state(true, "04", Optional.empty()), ShardedMap.empty()))
                .as("nobody asks for it")
                .isEmpty();
    }
}

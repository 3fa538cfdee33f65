package dev.sallyport.app.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.OrderKind;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.Why;
import dev.sallyport.acme.store.CertificateId;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What {@code SallyportAcmeCertificateNotRenewed} is told of. */
class AcmeMetricsTest {
    private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
    private static final Instant END = NOW.plus(Duration.ofDays(2));
    private static final Instant NEXT = NOW.plus(Duration.ofHours(5));
    private static final String HOST = "shop.example";
    private static final CertificateOrder ORDER =
            CertificateOrder.of(List.of(Identifier.parse(HOST)), KeyAlgorithm.EC_P256);
    private static final Why DUE = new Why.Lifetime(NOW.minus(Duration.ofDays(1)), END);
    private static final Failure FAILURE =
            new Failure(NOW.minusSeconds(60), "ca", ORDER, new Cause.CaTrouble("500"));

    private static Stream<RenewalPlan> waitsThatMayLast() {
        var noIssuer = new Why.NoIssuer(List.of("gone"));
        var damaged = new Why.Damaged("no PEM");
        var limited = new Why.Limited("ca", "5 a week");
        return Stream.of(
                new RenewalPlan.WaitUntil(NEXT, limited, DUE),
                new RenewalPlan.WaitUntil(NEXT, limited, new Why.Expired(END)),
                new RenewalPlan.WaitUntil(NEXT, limited, new Why.Asked()),
                new RenewalPlan.WaitUntil(NEXT, limited, new Why.IssuerChanged("old")),
                new RenewalPlan.WaitUntil(NEXT, noIssuer, noIssuer),
                new RenewalPlan.WaitUntil(NEXT, damaged, damaged),
                new RenewalPlan.WaitUntil(NEXT, new Why.Failed(FAILURE, 1, false), DUE));
    }

    @Test
    void whatOughtToBeOrderedAndIsNotIsToldThoughNoOrderFailed() {
        assertThat(waitsThatMayLast())
                .allSatisfy(plan ->
                        assertThat(expiry(kept(plan, List.of())))
                                .contains((double) END.getEpochSecond()));
    }

    @Test
    void whatFailedIsToldWhileItIsTriedAgain() {
        var again = new RenewalPlan.Renew(ORDER, "ca", OrderKind.RENEWAL, DUE);

        assertThat(expiry(kept(again, List.of(FAILURE)))).contains((double) END.getEpochSecond());
    }

    private static Stream<RenewalPlan> whatIsInOrder() {
        return Stream.of(
                new RenewalPlan.Keep(NEXT, END, DUE),
                new RenewalPlan.Keep(END, END, new Why.ServedByOthers(END)),
                new RenewalPlan.Discard(new Why.ServedByOthers(END)),
                new RenewalPlan.Renew(ORDER, "ca", OrderKind.RENEWAL, DUE),
                new RenewalPlan.Issue(ORDER, "ca", OrderKind.FIRST, new Why.IssuerChanged("old")));
    }

    @Test
    void whatNeedNotBeOrderedYetOrIsBeingOrderedIsNotTold() {
        assertThat(whatIsInOrder())
                .allSatisfy(plan -> assertThat(expiry(kept(plan, List.of()))).isEmpty());
    }

    @Test
    void whatNobodyWantsAnyMoreMayExpire() {
        var plan = new RenewalPlan.Keep(END, END, new Why.HostGone(NOW));

        assertThat(expiry(kept(Optional.empty(), plan, List.of(FAILURE)))).isEmpty();
    }

    private static Optional<Double> expiry(Kept kept) {
        var all = MetricSnapshots.builder();
        AcmeMetrics.add(
                all,
                new KeeperState(
                        true,
                        true,
                        List.of(kept),
                        List.of(),
                        new KeeperState.Counts(0, 0, Map.of()),
                        Optional.empty()));
        String name = GatewayMetric.ACME_FAILING_FIRST_EXPIRY.exportedName();
        return all.build().stream()
                .filter(metric -> metric.getMetadata().getPrometheusName().equals(name))
                .map(metric -> ((GaugeSnapshot) metric).getDataPoints().getFirst().getValue())
                .findFirst();
    }

    private static Kept kept(RenewalPlan plan, List<Failure> failures) {
        return kept(Optional.of(ORDER), plan, failures);
    }

    private static Kept kept(
            Optional<CertificateOrder> order, RenewalPlan plan, List<Failure> failures) {
        return new Kept(
                new CertificateId(HOST),
                order,
                List.of("ca"),
                Optional.of(
                        new CurrentCertificate(
                                Set.of(Identifier.parse(HOST)),
                                Optional.of(KeyAlgorithm.EC_P256),
                                END.minus(Duration.ofDays(90)),
                                END,
                                "ca",
                                true)),
                "0a",
                Optional.empty(),
                plan,
                Optional.empty(),
                Optional.empty(),
                failures,
                Optional.empty(),
                NOW);
    }
}

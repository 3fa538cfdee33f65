package dev.sallyport.app.telemetry;

import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.Why;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.time.Instant;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The metrics of the certificates that the gateway has issued for itself. */
final class AcmeMetrics {
    private AcmeMetrics() {}

    /** How it stands with a certificate, in one word. */
    private enum State {
        VALID,
        MISSING,
        FAILING,
        ORDERING,
        COVERED,
        GONE
    }

    static void add(MetricSnapshots.Builder all, KeeperState state) {
        List<Kept> kept = state.certificates();
        all.metricSnapshot(MetricsPage.single(GatewayMetric.ACME_LEADS, state.leads() ? 1 : 0));
        all.metricSnapshot(
                MetricsPage.single(
                        GatewayMetric.ACME_TROUBLE, state.trouble().isPresent() ? 1 : 0));
        all.metricSnapshot(certificates(kept));
        all.metricSnapshot(
                MetricsPage.single(GatewayMetric.ACME_ORDERS, (double) state.counts().begun()));
        all.metricSnapshot(
                MetricsPage.single(
                        GatewayMetric.ACME_ORDERS_ISSUED, (double) state.counts().issued()));
        all.metricSnapshot(failed(state.counts().failed()));
        all.metricSnapshot(
                MetricsPage.single(
                        GatewayMetric.ACME_ORDERS_UNDER_WAY,
                        (double) kept.stream().filter(it -> it.underWay().isPresent()).count()));
        all.metricSnapshot(requests(state.issuers()));
        first(all, GatewayMetric.ACME_NEXT_RENEWAL, kept.stream().flatMap(AcmeMetrics::renewal));
        first(
                all,
                GatewayMetric.ACME_FIRST_EXPIRY,
                kept.stream()
                        .filter(AcmeMetrics::matters)
                        .flatMap(it -> it.current().stream())
                        .map(CurrentCertificate::notAfter));
        first(
                all,
                GatewayMetric.ACME_FAILING_SINCE,
                kept.stream()
                        .filter(AcmeMetrics::isFailing)
                        .map(it -> it.failures().getFirst().at()));
        first(
                all,
                GatewayMetric.ACME_FAILING_FIRST_EXPIRY,
                kept.stream()
                        .filter(it -> isFailing(it) || isHeldUp(it))
                        .flatMap(it -> it.current().stream())
                        .map(CurrentCertificate::notAfter));
    }

    private static void first(
            MetricSnapshots.Builder all, GatewayMetric metric, Stream<Instant> moments) {
        Optional<Instant> first = moments.min(Comparator.naturalOrder());
        first.ifPresent(moment ->
                all.metricSnapshot(MetricsPage.single(metric, MetricsPage.seconds(moment))));
    }

    private static GaugeSnapshot certificates(List<Kept> kept) {
        Map<State, Integer> counts = new EnumMap<>(State.class);
        kept.forEach(one -> counts.merge(state(one), 1, Integer::sum));
        GaugeSnapshot.Builder gauge = MetricsPage.gauge(GatewayMetric.ACME_CERTIFICATES);
        for (State state : State.values()) {
            gauge.dataPoint(
                    new GaugeDataPointSnapshot(
                            counts.getOrDefault(state, 0),
                            Labels.of("state", state.name().toLowerCase(Locale.ROOT)),
                            null));
        }
        return gauge.build();
    }

    private static State state(Kept kept) {
        if (kept.order().isEmpty()) {
            return State.GONE;
        }
        if (!matters(kept)) {
            return State.COVERED;
        }
        if (isFailing(kept)) {
            return State.FAILING;
        }
        if (kept.underWay().isPresent()) {
            return State.ORDERING;
        }
        return kept.current().isPresent() && !(purpose(kept.plan()) instanceof Why.Expired)
                ? State.VALID
                : State.MISSING;
    }

    private static Why purpose(RenewalPlan plan) {
        return plan instanceof RenewalPlan.WaitUntil(_, _, Why purpose) ? purpose : plan.why();
    }

    /** Whether the host has to be served with it. */
    private static boolean matters(Kept kept) {
        return kept.order().isPresent() && !(kept.plan().why() instanceof Why.ServedByOthers);
    }

    /** A renewal that somebody asked for in vain, long before one is due, is no failure. */
    private static boolean isFailing(Kept kept) {
        return kept.order().isPresent()
                && !kept.failures().isEmpty()
                && !(kept.plan() instanceof RenewalPlan.Keep);
    }

    /**
     * Whether another is due, and nothing is ordered now: the last order failed, its issuer is
     * gone, a limit is reached, or what is stored of it is damaged.
     */
    private static boolean isHeldUp(Kept kept) {
        return matters(kept)
                && kept.plan() instanceof RenewalPlan.WaitUntil(_, Why why, _)
                && mayLast(why);
    }

    /** Of what is waited for; what an order would be for is no reason to wait. */
    private static boolean mayLast(Why why) {
        return switch (why) {
            case Why.Failed _, Why.Limited _, Why.NoIssuer _, Why.Damaged _ -> true;
            case Why.NoCertificate _,
                    Why.NamesChanged _,
                    Why.KeyChanged _,
                    Why.IssuerChanged _,
                    Why.Lifetime _,
                    Why.Window _,
                    Why.Withdrawn _,
                    Why.Expired _,
                    Why.HostGone _,
                    Why.ServedByOthers _,
                    Why.OthersAwaited _,
                    Why.OthersExpected _,
                    Why.Revoked _,
                    Why.Asked _ ->
                    false;
        };
    }

    private static Stream<Instant> renewal(Kept kept) {
        return kept.plan() instanceof RenewalPlan.Keep(_, Instant until, _) && matters(kept)
                ? Stream.of(until)
                : Stream.empty();
    }

    /** Each cause there is, so that the first failure is an increase. */
    private static CounterSnapshot failed(Map<String, Long> counts) {
        Map<String, Long> all = new TreeMap<>(counts);
        for (Class<?> cause : Cause.class.getPermittedSubclasses()) {
            all.putIfAbsent(cause.getSimpleName(), 0L);
        }
        return counter(GatewayMetric.ACME_ORDERS_FAILED, "cause", all);
    }

    private static CounterSnapshot requests(List<KeeperState.IssuerState> issuers) {
        Map<String, Long> counts = new TreeMap<>();
        issuers.forEach(issuer -> counts.put(issuer.name(), issuer.requests()));
        return counter(GatewayMetric.ACME_REQUESTS, "issuer", counts);
    }

    private static CounterSnapshot counter(
            GatewayMetric metric, String label, Map<String, Long> counts) {
        CounterSnapshot.Builder counter = MetricsPage.counter(metric);
        counts.forEach((value, count) ->
                counter.dataPoint(
                        new CounterDataPointSnapshot(
                                (double) count, Labels.of(label, value), null, 0)));
        return counter.build();
    }
}

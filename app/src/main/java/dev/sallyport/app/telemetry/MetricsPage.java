package dev.sallyport.app.telemetry;

import dev.sallyport.app.admin.AdminState;
import dev.sallyport.app.admin.CertificateView;
import dev.sallyport.control.Reported;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.reconcile.ServedTruth;
import dev.sallyport.control.stored.StoreReport;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.proxy.metric.Metric;
import dev.sallyport.proxy.metric.Reading;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Renders {@code /metrics}: the data plane's reading, the control side's state, what is served, and
 * the JVM.
 */
public final class MetricsPage {
    /** Prometheus' text format. */
    public static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    private static final Pattern DIGITS = Pattern.compile("[0-9]{1,15}");

    private final AdminState state;
    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();

    /** Reads {@code state} anew at each {@link #render}. */
    public MetricsPage(AdminState state) {
        this.state = state;
        JvmMetrics.builder().register(registry);
        registry.register((MultiCollector) this::collect);
    }

    /** The page. Safe from any thread. */
    public byte[] render() throws IOException {
        var out = new ByteArrayOutputStream(64 * 1024);
        writer.write(out, registry.scrape());
        return out.toByteArray();
    }

    private MetricSnapshots collect() {
        MetricSnapshots.Builder all = MetricSnapshots.builder();
        for (Reading.Family family : state.traffic().families()) {
            all.metricSnapshot(traffic(family));
        }
        ControlState control = state.control();
        certificates(all, control.truth());
        all.metricSnapshot(servedVersions(control.truth()));
        all.metricSnapshot(unserved(control.truth()));
        all.metricSnapshot(single(GatewayMetric.READY, state.readiness().ready() ? 1 : 0));
        all.metricSnapshot(single(GatewayMetric.HOSTS, state.served().routes().hosts().size()));
        all.metricSnapshot(findings(control.findings()));
        all.metricSnapshot(objects(control.objects()));
        state.sinceLastLook()
                .ifPresent(age ->
                        all.metricSnapshot(single(GatewayMetric.SOURCE_AGE, age.toNanos() / 1e9)));
        all.metricSnapshot(single(GatewayMetric.SOURCE_HELD_BACK, state.heldBack()));
        Reported reported = state.reported();
        if (reported.wanted()) {
            reported(all, reported);
        }
        StoreReport stored = state.stored();
        if (stored.wanted()) {
            stored(all, stored);
        }
        state.acme().ifPresent(desk -> AcmeMetrics.add(all, desk.state()));
        all.metricSnapshot(single(GatewayMetric.RECONCILES, (double) control.reconciles()));
        all.metricSnapshot(single(GatewayMetric.SNAPSHOTS_PUBLISHED, (double) control.published()));
        all.metricSnapshot(single(GatewayMetric.RECONCILE_FAILURES, (double) control.failures()));
        all.metricSnapshot(
                single(GatewayMetric.RECONCILE_DURATION, control.lastDuration().toNanos() / 1e9));
        control.lastApplied()
                .ifPresent(applied ->
                        all.metricSnapshot(single(GatewayMetric.CONFIG_APPLIED, seconds(applied))));
        return all.build();
    }

    private static void stored(MetricSnapshots.Builder all, StoreReport stored) {
        all.metricSnapshot(single(GatewayMetric.STALE, stored.staleSince().isPresent() ? 1 : 0));
        stored.storedAsOf()
                .ifPresent(asOf ->
                        all.metricSnapshot(single(GatewayMetric.STORED_STATE, seconds(asOf))));
        if (stored.writes() > 0) {
            all.metricSnapshot(single(GatewayMetric.STORED_STATE_BYTES, (double) stored.bytes()));
        }
        all.metricSnapshot(single(GatewayMetric.STORED_STATE_WRITES, (double) stored.writes()));
        all.metricSnapshot(single(GatewayMetric.STORED_STATE_FAILURES, (double) stored.failures()));
    }

    private void certificates(MetricSnapshots.Builder all, ServedTruth truth) {
        GaugeSnapshot.Builder served = gauge(GatewayMetric.CERTIFICATE_SERVED);
        GaugeSnapshot.Builder notAfter = gauge(GatewayMetric.CERTIFICATE_NOT_AFTER);
        GaugeSnapshot.Builder loaded = gauge(GatewayMetric.CERTIFICATE_LOADED);
        List<CertificateView> rows = CertificateView.of(state.served().certificates(), truth);
        for (CertificateView row : rows) {
            Labels labels =
                    labels(
                            GatewayMetric.CERTIFICATE_NOT_AFTER.labels(),
                            List.of(
                                    row.host(),
                                    row.keyType().toLowerCase(Locale.ROOT),
                                    row.serial(),
                                    row.source()));
            notAfter.dataPoint(new GaugeDataPointSnapshot(seconds(row.notAfter()), labels, null));
            loaded.dataPoint(new GaugeDataPointSnapshot(seconds(row.since()), labels, null));
            Instant firstServed = row.firstServed();
            if (firstServed != null) {
                served.dataPoint(
                        new GaugeDataPointSnapshot(
                                seconds(firstServed),
                                labels(
                                        GatewayMetric.CERTIFICATE_SERVED.labels(),
                                        List.of(
                                                row.host(),
                                                row.keyType().toLowerCase(Locale.ROOT),
                                                row.serial(),
                                                row.source(),
                                                row.resourceVersion())),
                                null));
            }
        }
        all.metricSnapshot(served.build());
        all.metricSnapshot(notAfter.build());
        all.metricSnapshot(loaded.build());
    }

    /** Of what an API server holds; resourceVersions are numbers (Kubernetes 1.35 says so). */
    private static MetricSnapshot servedVersions(ServedTruth truth) {
        Map<ObjectRef, Double> versions = new HashMap<>();
        truth.provenance()
                .forEach((_, provenance) -> {
                    if (DIGITS.matcher(provenance.resourceVersion()).matches()) {
                        versions.merge(
                                provenance.secret(),
                                Double.valueOf(provenance.resourceVersion()),
                                Double::max);
                    }
                });
        GaugeSnapshot.Builder gauge = gauge(GatewayMetric.SECRET_SERVED_VERSION);
        versions.forEach((secret, version) ->
                gauge.dataPoint(
                        new GaugeDataPointSnapshot(
                                version,
                                labels(
                                        GatewayMetric.SECRET_SERVED_VERSION.labels(),
                                        List.of(secret.namespace(), secret.name())),
                                null)));
        return gauge.build();
    }

    private static MetricSnapshot unserved(ServedTruth truth) {
        GaugeSnapshot.Builder gauge = gauge(GatewayMetric.SECRET_UNSERVED);
        truth.unserved()
                .forEach((secret, unserved) ->
                        gauge.dataPoint(
                                new GaugeDataPointSnapshot(
                                        1,
                                        labels(
                                                GatewayMetric.SECRET_UNSERVED.labels(),
                                                List.of(
                                                        secret.namespace(),
                                                        secret.name(),
                                                        unserved.reason().camelCase())),
                                        null)));
        return gauge.build();
    }

    private static MetricSnapshot findings(List<Finding> findings) {
        Map<List<String>, Integer> counts = new HashMap<>();
        for (Finding finding : findings) {
            counts.merge(
                    List.of(
                            finding.severity().name().toLowerCase(Locale.ROOT),
                            finding.reason().camelCase()),
                    1,
                    Integer::sum);
        }
        GaugeSnapshot.Builder gauge = gauge(GatewayMetric.FINDINGS);
        counts.forEach((values, count) ->
                gauge.dataPoint(
                        new GaugeDataPointSnapshot(
                                count, labels(GatewayMetric.FINDINGS.labels(), values), null)));
        return gauge.build();
    }

    private static void reported(MetricSnapshots.Builder all, Reported reported) {
        all.metricSnapshot(single(GatewayMetric.LEADER, reported.leads() ? 1 : 0));
        all.metricSnapshot(
                single(GatewayMetric.STATUS_WRITES, (double) reported.statuses().writes()));
        all.metricSnapshot(
                single(
                        GatewayMetric.STATUS_WRITE_FAILURES,
                        (double) reported.statuses().failures()));
        CounterSnapshot.Builder events = counter(GatewayMetric.EVENTS);
        reported.events()
                .told()
                .forEach((reason, count) ->
                        events.dataPoint(
                                new CounterDataPointSnapshot(
                                        (double) count, Labels.of("reason", reason), null, 0)));
        all.metricSnapshot(events.build());
        all.metricSnapshot(
                single(GatewayMetric.EVENTS_DROPPED, (double) reported.events().dropped()));
    }

    private static MetricSnapshot objects(Map<String, Integer> objects) {
        GaugeSnapshot.Builder gauge = gauge(GatewayMetric.OBJECTS);
        new TreeMap<>(objects)
                .forEach((kind, count) ->
                        gauge.dataPoint(
                                new GaugeDataPointSnapshot(count, Labels.of("kind", kind), null)));
        return gauge.build();
    }

    static MetricSnapshot single(GatewayMetric metric, double value) {
        if (metric.counter()) {
            return counter(metric)
                    .dataPoint(new CounterDataPointSnapshot(value, Labels.EMPTY, null, 0))
                    .build();
        }
        return gauge(metric)
                .dataPoint(new GaugeDataPointSnapshot(value, Labels.EMPTY, null))
                .build();
    }

    static CounterSnapshot.Builder counter(GatewayMetric metric) {
        return CounterSnapshot.builder()
                .name(withoutTotal(metric.exportedName()))
                .help(metric.help());
    }

    static GaugeSnapshot.Builder gauge(GatewayMetric metric) {
        return GaugeSnapshot.builder().name(metric.exportedName()).help(metric.help());
    }

    private static MetricSnapshot traffic(Reading.Family family) {
        Metric metric = family.metric();
        return switch (metric.kind()) {
            case COUNTER -> {
                CounterSnapshot.Builder counter =
                        CounterSnapshot.builder().name(metric.exportedName()).help(metric.help());
                for (Reading.Value value : values(family)) {
                    counter.dataPoint(
                            new CounterDataPointSnapshot(
                                    value.value(),
                                    labels(metric.labels(), value.labels()),
                                    null,
                                    0));
                }
                yield counter.build();
            }
            case GAUGE -> {
                GaugeSnapshot.Builder gauge =
                        GaugeSnapshot.builder().name(metric.exportedName()).help(metric.help());
                for (Reading.Value value : values(family)) {
                    gauge.dataPoint(
                            new GaugeDataPointSnapshot(
                                    value.value(), labels(metric.labels(), value.labels()), null));
                }
                yield gauge.build();
            }
            case HISTOGRAM -> histogram(family);
        };
    }

    private static MetricSnapshot histogram(Reading.Family family) {
        Metric metric = family.metric();
        HistogramSnapshot.Builder histogram =
                HistogramSnapshot.builder().name(metric.exportedName()).help(metric.help());
        for (Reading.Sample sample : family.samples()) {
            if (sample instanceof Reading.Distribution distribution) {
                List<Double> bounds = new ArrayList<>(distribution.bounds());
                bounds.add(Double.POSITIVE_INFINITY);
                histogram.dataPoint(
                        new HistogramDataPointSnapshot(
                                ClassicHistogramBuckets.of(bounds, distribution.counts()),
                                distribution.sum(),
                                labels(metric.labels(), distribution.labels()),
                                null,
                                0));
            }
        }
        return histogram.build();
    }

    private static List<Reading.Value> values(Reading.Family family) {
        return family.samples().stream()
                .filter(Reading.Value.class::isInstance)
                .map(Reading.Value.class::cast)
                .toList();
    }

    private static Labels labels(List<String> names, List<String> values) {
        return names.isEmpty() ? Labels.EMPTY : Labels.of(names, values);
    }

    static double seconds(Instant instant) {
        return instant.toEpochMilli() / 1e3;
    }

    private static String withoutTotal(String name) {
        return name.substring(0, name.length() - "_total".length());
    }
}

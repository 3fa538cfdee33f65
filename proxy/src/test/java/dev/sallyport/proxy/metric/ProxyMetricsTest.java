package dev.sallyport.proxy.metric;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.http.ProxyError;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProxyMetricsTest {
    private static final UpstreamKey SHOP = new UpstreamKey("default", "shop", 80);

    private final ProxyMetrics metrics = new ProxyMetrics();

    @Test
    void requestIsCountedByProtocolMethodAndStatus() {
        metrics.requestStarted();
        metrics.requestEnded("h2", "GET", 204, 3_000_000, 5, 7);
        assertThat(values(Metric.REQUESTS))
                .containsExactly(new Reading.Value(List.of("h2", "GET", "2xx"), 1));
        assertThat(value(Metric.REQUESTS_IN_FLIGHT)).isZero();
        assertThat(value(Metric.REQUEST_BYTES)).isEqualTo(5);
        assertThat(value(Metric.RESPONSE_BYTES)).isEqualTo(7);
    }

    @Test
    void methodThatAClientInventedMakesNoNewSeries() {
        for (int i = 0; i < 100; i++) {
            metrics.requestEnded("http/1.1", "M" + i, 499, 1, 0, 0);
        }
        assertThat(values(Metric.REQUESTS))
                .containsExactly(new Reading.Value(List.of("http/1.1", "OTHER", "4xx"), 100));
    }

    @Test
    void durationFallsIntoTheBucketWhoseBoundIsNotBelowIt() {
        metrics.requestEnded("http/1.1", "GET", 200, 1_000_000, 0, 0);
        metrics.requestEnded("http/1.1", "GET", 200, 1_000_001, 0, 0);
        metrics.requestEnded("http/1.1", "GET", 200, 3_600_000_000_000L, 0, 0);
        var all = (Reading.Distribution) samples(Metric.REQUEST_DURATION).getFirst();
        assertThat(all.labels()).containsExactly("http/1.1", "2xx");
        assertThat(all.counts().get(all.bounds().indexOf(0.001))).isEqualTo(1);
        assertThat(all.counts().get(all.bounds().indexOf(0.0025))).isEqualTo(1);
        assertThat(all.counts().getLast()).isEqualTo(1);
        assertThat(all.counts()).hasSize(all.bounds().size() + 1);
        assertThat(all.count()).isEqualTo(3);
        assertThat(all.sum()).isBetween(3600.0, 3600.1);
    }

    @Test
    void errorIsCountedByItsFlag() {
        metrics.requestFailed(ProxyError.BAD_RESPONSE);
        assertThat(values(Metric.REQUEST_ERRORS))
                .contains(new Reading.Value(List.of("upstream", "bad_response"), 1))
                .contains(new Reading.Value(List.of("gateway", "no_route"), 0));
    }

    @Test
    void handshakeIsCountedByVersionAndResumption() {
        metrics.handshakeDone("TLSv1.3", true);
        assertThat(values(Metric.TLS_HANDSHAKES))
                .contains(new Reading.Value(List.of("ok", "TLSv1.3", "yes"), 1))
                .contains(new Reading.Value(List.of("ok", "TLSv1.2", "no"), 0));
    }

    @Test
    void exchangesAreCountedByService() {
        metrics.services().ended(SHOP, 200, null, 2_000_000_000);
        metrics.services().ended(SHOP, 502, ProxyError.CONNECT_FAILED, -1);
        assertThat(values(Metric.SERVICE_REQUESTS))
                .containsExactlyInAnyOrder(
                        new Reading.Value(List.of("default", "shop", "80", "2xx"), 1),
                        new Reading.Value(List.of("default", "shop", "80", "5xx"), 1));
        assertThat(values(Metric.SERVICE_ERRORS))
                .containsExactly(
                        new Reading.Value(List.of("default", "shop", "80", "connect_failed"), 1));
        assertThat(values(Metric.SERVICE_RESPONSE_SECONDS))
                .containsExactly(new Reading.Value(List.of("default", "shop", "80"), 2));
    }

    @Test
    void servicesBeyondTheBoundAreCountedTogether() {
        for (int i = 0; i < 3_000; i++) {
            metrics.services().ended(new UpstreamKey("default", "s" + i, 80), 200, null, 1);
        }
        assertThat(values(Metric.SERVICE_REQUESTS))
                .hasSize(1_001)
                .contains(new Reading.Value(List.of("", "", "", "2xx"), 2_000));
    }

    @Test
    void serviceThatIsGoneMakesRoom() {
        metrics.services().ended(SHOP, 200, null, 1);
        metrics.services().retain(service -> !service.equals(SHOP));
        assertThat(values(Metric.SERVICE_REQUESTS)).isEmpty();
    }

    @Test
    void sampleHasAsManyLabelsAsItsMetricNames() {
        metrics.requestEnded("h2", "GET", 200, 1, 0, 0);
        assertThat(metrics.read().families())
                .allSatisfy(family ->
                        assertThat(family.samples())
                                .isNotEmpty()
                                .allSatisfy(sample ->
                                        assertThat(sample.labels())
                                                .hasSameSizeAs(family.metric().labels())));
    }

    @Test
    void namesAreThoseOfPrometheus() {
        assertThat(Arrays.stream(Metric.values()).map(Metric::exportedName))
                .doesNotHaveDuplicates()
                .allMatch(name -> name.matches("sallyport_[a-z0-9_]+"))
                .noneMatch(name -> name.endsWith("_total"));
        assertThat(Arrays.stream(Metric.values()).map(Metric::help))
                .allMatch(help -> help.endsWith("."));
    }

    private double value(Metric metric) {
        return values(metric).getFirst().value();
    }

    private List<Reading.Value> values(Metric metric) {
        return samples(metric).stream().map(sample -> (Reading.Value) sample).toList();
    }

    private List<Reading.Sample> samples(Metric metric) {
        return metrics.read().families().stream()
                .filter(family -> family.metric() == metric)
                .flatMap(family -> family.samples().stream())
                .toList();
    }
}

package dev.sallyport.proxy.metric;

import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.http.ProxyError;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What is counted for each Service: which one fails, and which one is slow. A Service has a place
 * from its first request until it is gone; only so many have one, and those beyond are counted
 * together, with empty labels. Adding is safe from any thread and takes no lock.
 */
public final class ServiceCounters {
    private static final int MOST = 1_000;
    private static final String[] STATUSES = {"1xx", "2xx", "3xx", "4xx", "5xx"};

    private final Map<UpstreamKey, One> services = new ConcurrentHashMap<>();
    private final One others = new One();

    /** One Service. */
    private static final class One {
        private final LongAdder[] statuses = new LongAdder[STATUSES.length];
        private final Counters<ProxyError> errors = new Counters<>(ProxyError.class);
        private final LongAdder responseNanos = new LongAdder();

        One() {
            Arrays.setAll(statuses, _ -> new LongAdder());
        }
    }

    ServiceCounters() {}

    /**
     * An exchange for a Service ended.
     *
     * @param status what was answered or logged, 100 to 599
     * @param error null where it went as it should
     * @param responseNanos from having a connection to the head of the answer; negative where there
     *     was none
     */
    public void ended(
            UpstreamKey service, int status, @Nullable ProxyError error, long responseNanos) {
        One one = of(service);
        one.statuses[Math.clamp(status / 100 - 1, 0, STATUSES.length - 1)].increment();
        if (error != null) {
            one.errors.increment(error);
        }
        if (responseNanos > 0) {
            one.responseNanos.add(responseNanos);
        }
    }

    /** Forgets those that are gone. */
    public void retain(Predicate<UpstreamKey> known) {
        services.keySet().removeIf(known.negate());
    }

    /** Those that have a place. */
    public Set<UpstreamKey> services() {
        return Set.copyOf(services.keySet());
    }

    private One of(UpstreamKey service) {
        One one = services.get(service);
        if (one != null) {
            return one;
        }
        // Two threads may find the last place at once: it is no exact bound.
        return services.size() < MOST ? services.computeIfAbsent(service, _ -> new One()) : others;
    }

    List<Reading.Family> read() {
        List<Reading.Sample> requests = new ArrayList<>();
        List<Reading.Sample> errors = new ArrayList<>();
        List<Reading.Sample> seconds = new ArrayList<>();
        services.forEach((service, one) -> read(one, labels(service), requests, errors, seconds));
        read(others, List.of("", "", ""), requests, errors, seconds);
        return List.of(
                new Reading.Family(Metric.SERVICE_REQUESTS, requests),
                new Reading.Family(Metric.SERVICE_ERRORS, errors),
                new Reading.Family(Metric.SERVICE_RESPONSE_SECONDS, seconds));
    }

    private static void read(
            One one,
            List<String> service,
            List<Reading.Sample> requests,
            List<Reading.Sample> errors,
            List<Reading.Sample> seconds) {
        for (int i = 0; i < STATUSES.length; i++) {
            add(requests, service, STATUSES[i], one.statuses[i].sum());
        }
        for (ProxyError error : ProxyError.values()) {
            add(errors, service, error.flag(), one.errors.of(error).sum());
        }
        long nanos = one.responseNanos.sum();
        if (nanos > 0) {
            seconds.add(new Reading.Value(service, nanos / 1e9));
        }
    }

    private static void add(
            List<Reading.Sample> samples, List<String> service, String label, long count) {
        if (count > 0) {
            List<String> labels = new ArrayList<>(service);
            labels.add(label);
            samples.add(new Reading.Value(labels, count));
        }
    }

    /** The values of the labels that name a Service. */
    public static List<String> labels(UpstreamKey service) {
        return List.of(service.namespace(), service.service(), Integer.toString(service.port()));
    }
}

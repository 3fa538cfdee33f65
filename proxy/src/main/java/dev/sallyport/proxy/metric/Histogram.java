package dev.sallyport.proxy.metric;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/** Durations in fixed buckets. Safe from any thread; two striped additions a value. */
final class Histogram {
    /** Nanoseconds. From what a request costs us at best to the default request deadlines. */
    private static final long[] BOUNDS = {
        500_000L,
        1_000_000L,
        2_500_000L,
        5_000_000L,
        10_000_000L,
        25_000_000L,
        50_000_000L,
        100_000_000L,
        250_000_000L,
        500_000_000L,
        1_000_000_000L,
        2_500_000_000L,
        5_000_000_000L,
        10_000_000_000L,
        30_000_000_000L,
        60_000_000_000L
    };

    private static final List<Double> SECONDS =
            Arrays.stream(BOUNDS).mapToObj(nanos -> nanos / 1e9).toList();

    private final LongAdder[] counts = new LongAdder[BOUNDS.length + 1];
    private final LongAdder sum = new LongAdder();

    Histogram() {
        Arrays.setAll(counts, _ -> new LongAdder());
    }

    void record(long nanos) {
        int bucket = 0;
        while (bucket < BOUNDS.length && nanos > BOUNDS[bucket]) {
            bucket++;
        }
        counts[bucket].increment();
        sum.add(nanos);
    }

    Reading.Distribution read(List<String> labels) {
        List<Long> values = new ArrayList<>(counts.length);
        for (LongAdder count : counts) {
            values.add(count.sum());
        }
        return new Reading.Distribution(labels, SECONDS, values, sum.sum() / 1e9);
    }
}

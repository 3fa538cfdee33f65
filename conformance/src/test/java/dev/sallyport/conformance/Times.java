package dev.sallyport.conformance;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * How long something took, again and again.
 *
 * @param nanos in order of length, at least one
 */
record Times(List<Long> nanos) {

    Times {
        nanos = nanos.stream().sorted().toList();
    }

    /** What so many percent did not exceed. */
    Duration percentile(int percent) {
        int index = Math.min(nanos.size() - 1, nanos.size() * percent / 100);
        return Duration.ofNanos(nanos.get(index));
    }

    /** In milliseconds, for figures. */
    static String millis(Duration time) {
        return String.format(Locale.ROOT, "%.1f ms", time.toNanos() / 1e6);
    }

    /** In seconds, for figures. */
    static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
    }

    @Override
    public String toString() {
        return "p50 "
                + millis(percentile(50))
                + ", p99 "
                + millis(percentile(99))
                + ", max "
                + millis(percentile(100));
    }
}

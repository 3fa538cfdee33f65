package dev.sallyport.proxy.metric;

import java.util.List;

/**
 * The metrics at one moment. Counters that change while a reading is taken may be seen before or
 * after the change, each for itself.
 *
 * @param families one for each metric that has at least one sample
 */
public record Reading(List<Family> families) {
    public Reading {
        families = List.copyOf(families);
    }

    /**
     * One metric with its samples.
     *
     * @param metric name, help and labels
     * @param samples at least one
     */
    public record Family(Metric metric, List<Sample> samples) {
        public Family {
            samples = List.copyOf(samples);
        }
    }

    /** One value, or one distribution. */
    public sealed interface Sample {
        /** As many as the metric has labels. */
        List<String> labels();
    }

    /** The value of a counter or gauge. */
    public record Value(List<String> labels, double value) implements Sample {
        public Value {
            labels = List.copyOf(labels);
        }
    }

    /**
     * A distribution.
     *
     * @param labels label values
     * @param bounds upper bounds of the buckets in seconds, without the last, which is infinite
     * @param counts not cumulative; one more than bounds
     * @param sum of all values, in seconds
     */
    public record Distribution(
            List<String> labels, List<Double> bounds, List<Long> counts, double sum)
            implements Sample {
        public Distribution {
            labels = List.copyOf(labels);
            bounds = List.copyOf(bounds);
            counts = List.copyOf(counts);
        }

        /** The number of values. */
        public long count() {
            return counts.stream().mapToLong(Long::longValue).sum();
        }
    }
}

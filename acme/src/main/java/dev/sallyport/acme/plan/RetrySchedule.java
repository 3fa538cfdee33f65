package dev.sallyport.acme.plan;

import dev.sallyport.acme.plan.Cause.Pace;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * How soon what failed is tried again, as data. After the last delay of a row it stays at that;
 * from some failure on it counts as given up, which people are told, though it is still tried now
 * and then: CAs and DNS get mended without anybody telling us.
 *
 * @param rows one for each pace
 */
public record RetrySchedule(Map<Pace, Row> rows) {
    /** Delays are made longer by up to this share, so that hosts which failed together part. */
    private static final double SPREAD = 0.2;

    /**
     * For one pace.
     *
     * @param delays after the first failure, the second…; the last repeats
     * @param givenUpAfter the number of failures in a row from which it counts as given up
     */
    public record Row(List<Duration> delays, int givenUpAfter) {
        public Row {
            delays = List.copyOf(delays);
            if (delays.isEmpty() || givenUpAfter < 1) {
                throw new IllegalArgumentException(
                        "row: " + delays + ", " + givenUpAfter + " (expected: delays, 1 or more)");
            }
        }

        Duration after(int failures) {
            return delays.get(Math.min(failures, delays.size()) - 1);
        }
    }

    public RetrySchedule {
        var all = new EnumMap<Pace, Row>(rows);
        for (Pace pace : Pace.values()) {
            if (!all.containsKey(pace)) {
                throw new IllegalArgumentException("rows: none for " + pace);
            }
        }
        rows = Map.copyOf(all);
    }

    /** What is used. */
    public static final RetrySchedule STANDARD =
            new RetrySchedule(
                    Map.of(
                            Pace.OURS,
                            new Row(
                                    List.of(
                                            Duration.ofSeconds(5),
                                            Duration.ofSeconds(15),
                                            Duration.ofMinutes(1),
                                            Duration.ofMinutes(2),
                                            Duration.ofMinutes(5),
                                            Duration.ofMinutes(10)),
                                    12),
                            Pace.TROUBLE,
                            new Row(
                                    List.of(
                                            Duration.ofMinutes(1),
                                            Duration.ofMinutes(2),
                                            Duration.ofMinutes(5),
                                            Duration.ofMinutes(10),
                                            Duration.ofMinutes(20),
                                            Duration.ofMinutes(40),
                                            Duration.ofHours(1)),
                                    20),
                            // Let's Encrypt lets five an hour fail for one name.
                            Pace.VALIDATION,
                            new Row(
                                    List.of(
                                            Duration.ofMinutes(2),
                                            Duration.ofMinutes(10),
                                            Duration.ofMinutes(30),
                                            Duration.ofHours(1),
                                            Duration.ofHours(3),
                                            Duration.ofHours(6),
                                            Duration.ofHours(12)),
                                    7),
                            Pace.LIMIT,
                            new Row(
                                    List.of(
                                            Duration.ofMinutes(30),
                                            Duration.ofHours(1),
                                            Duration.ofHours(3),
                                            Duration.ofHours(6),
                                            Duration.ofHours(12)),
                                    10),
                            Pace.PEOPLE,
                            new Row(
                                    List.of(
                                            Duration.ofHours(1),
                                            Duration.ofHours(6),
                                            Duration.ofDays(1)),
                                    1)));

    /**
     * What failures lead to.
     *
     * @param at when the issuer may be asked again
     * @param failures how many of the last one's pace there were in a row
     * @param givenUp whether people are to be told that this does not get well by itself
     */
    public record Retry(Instant at, int failures, boolean givenUp) {}

    /**
     * When the issuer of a failure is asked again.
     *
     * @param last the newest failure
     * @param failures how many of its pace there were in a row, with it; from 1
     * @param most the longest delay that the certificate's remaining time allows; what the CA
     *     itself asks for is not shortened, nor what people must mend
     * @param seed see {@link Situation}
     */
    Retry after(Failure last, int failures, Duration most, long seed) {
        Row row = Objects.requireNonNull(rows.get(last.cause().pace()));
        Duration delay = row.after(failures);
        boolean urgent =
                switch (last.cause().pace()) {
                    case OURS, TROUBLE, VALIDATION -> delay.compareTo(most) > 0;
                    case LIMIT, PEOPLE -> false;
                };
        Instant at = last.at().plus(urgent ? most : delay);
        if (last.cause() instanceof Cause.RateLimited limited && limited.until().isPresent()) {
            at = limited.untilAfter(last.at()).orElseThrow();
        }
        long held = Duration.between(last.at(), at).toMillis();
        Duration spread =
                Jitter.share(Jitter.mix(seed, failures), Duration.ofMillis((long) (held * SPREAD)));
        at = at.plus(spread);
        return new Retry(at, failures, failures >= row.givenUpAfter());
    }
}

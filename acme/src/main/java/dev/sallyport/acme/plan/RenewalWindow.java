package dev.sallyport.acme.plan;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * When the CA would like a certificate to be renewed (RFC 9773), as it said last.
 *
 * @param start from when
 * @param end until when; after {@code start}
 * @param askAgain when to ask the CA again, as its {@code Retry-After} had it, held within {@link
 *     #SOONEST} and {@link #LATEST}
 * @param explanation where people can read why; never fetched
 */
public record RenewalWindow(
        Instant start, Instant end, Instant askAgain, Optional<URI> explanation) {
    /** However eager the CA: RFC 9773 section 4.3 asks for sanity limits. */
    public static final Duration SOONEST = Duration.ofMinutes(1);

    /** However lazy the CA: a revocation is to be noticed within the day. */
    public static final Duration LATEST = Duration.ofDays(1);

    /** Where the CA gives no {@code Retry-After}: RFC 9773 section 4.3.3. */
    public static final Duration USUAL = Duration.ofHours(6);

    public RenewalWindow {
        if (!end.isAfter(start)) {
            throw new IllegalArgumentException(
                    "window: ends at " + end + " (expected: after " + start + ")");
        }
    }

    /**
     * A window as it was told.
     *
     * @param retryAfter empty where the CA did not say
     * @param now when it was told
     * @return empty where it is none: RFC 9773 section 4.2 has the end after the start
     */
    public static Optional<RenewalWindow> of(
            Instant start,
            Instant end,
            Optional<Instant> retryAfter,
            Optional<URI> explanation,
            Instant now) {
        if (!end.isAfter(start)) {
            return Optional.empty();
        }
        Instant soonest = now.plus(SOONEST);
        Instant latest = now.plus(LATEST);
        Instant ask = retryAfter.orElse(now.plus(USUAL));
        Instant held = ask.isBefore(soonest) ? soonest : ask.isAfter(latest) ? latest : ask;
        return Optional.of(new RenewalWindow(start, end, held, explanation));
    }

    /**
     * The same instant of the window for the same seed ("a uniform random time within the suggested
     * window"): a replica that takes over goes on with the plan of the one before.
     */
    Instant select(long seed) {
        long mixed = Jitter.mix(seed, start.getEpochSecond() * 31 + end.getEpochSecond());
        return start.plus(Jitter.share(mixed, Duration.between(start, end)));
    }
}

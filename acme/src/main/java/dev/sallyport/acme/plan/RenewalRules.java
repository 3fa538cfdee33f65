package dev.sallyport.acme.plan;

import java.time.Duration;

/**
 * How the plan weighs.
 *
 * @param fraction of the lifetime after which a certificate is renewed where the CA gives no
 *     window; above 0, below {@code latest}
 * @param shortLived certificates of at most this lifetime are renewed after {@code shortFraction}
 * @param shortFraction as {@code fraction}
 * @param latest of the lifetime after which it is renewed whatever the CA's window; below 1
 * @param spread by up to this share of the lifetime a renewal is made earlier, so that certificates
 *     of one hour part
 * @param grace how long the Secret of a host that is gone stays
 * @param lookAgain how long nothing is asked at most, where there is no window
 * @param fallbackAfter the number of failures in a row of one issuer from which the next is asked,
 *     where that may help; it is asked after the first where only people can mend, where a CA asks
 *     for a long wait, and where nothing serves yet while the CA is in trouble or busy and has no
 *     order that only has to be gone on with
 * @param retries how soon what failed is tried again
 */
public record RenewalRules(
        double fraction,
        Duration shortLived,
        double shortFraction,
        double latest,
        double spread,
        Duration grace,
        Duration lookAgain,
        int fallbackAfter,
        RetrySchedule retries) {
    /**
     * After two thirds, as everybody; after half where it lives for at most ten days, as Let's
     * Encrypt advises.
     */
    public static final RenewalRules STANDARD =
            new RenewalRules(
                    2.0 / 3,
                    Duration.ofDays(10),
                    0.5,
                    0.85,
                    0.03,
                    Duration.ofDays(7),
                    Duration.ofHours(6),
                    2,
                    RetrySchedule.STANDARD);

    public RenewalRules {
        if (!(fraction > spread && fraction < latest)
                || !(shortFraction > spread && shortFraction < latest)
                || !(latest < 1)
                || !(spread >= 0)
                || fallbackAfter < 1) {
            throw new IllegalArgumentException(
                    "rules: fraction "
                            + fraction
                            + ", "
                            + shortFraction
                            + " (expected: above the spread "
                            + spread
                            + " and below "
                            + latest
                            + ", which is below 1)");
        }
    }

    double fractionFor(Duration lifetime) {
        return lifetime.compareTo(shortLived) <= 0 ? shortFraction : fraction;
    }
}

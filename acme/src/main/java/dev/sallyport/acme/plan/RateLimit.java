package dev.sallyport.acme.plan;

import java.time.Duration;

/**
 * How much a CA allows of something. Counted over a window that slides, which is never more than
 * what a CA with a bucket allows.
 *
 * @param name as the CA's documents call it
 * @param scope what is counted together
 * @param most so many within {@code within}; at least 1
 * @param within longer than zero
 * @param exempt which orders it does not count for
 */
public record RateLimit(String name, Scope scope, int most, Duration within, Exempt exempt) {
    /** What is counted together. */
    public enum Scope {
        /** All orders of an account. */
        ACCOUNT,
        /** Certificates with a name of the same registered domain ({@link RegisteredDomain}). */
        REGISTERED_DOMAIN,
        /** Certificates with exactly the same identifiers. */
        SAME_IDENTIFIERS,
        /** Validations that failed, for one identifier. */
        FAILED_VALIDATIONS
    }

    /** Which orders a limit does not count for. */
    public enum Exempt {
        /** None. */
        NOTHING,
        /** Those that say which certificate they replace (RFC 9773). */
        REPLACEMENTS,
        /** Those for identifiers that had a certificate before, however they are ordered. */
        RENEWALS
    }

    public RateLimit {
        if (most < 1 || !within.isPositive()) {
            throw new IllegalArgumentException(
                    "limit: " + most + " in " + within + " (expected: 1 or more in some time)");
        }
    }

    /** Whether an order of this kind is counted. */
    boolean counts(OrderKind kind) {
        return switch (kind) {
            case FIRST -> true;
            case RENEWAL -> exempt != Exempt.RENEWALS;
            case REPLACEMENT -> exempt == Exempt.NOTHING;
        };
    }
}

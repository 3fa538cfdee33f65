package dev.sallyport.acme.plan;

import dev.sallyport.acme.plan.RateLimit.Exempt;
import dev.sallyport.acme.plan.RateLimit.Scope;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What CAs are known to allow; what they say at the time counts besides. */
public final class RateLimits {
    /**
     * Against ourselves, at whatever CA: one certificate is not ordered over and over, whatever the
     * CA says about when it should be renewed.
     */
    static final RateLimit OURS =
            new RateLimit(
                    "orders for the same names (ours)",
                    Scope.SAME_IDENTIFIERS,
                    5,
                    Duration.ofDays(1),
                    Exempt.NOTHING);

    private static final List<RateLimit> LETS_ENCRYPT =
            List.of(
                    new RateLimit(
                            "new orders per account",
                            Scope.ACCOUNT,
                            300,
                            Duration.ofHours(3),
                            Exempt.REPLACEMENTS),
                    new RateLimit(
                            "new certificates per registered domain",
                            Scope.REGISTERED_DOMAIN,
                            50,
                            Duration.ofDays(7),
                            Exempt.RENEWALS),
                    new RateLimit(
                            "new certificates per exact set of identifiers",
                            Scope.SAME_IDENTIFIERS,
                            5,
                            Duration.ofDays(7),
                            Exempt.REPLACEMENTS),
                    new RateLimit(
                            "authorization failures per identifier per account",
                            Scope.FAILED_VALIDATIONS,
                            5,
                            Duration.ofHours(1),
                            Exempt.NOTHING));

    private RateLimits() {}

    /** Those of the CA whose directory this is, as of November 2026, with our own. */
    public static List<RateLimit> of(URI directory) {
        return "acme-v02.api.letsencrypt.org".equals(directory.getHost())
                ? with(LETS_ENCRYPT)
                : with(List.of());
    }

    /** These, and our own. */
    public static List<RateLimit> with(List<RateLimit> limits) {
        var all = new ArrayList<>(limits);
        all.add(OURS);
        return List.copyOf(all);
    }
}

package dev.sallyport.acme.keep;

import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.order.OrderTimes;
import dev.sallyport.acme.plan.RateLimit;
import dev.sallyport.acme.plan.RenewalRules;
import java.util.List;
import java.util.Map;

/**
 * How certificates are kept.
 *
 * @param issuers whom they may be ordered from
 * @param rules when to renew, and when to try again
 * @param limits what an issuer allows, by its name; an issuer without is not limited
 * @param times how long an order may take
 * @param ordersAtOnce how many orders are worked on at a time, 1–1,000
 */
public record KeeperSettings(
        Issuers issuers,
        RenewalRules rules,
        Map<String, List<RateLimit>> limits,
        OrderTimes times,
        int ordersAtOnce) {
    /** Enough for hundreds of hosts at once, and little for a CA. */
    public static final int ORDERS_AT_ONCE = 50;

    public KeeperSettings {
        limits = Map.copyOf(limits);
        if (ordersAtOnce < 1 || ordersAtOnce > 1_000) {
            throw new IllegalArgumentException(
                    "ordersAtOnce: " + ordersAtOnce + " (expected: 1–1000)");
        }
    }
}

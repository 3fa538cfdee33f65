package dev.sallyport.acme.plan;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * All that a decision about one certificate depends on.
 *
 * @param demand whether it is wanted, and how
 * @param current the one that there is, if any
 * @param window when the CA would have it renewed, if it said so of {@code current}
 * @param failures the orders in a row that came to nothing since the last that succeeded; those for
 *     another order do not count
 * @param ledger what was asked of the CAs lately; only read
 * @param rules how to weigh
 * @param underway the issuer that has an order which was neither finished nor given up, if one has
 * @param seed always the same for one certificate, another one for others
 * @param now the time
 */
public record Situation(
        Demand demand,
        Optional<CurrentCertificate> current,
        Optional<RenewalWindow> window,
        List<Failure> failures,
        OrderLedger ledger,
        RenewalRules rules,
        Optional<String> underway,
        long seed,
        Instant now) {
    public Situation {
        failures = failures.stream().sorted(Comparator.comparing(Failure::at)).toList();
    }
}

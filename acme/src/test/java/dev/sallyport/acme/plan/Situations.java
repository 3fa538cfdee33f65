package dev.sallyport.acme.plan;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A valid situation, except… Nothing is due: a certificate of 90 days, ten days old. */
final class Situations {
    static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    static final String FIRST = "lets-encrypt";
    static final String SECOND = "zerossl";

    private CertificateOrder order = order("shop.example", "www.shop.example");
    private List<String> issuers = List.of(FIRST, SECOND);
    private Optional<CurrentCertificate> current =
            Optional.of(certificate(NOW.minus(Duration.ofDays(10)), Duration.ofDays(90)));
    private Optional<RenewalWindow> window = Optional.empty();
    private final List<Failure> failures = new ArrayList<>();
    private OrderLedger ledger =
            new OrderLedger(
                    Map.of(
                            FIRST,
                            RateLimits.of(
                                    URI.create("https://acme-v02.api.letsencrypt.org/directory"))));
    private Instant now = NOW;
    private Optional<String> underway = Optional.empty();
    private long seed = 7;
    private Optional<Instant> gone = Optional.empty();

    static CertificateOrder order(String... names) {
        return CertificateOrder.of(
                List.of(names).stream().map(Identifier::parse).toList(), KeyAlgorithm.EC_P256);
    }

    static CurrentCertificate certificate(Instant notBefore, Duration lifetime) {
        return new CurrentCertificate(
                Set.copyOf(order("shop.example", "www.shop.example").identifiers()),
                Optional.of(KeyAlgorithm.EC_P256),
                notBefore,
                notBefore.plus(lifetime),
                FIRST,
                true);
    }

    static Situations valid() {
        return new Situations();
    }

    Situations ordering(CertificateOrder wanted) {
        order = wanted;
        return this;
    }

    Situations from(String... names) {
        issuers = List.of(names);
        return this;
    }

    Situations with(CurrentCertificate certificate) {
        current = Optional.of(certificate);
        return this;
    }

    Situations withoutCertificate() {
        current = Optional.empty();
        return this;
    }

    Situations window(Instant start, Instant end) {
        window = RenewalWindow.of(start, end, Optional.empty(), Optional.empty(), now);
        return this;
    }

    Situations failed(Duration ago, String issuer, Cause cause) {
        failures.add(new Failure(now.minus(ago), issuer, order, cause));
        return this;
    }

    Situations ledger(OrderLedger used) {
        ledger = used;
        return this;
    }

    Situations underway(String issuer) {
        underway = Optional.of(issuer);
        return this;
    }

    Situations seed(long other) {
        seed = other;
        return this;
    }

    Situations at(Instant time) {
        now = time;
        return this;
    }

    Situations gone(Duration ago) {
        gone = Optional.of(now.minus(ago));
        return this;
    }

    Situation situation() {
        return new Situation(
                gone.<Demand>map(Demand.Gone::new)
                        .orElseGet(() -> new Demand.Wanted(order, issuers)),
                current,
                window,
                failures,
                ledger,
                RenewalRules.STANDARD,
                underway,
                seed,
                now);
    }

    RenewalPlan plan() {
        return RenewalPlan.of(situation());
    }
}

package dev.sallyport.acme.plan;

import static dev.sallyport.acme.plan.Situations.NOW;
import static dev.sallyport.acme.plan.Situations.order;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.plan.RateLimit.Exempt;
import dev.sallyport.acme.plan.RateLimit.Scope;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OrderLedgerTest {
    private static final String CA = "ca";
    private static final Duration WEEK = Duration.ofDays(7);

    private final OrderLedger ledger =
            new OrderLedger(
                    Map.of(
                            CA,
                            List.of(
                                    new RateLimit(
                                            "domain",
                                            Scope.REGISTERED_DOMAIN,
                                            2,
                                            WEEK,
                                            Exempt.RENEWALS),
                                    new RateLimit(
                                            "failures",
                                            Scope.FAILED_VALIDATIONS,
                                            1,
                                            Duration.ofHours(1),
                                            Exempt.NOTHING))));

    @Test
    void theOrderAboveTheLimitWaitsUntilTheOldestIsForgotten() {
        begin(NOW, "a.shop.example");
        begin(NOW.plusSeconds(60), "b.shop.example");
        assertThat(hold(NOW.plusSeconds(120), "c.shop.example"))
                .contains(new OrderLedger.Hold(NOW.plus(WEEK), "domain"));
        assertThat(hold(NOW.plus(WEEK), "c.shop.example")).isEmpty();
    }

    @Test
    void otherDomainsAndRenewalsAreNotCounted() {
        begin(NOW, "a.shop.example");
        begin(NOW, "b.shop.example");
        assertThat(hold(NOW, "a.other.example")).isEmpty();
        assertThat(ledger.hold(NOW, CA, order("a.shop.example"), OrderKind.RENEWAL)).isEmpty();
    }

    /** A CA counts names over all accounts, as the two issuers of one CA have. */
    @Test
    void whatACaCountsOfNamesIsCountedForAllItsIssuers() {
        RateLimit names = new RateLimit("names", Scope.SAME_IDENTIFIERS, 2, WEEK, Exempt.NOTHING);
        RateLimit account = new RateLimit("account", Scope.ACCOUNT, 2, WEEK, Exempt.NOTHING);
        Map<String, List<RateLimit>> limits =
                Map.of("le", List.of(names, account), "short", List.of(names, account));
        Map<String, String> same = Map.of("le", "le", "short", "le");
        var shared = new OrderLedger(limits, same);
        CertificateOrder order = order("a.shop.example");
        shared.begun(NOW.plusSeconds(1), "short", order, OrderKind.FIRST);
        shared.begun(NOW.plusSeconds(2), "le", order, OrderKind.FIRST);

        var held = new OrderLedger.Hold(NOW.plusSeconds(1).plus(WEEK), "names");
        Instant later = NOW.plusSeconds(3);
        assertThat(shared.hold(later, "le", order, OrderKind.FIRST)).contains(held);
        assertThat(shared.hold(later, "short", order, OrderKind.FIRST)).contains(held);
        assertThat(shared.hold(later, "le", order("b.shop.example"), OrderKind.FIRST)).isEmpty();

        var apart = new OrderLedger(limits);
        apart.begun(NOW.plusSeconds(1), "short", order, OrderKind.FIRST);
        apart.begun(NOW.plusSeconds(2), "le", order, OrderKind.FIRST);
        var after = new OrderLedger(limits, same);
        apart.counted(later).stream()
                .sorted(Comparator.comparing(OrderLedger.Counted::issuer))
                .forEach(after::restore);
        assertThat(after.hold(later, "le", order, OrderKind.FIRST))
                .as("as a version before stored it, or another configuration")
                .contains(held);
    }

    @Test
    void anOrderThatFailedIsNoCertificate() {
        begin(NOW, "a.shop.example");
        begin(NOW, "b.shop.example");
        ledger.failed(
                NOW, failure("b.shop.example", new Cause.Unreachable("down")), OrderKind.FIRST);
        assertThat(hold(NOW, "c.shop.example")).isEmpty();
    }

    @Test
    void failedValidationsHoldBackTheirNameOnly() {
        Cause cause = new Cause.ValidationFailed(Set.of(Identifier.parse("a.shop.example")), "404");
        begin(NOW, "a.shop.example", "b.shop.example");
        ledger.failed(NOW, failure("a.shop.example", cause), OrderKind.FIRST);
        assertThat(hold(NOW, "a.shop.example"))
                .contains(new OrderLedger.Hold(NOW.plus(Duration.ofHours(1)), "failures"));
        assertThat(hold(NOW, "b.shop.example")).isEmpty();
    }

    @Test
    void aPausedAccountHoldsBackEverything() {
        limit(NOW.plusSeconds(90), true, "a.shop.example");
        assertThat(hold(NOW, "a.other.example").orElseThrow().until())
                .isEqualTo(NOW.plusSeconds(90));
        assertThat(hold(NOW.plusSeconds(90), "a.other.example")).isEmpty();
    }

    @Test
    void manyCertificatesThatAreToldToWaitMeanTheAccount() {
        limit(NOW.plusSeconds(90), false, "a.shop.example");
        limit(NOW.plusSeconds(60), false, "b.shop.example");
        assertThat(hold(NOW, "a.other.example")).isEmpty();
        limit(NOW.plusSeconds(80), false, "c.shop.example");
        assertThat(hold(NOW, "a.other.example").orElseThrow().until())
                .isEqualTo(NOW.plusSeconds(60));
        assertThat(hold(NOW.plusSeconds(60), "a.other.example")).isEmpty();
    }

    private void begin(Instant at, String... names) {
        ledger.begun(at, CA, order(names), OrderKind.FIRST);
    }

    private Optional<OrderLedger.Hold> hold(Instant now, String name) {
        return ledger.hold(now, CA, order(name), OrderKind.FIRST);
    }

    private void limit(Instant until, boolean wholeAccount, String name) {
        ledger.failed(
                NOW,
                failure(name, new Cause.RateLimited(Optional.of(until), wholeAccount, "stop")),
                OrderKind.FIRST);
    }

    private static Failure failure(String name, Cause cause) {
        return new Failure(NOW, CA, order(name), cause);
    }
}

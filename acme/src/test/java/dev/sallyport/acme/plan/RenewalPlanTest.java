package dev.sallyport.acme.plan;

import static dev.sallyport.acme.plan.Situations.FIRST;
import static dev.sallyport.acme.plan.Situations.NOW;
import static dev.sallyport.acme.plan.Situations.SECOND;
import static dev.sallyport.acme.plan.Situations.certificate;
import static dev.sallyport.acme.plan.Situations.order;
import static dev.sallyport.acme.plan.Situations.valid;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.sallyport.acme.plan.RenewalPlan.Discard;
import dev.sallyport.acme.plan.RenewalPlan.Issue;
import dev.sallyport.acme.plan.RenewalPlan.Keep;
import dev.sallyport.acme.plan.RenewalPlan.Renew;
import dev.sallyport.acme.plan.RenewalPlan.WaitUntil;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RenewalPlanTest {
    private static final Cause DOWN = new Cause.Unreachable("connection refused");
    private static final Cause NOT_FOUND = new Cause.ValidationFailed(Set.of(), "404");

    @Test
    void aYoungCertificateIsKeptUntilTwoThirds() {
        assertThat(valid().plan())
                .asInstanceOf(type(Keep.class))
                .satisfies(keep -> {
                    assertThat(keep.until())
                            .isAfter(NOW.plus(Duration.ofDays(47)))
                            .isBeforeOrEqualTo(NOW.plus(Duration.ofDays(50)));
                    assertThat(keep.lookAgain()).isEqualTo(NOW.plus(Duration.ofHours(6)));
                    assertThat(keep.why()).isInstanceOf(Why.Lifetime.class);
                });
    }

    @Test
    void afterTwoThirdsItIsRenewedAndSaysWhatItReplaces() {
        assertThat(valid().with(aged(61, 90)).plan())
                .asInstanceOf(type(Renew.class))
                .satisfies(renew -> {
                    assertThat(renew.issuer()).isEqualTo(FIRST);
                    assertThat(renew.kind()).isEqualTo(OrderKind.REPLACEMENT);
                });
    }

    @Test
    void aCertificateOfSixDaysIsRenewedAfterHalf() {
        assertThat(valid().with(aged(2, 6)).plan())
                .asInstanceOf(type(Keep.class))
                .satisfies(keep ->
                        assertThat(keep.until())
                                .isBetween(
                                        NOW.plus(Duration.ofHours(19)),
                                        NOW.plus(Duration.ofHours(24))));
        assertThat(valid().with(aged(3, 6)).plan()).isInstanceOf(Renew.class);
    }

    @Test
    void certificatesOfOneHourPart() {
        Set<Instant> due = new HashSet<>();
        for (long seed = 0; seed < 100; seed++) {
            due.add(((Keep) valid().seed(seed).plan()).until());
        }
        assertThat(due).hasSizeGreaterThan(95);
    }

    @Test
    void aWindowIsHonouredAndLookedAtAgain() {
        Instant start = NOW.plus(Duration.ofDays(20));
        Instant end = NOW.plus(Duration.ofDays(22));
        assertThat(valid().window(start, end).plan())
                .asInstanceOf(type(Keep.class))
                .satisfies(keep -> {
                    assertThat(keep.until()).isBetween(start, end);
                    assertThat(keep.lookAgain()).isEqualTo(NOW.plus(RenewalWindow.USUAL));
                    assertThat(keep.why()).isInstanceOf(Why.Window.class);
                });
    }

    @Test
    void aWindowInThePastMeansAtOnce() {
        assertThat(
                        valid().window(NOW.minus(Duration.ofDays(2)), NOW.minus(Duration.ofDays(1)))
                                .plan())
                .asInstanceOf(type(Renew.class))
                .satisfies(renew -> assertThat(renew.why()).isInstanceOf(Why.Withdrawn.class));
    }

    @Test
    void aWindowMovedIntoTheFutureIsFollowedOnlyAsFarAsIsSafe() {
        var moved =
                valid().with(aged(70, 90))
                        .window(NOW.plus(Duration.ofDays(3)), NOW.plus(Duration.ofDays(4)));
        assertThat(moved.plan()).isInstanceOf(Keep.class);
        assertThat(
                        valid().with(aged(80, 90))
                                .window(
                                        NOW.plus(Duration.ofDays(30)),
                                        NOW.plus(Duration.ofDays(40)))
                                .plan())
                .isInstanceOf(Renew.class);
    }

    @Test
    void theCasDayToAskAgainIsHeldWithinBounds() {
        assertThat(
                        RenewalWindow.of(
                                        NOW,
                                        NOW.plusSeconds(1),
                                        Optional.of(NOW),
                                        Optional.empty(),
                                        NOW)
                                .orElseThrow()
                                .askAgain())
                .isEqualTo(NOW.plus(RenewalWindow.SOONEST));
        assertThat(
                        RenewalWindow.of(
                                        NOW,
                                        NOW.plusSeconds(1),
                                        Optional.of(NOW.plus(Duration.ofDays(400))),
                                        Optional.empty(),
                                        NOW)
                                .orElseThrow()
                                .askAgain())
                .isEqualTo(NOW.plus(RenewalWindow.LATEST));
        assertThat(RenewalWindow.of(NOW, NOW, Optional.empty(), Optional.empty(), NOW)).isEmpty();
    }

    @Test
    void aCaThatWithdrawsWhateverItIssuesIsNotAskedForEver() {
        var ledger = new OrderLedger(Map.of(FIRST, RateLimits.with(List.of())));
        for (int i = 0; i < 5; i++) {
            ledger.begun(
                    NOW.minus(Duration.ofMinutes(10 - i)),
                    FIRST,
                    order("shop.example", "www.shop.example"),
                    OrderKind.REPLACEMENT);
        }
        assertThat(
                        valid().from(FIRST)
                                .ledger(ledger)
                                .window(
                                        NOW.minus(Duration.ofDays(2)),
                                        NOW.minus(Duration.ofDays(1)))
                                .plan())
                .asInstanceOf(type(WaitUntil.class))
                .satisfies(wait -> {
                    assertThat(wait.why()).isInstanceOf(Why.Limited.class);
                    assertThat(wait.until())
                            .isEqualTo(NOW.minus(Duration.ofMinutes(10)).plus(Duration.ofDays(1)));
                });
    }

    @Test
    void withoutCertificateOneIsIssued() {
        assertThat(valid().withoutCertificate().plan())
                .asInstanceOf(type(Issue.class))
                .satisfies(issue -> {
                    assertThat(issue.kind()).isEqualTo(OrderKind.FIRST);
                    assertThat(issue.why()).isEqualTo(new Why.NoCertificate());
                });
    }

    @Test
    void otherNamesMeanAnotherCertificate() {
        assertThat(valid().ordering(order("shop.example", "new.shop.example")).plan())
                .asInstanceOf(type(Issue.class))
                .satisfies(issue ->
                        assertThat(issue.why().text())
                                .isEqualTo(
                                        "the names changed: added new.shop.example, removed"
                                                + " www.shop.example"));
    }

    @Test
    void anotherKeyTypeMeansAnotherCertificate() {
        assertThat(
                        valid().ordering(
                                        CertificateOrder.of(
                                                order("shop.example", "www.shop.example")
                                                        .identifiers(),
                                                KeyAlgorithm.RSA_3072))
                                .plan())
                .asInstanceOf(type(Issue.class))
                .satisfies(issue ->
                        assertThat(issue.why())
                                .isEqualTo(new Why.KeyChanged(KeyAlgorithm.RSA_3072)));
    }

    @Test
    void anIssuerThatIsNotConfiguredAnyMoreMeansAnotherCertificate() {
        assertThat(valid().from("production").plan())
                .asInstanceOf(type(Issue.class))
                .satisfies(issue -> assertThat(issue.issuer()).isEqualTo("production"));
        assertThat(valid().from(SECOND, FIRST).plan()).isInstanceOf(Keep.class);
    }

    @Test
    void aHostThatIsGoneKeepsItsSecretForAWhile() {
        assertThat(valid().with(aged(89, 90)).gone(Duration.ofDays(1)).plan())
                .asInstanceOf(type(Keep.class))
                .satisfies(
                        keep -> assertThat(keep.until()).isEqualTo(NOW.plus(Duration.ofDays(6))));
        assertThat(valid().gone(Duration.ofDays(7)).plan()).isInstanceOf(Discard.class);
    }

    @Test
    void afterAFailureItWaitsLongerEachTime() {
        var once = valid().withoutCertificate().from(FIRST).failed(Duration.ZERO, FIRST, DOWN);
        assertThat(once.plan())
                .asInstanceOf(type(WaitUntil.class))
                .satisfies(wait -> {
                    assertThat(wait.until()).isBetween(NOW.plusSeconds(60), NOW.plusSeconds(72));
                    assertThat(wait.why().text())
                            .isEqualTo("failed 1 time at lets-encrypt: connection refused");
                    assertThat(wait.purpose()).isEqualTo(new Why.NoCertificate());
                });
        var twice =
                valid().withoutCertificate()
                        .from(FIRST)
                        .failed(Duration.ofSeconds(70), FIRST, DOWN)
                        .failed(Duration.ZERO, FIRST, DOWN);
        assertThat(((WaitUntil) twice.plan()).until())
                .isBetween(NOW.plusSeconds(120), NOW.plusSeconds(144));
    }

    @Test
    void whereNothingServesTheNextIssuerIsAskedAtOnceForACaThatIsAway() {
        assertThat(valid().withoutCertificate().failed(Duration.ZERO, FIRST, DOWN).plan())
                .asInstanceOf(type(Issue.class))
                .satisfies(issue -> assertThat(issue.issuer()).isEqualTo(SECOND));
        assertThat(valid().with(aged(91, 90)).failed(Duration.ZERO, FIRST, DOWN).plan())
                .asInstanceOf(type(Renew.class))
                .satisfies(renew -> assertThat(renew.issuer()).isEqualTo(SECOND));
        assertThat(valid().with(aged(80, 90)).failed(Duration.ZERO, FIRST, DOWN).plan())
                .as("what serves can wait")
                .isInstanceOf(WaitUntil.class);
        assertThat(valid().withoutCertificate().failed(Duration.ZERO, FIRST, NOT_FOUND).plan())
                .as("nor is it the CA")
                .isInstanceOf(WaitUntil.class);
    }

    @Test
    void theNextIssuerIsAskedWhereTheFirstFailsTwice() {
        var twice =
                valid().withoutCertificate()
                        .failed(Duration.ofSeconds(150), FIRST, NOT_FOUND)
                        .failed(Duration.ZERO, FIRST, NOT_FOUND);
        assertThat(twice.plan())
                .asInstanceOf(type(Issue.class))
                .satisfies(issue -> assertThat(issue.issuer()).isEqualTo(SECOND));
    }

    @Test
    void theFirstIssuerIsAskedAgainWhenItsTimeHasCome() {
        var later =
                valid().withoutCertificate()
                        .failed(Duration.ofMinutes(10), FIRST, DOWN)
                        .failed(Duration.ofMinutes(9), FIRST, DOWN)
                        .failed(Duration.ZERO, SECOND, DOWN);
        assertThat(((Issue) later.plan()).issuer()).isEqualTo(FIRST);
    }

    @Test
    void whatIsOursToMendIsNotTriedElsewhere() {
        var ours =
                valid().withoutCertificate()
                        .failed(Duration.ofSeconds(1), FIRST, new Cause.NotPresented("1 of 3"))
                        .failed(Duration.ZERO, FIRST, new Cause.NotPresented("1 of 3"));
        assertThat(ours.plan()).isInstanceOf(WaitUntil.class);
    }

    @Test
    void whatOnlyPeopleCanMendGoesToTheNextIssuerAtOnce() {
        Cause terms =
                new Cause.AccountRefused(
                        Optional.of(URI.create("https://ca.example/terms")), "terms changed");
        assertThat(valid().withoutCertificate().failed(Duration.ZERO, FIRST, terms).plan())
                .asInstanceOf(type(Issue.class))
                .satisfies(issue -> assertThat(issue.issuer()).isEqualTo(SECOND));
        assertThat(
                        valid().withoutCertificate()
                                .from(FIRST)
                                .failed(Duration.ZERO, FIRST, terms)
                                .plan())
                .asInstanceOf(type(WaitUntil.class))
                .satisfies(wait ->
                        assertThat(((Why.Failed) wait.why()).givenUp()).as("visible").isTrue());
    }

    @Test
    void retryAfterIsHonouredHoweverUrgent() {
        Instant until = NOW.plus(Duration.ofHours(30));
        var limited =
                valid().with(aged(89, 90))
                        .from(FIRST)
                        .failed(
                                Duration.ZERO,
                                FIRST,
                                new Cause.RateLimited(Optional.of(until), false, "too many"));
        assertThat(limited.plan())
                .asInstanceOf(type(WaitUntil.class))
                .satisfies(wait -> assertThat(wait.until()).isAfterOrEqualTo(until));
    }

    @Test
    void shortlyBeforeItsEndACertificateIsTriedMoreOften() {
        var situation =
                valid().with(aged(Duration.ofHours(142), Duration.ofHours(144))).from(FIRST);
        for (int i = 20; i >= 0; i--) {
            situation.failed(Duration.ofHours(i), FIRST, DOWN);
        }
        assertThat(((WaitUntil) situation.plan()).until())
                .isBetween(NOW.plus(Duration.ofMinutes(15)), NOW.plus(Duration.ofMinutes(18)));
    }

    @Test
    void anOutageBeforeDoesNotMakeAFailedValidationWaitLonger() {
        var situation = valid().withoutCertificate().from(FIRST);
        for (int i = 100; i > 0; i--) {
            situation.failed(Duration.ofHours(i), FIRST, DOWN);
        }
        situation.failed(Duration.ZERO, FIRST, NOT_FOUND);
        assertThat(((WaitUntil) situation.plan()).until())
                .isBetween(NOW.plusSeconds(120), NOW.plusSeconds(144));
    }

    @Test
    void failuresForOtherNamesDoNotCount() {
        var situation = valid().withoutCertificate().failed(Duration.ZERO, FIRST, NOT_FOUND);
        assertThat(situation.ordering(order("other.example")).plan()).isInstanceOf(Issue.class);
    }

    @Test
    void validationFailuresComeToBeGivenUpAndAreSeenSo() {
        var situation = valid().withoutCertificate().from(FIRST);
        for (int i = 7; i > 0; i--) {
            situation.failed(Duration.ofHours(i), FIRST, NOT_FOUND);
        }
        assertThat(situation.plan())
                .asInstanceOf(type(WaitUntil.class))
                .satisfies(wait -> {
                    assertThat(((Why.Failed) wait.why()).givenUp()).isTrue();
                    assertThat(wait.why().text())
                            .isEqualTo("given up after 7 times at lets-encrypt: 404");
                });
    }

    @Test
    void anIssuerThatLosesItsOrdersIsNotAskedForEver() {
        Situations lost =
                valid().withoutCertificate()
                        .from(FIRST, SECOND)
                        .failed(Duration.ofSeconds(2), FIRST, new Cause.OrderLost("404"));
        assertThat(lost.plan()).isInstanceOf(WaitUntil.class);
        assertThat(lost.failed(Duration.ofSeconds(1), FIRST, new Cause.OrderLost("404")).plan())
                .isInstanceOfSatisfying(
                        Issue.class, issue -> assertThat(issue.issuer()).isEqualTo(SECOND));
    }

    @Test
    void whatACaAsksForIsHardlyStretched() {
        for (int failures = 1; failures < 10; failures++) {
            Situations busy = valid().withoutCertificate().from(FIRST).seed(failures);
            for (int i = failures; i > 0; i--) {
                busy.failed(
                        Duration.ofSeconds(i),
                        FIRST,
                        new Cause.RateLimited(
                                Optional.of(NOW.minusSeconds(i).plusSeconds(60)), true, "busy"));
            }
            assertThat(((WaitUntil) busy.plan()).until())
                    .isBetween(NOW.plusSeconds(59), NOW.plusSeconds(72));
        }
    }

    @Test
    void anOrderThatOnlyHasToBeGoneOnWithIsNotLeftForAnotherIssuer() {
        Situations away =
                valid().withoutCertificate()
                        .from(FIRST, SECOND)
                        .failed(Duration.ofSeconds(1), FIRST, new Cause.Unreachable("away"));
        assertThat(away.plan())
                .isInstanceOfSatisfying(
                        Issue.class, issue -> assertThat(issue.issuer()).isEqualTo(SECOND));
        assertThat(away.underway(FIRST).plan()).isInstanceOf(WaitUntil.class);
        assertThat(
                        away.failed(Duration.ZERO, FIRST, new Cause.Unreachable("away"))
                                .underway(FIRST)
                                .plan())
                .isInstanceOfSatisfying(
                        Issue.class, issue -> assertThat(issue.issuer()).isEqualTo(SECOND));
    }

    @ParameterizedTest
    @CsvSource({"10,false", "59,false", "61,true"})
    void whatServesWaitsForACaThatIsBusyForAWhile(int minutes, boolean fallsBack) {
        var ledger = new OrderLedger(Map.of());
        var busy =
                new Cause.RateLimited(
                        Optional.of(NOW.plus(Duration.ofMinutes(minutes))), true, "busy");
        ledger.note(new Failure(NOW, FIRST, order("other.example"), busy));
        Situations due = valid().with(aged(80, 90)).from(FIRST, SECOND).ledger(ledger);
        assertThat(due.plan()).isInstanceOf(fallsBack ? Renew.class : WaitUntil.class);
        assertThat(due.withoutCertificate().plan()).isInstanceOf(Issue.class);
    }

    @Test
    void anExpiredCertificateIsNotNamedInTheOrder() {
        assertThat(valid().with(aged(91, 90)).plan())
                .asInstanceOf(type(Renew.class))
                .satisfies(renew -> {
                    assertThat(renew.kind()).isEqualTo(OrderKind.RENEWAL);
                    assertThat(renew.why()).isInstanceOf(Why.Expired.class);
                });
    }

    private static CurrentCertificate aged(int days, int lifetime) {
        return aged(Duration.ofDays(days), Duration.ofDays(lifetime));
    }

    private static CurrentCertificate aged(Duration age, Duration lifetime) {
        return certificate(NOW.minus(age), lifetime);
    }
}

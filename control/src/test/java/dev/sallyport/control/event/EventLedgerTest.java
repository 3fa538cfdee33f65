package dev.sallyport.control.event;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.event.EventLedger.Telling;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EventLedgerTest {
    private static final Finding MISSING = finding("shop", Reason.SECRET_MISSING, "no Secret");
    private static final String UID = "uid";
    private static final EventPace PACE = EventPace.DEFAULT;

    private final EventLedger ledger = new EventLedger(PACE);
    private long nanos;

    @Test
    void whatLastsAMomentIsToldOnce() {
        appear(MISSING);
        assertThat(tell()).isEmpty();
        pass(1);
        assertThat(tell()).containsExactly("SecretMissing");
        pass(3600);
        assertThat(tell()).isEmpty();
    }

    @Test
    void whatComesAndGoesUnnoticedIsNotTold() {
        appear(MISSING);
        pass(0.5);
        resolve(MISSING);
        pass(10);
        assertThat(tell()).isEmpty();
    }

    @Test
    void whatIsNoLongerSoIsToldWhereItWasTold() {
        appear(MISSING);
        pass(1);
        tell();
        resolve(MISSING);
        assertThat(tell()).isEmpty();
        pass(1);
        assertThat(tell()).containsExactly("SecretMissingResolved");
        pass(3600);
        assertThat(tell()).isEmpty();
    }

    @Test
    void whatFlapsFasterThanItIsToldIsToldOnceAndThenHowItEnded() {
        for (int i = 0; i < 100; i++) {
            appear(MISSING);
            pass(0.01);
            resolve(MISSING);
            pass(0.01);
        }
        assertThat(tell()).containsExactly("SecretMissing");
        pass(1);
        assertThat(tell()).containsExactly("SecretMissingResolved");
    }

    @Test
    void whatGoesOnFlappingIsToldNoMoreThanItsObjectMayBe() {
        List<String> told = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) { // ten minutes
            appear(MISSING);
            pass(0.1);
            told.addAll(tell());
            resolve(MISSING);
            pass(0.1);
            told.addAll(tell());
        }
        assertThat(told.size()).isBetween(10, 21);
    }

    @Test
    void whatHeldBeforeNeedNotBeToldAgain() {
        ledger.held(MISSING, UID, nanos);
        pass(1);
        assertThat(next())
                .hasValueSatisfying(first -> {
                    assertThat(first.first()).isTrue();
                    ledger.told(first, nanos);
                });
        assertThat(next()).isEmpty();
        resolve(MISSING);
        pass(1);
        assertThat(tell()).containsExactly("SecretMissingResolved");
        appear(MISSING);
        pass(1);
        assertThat(next()).hasValueSatisfying(again -> assertThat(again.first()).isFalse());
    }

    @Test
    void whatHeldWhenLeadershipBeganAndEndsInAMomentIsNotTold() {
        ledger.held(MISSING, UID, nanos);
        assertThat(tell()).isEmpty();
        pass(0.5);
        resolve(MISSING);
        pass(10);
        assertThat(tell()).isEmpty();
    }

    @Test
    void aFindingOfTwoStepsHoldsUntilNeitherSaysIt() {
        appear(MISSING);
        appear(MISSING);
        pass(1);
        tell();
        resolve(MISSING);
        pass(2);
        assertThat(tell()).isEmpty();
        resolve(MISSING);
        pass(2);
        assertThat(tell()).containsExactly("SecretMissingResolved");
    }

    @Test
    void newsComesBeforeWhatHeldBefore() {
        for (int i = 0; i < 100; i++) {
            ledger.held(finding("old-" + i, Reason.SECRET_MISSING, "m"), UID, nanos);
        }
        appear(finding("new", Reason.SERVICE_MISSING, "m"));
        pass(1);
        assertThat(next().orElseThrow().statement().object().name()).isEqualTo("new");
    }

    @Test
    void whatIsServedIsToldAsItIsInTheEndAndSaysWhatIsResolved() {
        Finding mismatch = finding("tls", Reason.KEY_MISMATCH, "of another");
        appear(mismatch);
        pass(1);
        tell();
        resolve(mismatch);
        ledger.served(served("tls", "01"), nanos);
        pass(0.2);
        ledger.served(served("tls", "02"), nanos);
        pass(1);
        Telling telling = next().orElseThrow();
        assertThat(telling.statement()).isEqualTo(served("tls", "02"));
        ledger.told(telling, nanos);
        pass(60);
        assertThat(tell()).isEmpty();
    }

    @Test
    void tooMuchAboutOneObjectIsDroppedAndCounted() {
        for (int i = 0; i < 100; i++) {
            appear(finding("shop", Reason.HOST_INVALID, "host " + i));
        }
        appear(finding("other", Reason.HOST_INVALID, "host"));
        pass(1);
        List<String> told = tell();
        assertThat(told).hasSize(PACE.perObject() + 1);
        assertThat(ledger.dropped()).isEqualTo(100 - PACE.waiting());
        pass(60);
        assertThat(tell()).hasSize(1);
        pass(3600);
        assertThat(tell()).hasSize(PACE.waiting() - PACE.perObject() - 1);
        assertThat(ledger.dropped()).isEqualTo(100 - PACE.waiting());
    }

    @Test
    void noMoreIsFollowedThanThereIsRoomFor() {
        var small =
                new EventPace(
                        Duration.ofSeconds(1),
                        10,
                        Duration.ofMinutes(1),
                        20,
                        5,
                        100,
                        20,
                        PACE.call(),
                        PACE.firstPause(),
                        PACE.longestPause());
        var few = new EventLedger(small);
        for (int i = 0; i < 8; i++) {
            few.appeared(finding("shop-" + i, Reason.SECRET_MISSING, "m"), UID, 0);
        }
        assertThat(few.dropped()).isEqualTo(3);
        few.resolved(finding("shop-7", Reason.SECRET_MISSING, "m"), 0);
    }

    @Test
    void whatCouldNotBeToldIsToldLater() {
        appear(MISSING);
        pass(1);
        Telling telling = next().orElseThrow();
        ledger.again(telling, nanos, nanos + 5_000_000_000L);
        pass(4);
        assertThat(next()).isEmpty();
        pass(1);
        assertThat(tell()).containsExactly("SecretMissing");
        pass(60);
        assertThat(tell()).isEmpty();
    }

    @Test
    void whatWasResolvedBeforeItCouldBeToldIsNotTold() {
        appear(MISSING);
        pass(1);
        ledger.again(next().orElseThrow(), nanos, nanos + 5_000_000_000L);
        resolve(MISSING);
        pass(10);
        assertThat(tell()).isEmpty();
    }

    private List<String> tell() {
        List<String> reasons = new ArrayList<>();
        for (Optional<Telling> telling = next(); telling.isPresent(); telling = next()) {
            reasons.add(telling.get().statement().reason());
            ledger.told(telling.get(), nanos);
        }
        return reasons;
    }

    private Optional<Telling> next() {
        return ledger.next(nanos);
    }

    private void appear(Finding finding) {
        ledger.appeared(finding, UID, nanos);
    }

    private void resolve(Finding finding) {
        ledger.resolved(finding, nanos);
    }

    private void pass(double seconds) {
        nanos += (long) (seconds * 1e9);
    }

    private static Finding finding(String name, Reason reason, String message) {
        return Finding.of(reason, new ObjectRef("Ingress", "default", name), message, "Mend it.");
    }

    @Test
    void whatWasDoneIsToldOnceEachAndTheLatestOfTheSame() {
        ledger.happened("a", done("ordered"), nanos);
        ledger.happened("b", done("other"), nanos);
        ledger.happened("a", done("issued"), nanos);
        assertThat(tell()).isEmpty();
        pass(1);
        assertThat(tell()).containsExactlyInAnyOrder("issued", "other");
        pass(3600);
        assertThat(tell()).isEmpty();
        ledger.happened("a", done("renewed"), nanos);
        pass(1);
        EventLedger.Telling telling = ledger.next(nanos).orElseThrow();
        ledger.happened("a", done("renewed again"), nanos); // while it is being told
        ledger.told(telling, nanos);
        pass(1);
        assertThat(tell()).containsExactly("renewed again");
    }

    private static Statement done(String reason) {
        var ingress = new ObjectRef("Ingress", "default", "shop");
        return Statement.of(new News(ingress, "", reason, "so it is"), "uid");
    }

    private static Statement served(String name, String serial) {
        return new Statement(
                new ObjectRef("Ingress", "default", name),
                UID,
                false,
                Statement.CERTIFICATE_SERVED,
                "Serve",
                "serial " + serial);
    }
}

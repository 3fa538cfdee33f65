package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.name.ObjectRef;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class VanishGuardTest {
    private static final long HOLD_BACK = Duration.ofSeconds(60).toNanos();

    private final VanishGuard guard = new VanishGuard(Duration.ofSeconds(60));

    private static ObjectRef ref(int number) {
        return new ObjectRef("Ingress", "default", "i" + number);
    }

    private static List<ObjectRef> refs(int from, int to) {
        return IntStream.range(from, to).mapToObj(VanishGuardTest::ref).toList();
    }

    private void know(int count) {
        guard.listing();
        refs(0, count).forEach(guard::seen);
        assertThat(guard.listed(0)).isEmpty();
    }

    private List<ObjectRef> relistWithout(List<ObjectRef> gone, long now) {
        guard.listing();
        gone.forEach(guard::missing);
        return guard.listed(now);
    }

    @Test
    void theFirstListIsBelieved() {
        guard.listing();
        guard.seen(ref(0)); // a page of a list that broke off
        guard.missing(ref(0));
        assertThat(guard.listed(0)).containsExactly(ref(0));
        assertThat(guard.held()).isZero();
    }

    @Test
    void theFirstListIsJudgedByWhatIsExpected() {
        guard.expect(refs(0, 10));
        guard.listingAnew();
        refs(0, 6).forEach(guard::seen);
        assertThat(guard.listed(0)).containsExactlyElementsOf(refs(6, 10));
        assertThat(guard.held()).isZero();
    }

    @Test
    void aFirstListThatLacksHalfOfWhatIsExpectedIsHeld() {
        guard.expect(refs(0, 10));
        guard.listingAnew();
        refs(0, 5).forEach(guard::seen);
        assertThat(guard.listed(0)).isEmpty();
        assertThat(guard.held()).isEqualTo(5);
    }

    @Test
    void aListThatIsReadAlreadyIsJudgedByWhatIsExpectedThen() {
        know(6);
        guard.expect(refs(4, 8));
        assertThat(guard.listed(0)).containsExactlyElementsOf(refs(6, 8));
        assertThat(guard.known()).isEqualTo(6);
    }

    @Test
    void whereNothingIsExpectedTheFirstListIsBelieved() {
        guard.expect(List.of());
        guard.listing();
        guard.seen(ref(0)); // a page of a list that broke off
        guard.missing(ref(0));
        assertThat(guard.listed(0)).containsExactly(ref(0));
    }

    @Test
    void lessThanHalfMayGoInAGap() {
        know(10);
        assertThat(relistWithout(refs(0, 4), 0)).containsExactlyElementsOf(refs(0, 4));
        assertThat(guard.held()).isZero();
        assertThat(guard.known()).isEqualTo(6);
    }

    @Test
    void halfOfAllIsHeld() {
        know(10);
        assertThat(relistWithout(refs(0, 5), 0)).isEmpty();
        assertThat(guard.held()).isEqualTo(5);
        assertThat(guard.known()).isEqualTo(10);
    }

    @Test
    void anEmptyListIsHeldHoweverLittleThereWas() {
        know(1);
        assertThat(relistWithout(refs(0, 1), 0)).isEmpty();
        assertThat(guard.held()).isEqualTo(1);
    }

    @Test
    void aListOfOthersAsLongAsTheOneBeforeIsBelieved() {
        know(10);
        guard.listing();
        refs(10, 20).forEach(guard::seen);
        refs(0, 10).forEach(guard::missing);
        assertThat(guard.listed(0)).hasSize(10);
        assertThat(guard.held()).isZero();
    }

    @Test
    void whatIsDeletedBeforeOurEyesIsGoneHoweverMuch() {
        know(10);
        refs(0, 10).forEach(guard::deleted);
        assertThat(guard.known()).isZero();
        assertThat(relistWithout(List.of(), 0)).isEmpty();
        assertThat(guard.held()).isZero();
    }

    @Test
    void whatComesBackIsNotHeldAnyMore() {
        know(10);
        relistWithout(refs(0, 10), 0);
        refs(0, 9).forEach(guard::seen);
        assertThat(guard.held()).isEqualTo(1);
        guard.deleted(ref(9));
        assertThat(guard.held()).isZero();
    }

    @Test
    void onlyASecondListAfterTheTimeMakesThemGo() {
        know(10);
        relistWithout(refs(0, 10), 0);
        assertThat(guard.isDue(HOLD_BACK - 1)).isFalse();
        assertThat(guard.isDue(HOLD_BACK)).isTrue();
        assertThat(guard.confirm(Set.copyOf(refs(0, 3)), HOLD_BACK))
                .containsExactlyElementsOf(refs(3, 10));
        assertThat(guard.held()).isEqualTo(3);
        assertThat(guard.isDue(HOLD_BACK)).isFalse();
        assertThat(guard.isDue(2 * HOLD_BACK)).isTrue();
        guard.postpone(2 * HOLD_BACK);
        assertThat(guard.isDue(2 * HOLD_BACK)).isFalse();
        assertThat(guard.confirm(Set.of(), 3 * HOLD_BACK)).hasSize(3);
        assertThat(guard.isDue(9 * HOLD_BACK)).isFalse();
    }

    @Test
    void aSecondEmptyListByItselfChangesNothing() {
        know(10);
        relistWithout(refs(0, 10), 0);
        assertThat(relistWithout(List.of(), 1)).isEmpty();
        assertThat(guard.held()).isEqualTo(10);
    }

    @Test
    void aListThatTellsOfEverythingAnewLacksWhatItDoesNotTell() {
        know(10);
        relistWithout(refs(0, 10), 0);
        guard.confirm(Set.copyOf(refs(0, 10)), HOLD_BACK);
        guard.listingAnew();
        refs(0, 10).forEach(guard::seen);
        assertThat(guard.listed(HOLD_BACK)).isEmpty();
        assertThat(guard.held()).isZero();

        guard.listingAnew();
        refs(0, 8).forEach(guard::seen);
        assertThat(guard.listed(HOLD_BACK)).containsExactlyElementsOf(refs(8, 10));
        assertThat(guard.known()).isEqualTo(8);
    }
}

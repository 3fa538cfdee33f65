package dev.sallyport.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DueKeysTest {
    private final DueKeys<String> due = new DueKeys<>();

    @Test
    void keysComeOnceInTheOrderTheyWereAdded() {
        due.add("b");
        due.add("a");
        due.add("b");
        assertThat(due.size()).isEqualTo(2);
        assertThat(due.take(0)).isEqualTo("b");
        assertThat(due.take(0)).isEqualTo("a");
        assertThat(due.take(0)).isNull();
        assertThat(due.taken()).isEqualTo(2);
    }

    @Test
    void aKeyThatIsTakenComesAgainOnlyWhenItIsDone() {
        due.add("a");
        due.take(0);
        due.add("a");
        assertThat(due.take(0)).isNull();
        due.done("a");
        assertThat(due.take(0)).isEqualTo("a");
        due.done("a");
        assertThat(due.take(0)).isNull();
    }

    @Test
    void whatIsForLaterWaitsThoughItIsAddedAgain() {
        due.add("a");
        due.take(0);
        due.addLater("a", 100);
        due.add("a");
        assertThat(due.take(99)).isNull();
        assertThat(due.nanosToNext(90)).isEqualTo(10);
        assertThat(due.take(100)).isEqualTo("a");
    }

    @Test
    void whatIsForLaterNeedNotWaitWhenItHurries() {
        due.addLater("a", 100);
        due.hurry("a");
        assertThat(due.take(0)).isEqualTo("a");
        assertThat(due.take(100)).isNull();
    }

    @Test
    void whatIsRemovedDoesNotCome() {
        due.add("a");
        due.addLater("b", 10);
        due.remove("a");
        due.remove("b");
        assertThat(due.take(10)).isNull();
        assertThat(due.nanosToNext(10)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void whatIsClearedDoesNotComeButWhatWasTakenIsStillTaken() {
        due.add("a");
        due.take(0);
        due.add("a");
        due.add("b");
        due.addLater("c", 10);
        due.clear();
        due.done("a");
        assertThat(due.take(10)).isNull();
        assertThat(due.taken()).isZero();
    }
}

package dev.sallyport.control.reconcile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PacerTest {
    private static final long MILLI = 1_000_000;
    private final Pacer pacer =
            new Pacer(new HoldOff(Duration.ofMillis(100), 2, Duration.ofSeconds(1)), 0);

    @Test
    void theFirstRoundsRunAtOnce() {
        assertThat(pacer.delay(0)).isZero();
        pacer.ran(0, Duration.ZERO, true);
        assertThat(pacer.delay(0)).isZero();
    }

    @Test
    void aBurstIsHeldOffForTheInterval() {
        pacer.ran(0, Duration.ZERO, true);
        pacer.ran(0, Duration.ZERO, true);
        assertThat(pacer.delay(0)).isEqualTo(100 * MILLI);
        assertThat(pacer.delay(40 * MILLI)).isBetween(59 * MILLI, 61 * MILLI);
        assertThat(pacer.delay(101 * MILLI)).isZero();
    }

    @Test
    void quietTimeAllowsABurstAgainButNoMore() {
        pacer.ran(0, Duration.ZERO, true);
        pacer.ran(0, Duration.ZERO, true);
        long later = 60_000 * MILLI;
        pacer.ran(later, Duration.ZERO, true);
        assertThat(pacer.delay(later)).isZero();
        pacer.ran(later, Duration.ZERO, true);
        assertThat(pacer.delay(later)).isPositive();
    }

    @Test
    void roundsThatPutNothingInServiceCostTheirTimeOnly() {
        run(100);
        assertThat(pacer.delay(0)).as("after 10 ms of work").isZero();
        run(900);
        assertThat(pacer.delay(0)).as("after 100 ms of work").isPositive();
        assertThat(pacer.delay(101 * MILLI)).isZero();
    }

    private void run(int roundsOfATenthOfAMilli) {
        for (int i = 0; i < roundsOfATenthOfAMilli; i++) {
            pacer.ran(0, Duration.ofNanos(MILLI / 10), false);
        }
    }

    /** So that nobody else's rotation waits for it. */
    @Test
    void aSecretThatFlapsFiftyTimesASecondIsNotHeldOff() {
        Pacer usual = new Pacer(HoldOff.DEFAULT, 0);
        for (long now = 0; now < 10_000 * MILLI; now += 20 * MILLI) {
            assertThat(usual.delay(now)).as("at %d ns", now).isLessThanOrEqualTo(0);
            usual.ran(now, Duration.ofMillis(2), true);
        }
    }

    @Test
    void longRoundsLeaveHalfOfTheTimeToOthers() {
        pacer.ran(0, Duration.ofMillis(300), true);
        assertThat(pacer.delay(0)).isEqualTo(300 * MILLI);
    }

    @Test
    void nothingWaitsLongerThanTheCap() {
        pacer.ran(0, Duration.ofSeconds(30), true);
        assertThat(pacer.delay(0)).isEqualTo(1_000 * MILLI);
    }

    @Test
    void aBurstOfNoneIsRefused() {
        assertThatThrownBy(() -> new HoldOff(Duration.ZERO, 0, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("burst: 0 (expected: at least 1)");
    }
}

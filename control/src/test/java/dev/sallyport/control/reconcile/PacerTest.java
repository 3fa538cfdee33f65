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
        pacer.ran(0, Duration.ZERO);
        assertThat(pacer.delay(0)).isZero();
    }

    @Test
    void aBurstIsHeldOffForTheInterval() {
        pacer.ran(0, Duration.ZERO);
        pacer.ran(0, Duration.ZERO);
        assertThat(pacer.delay(0)).isEqualTo(100 * MILLI);
        assertThat(pacer.delay(40 * MILLI)).isBetween(59 * MILLI, 61 * MILLI);
        assertThat(pacer.delay(101 * MILLI)).isZero();
    }

    @Test
    void quietTimeAllowsABurstAgainButNoMore() {
        pacer.ran(0, Duration.ZERO);
        pacer.ran(0, Duration.ZERO);
        long later = 60_000 * MILLI;
        pacer.ran(later, Duration.ZERO);
        assertThat(pacer.delay(later)).isZero();
        pacer.ran(later, Duration.ZERO);
        assertThat(pacer.delay(later)).isPositive();
    }

    @Test
    void longRoundsLeaveHalfOfTheTimeToOthers() {
        pacer.ran(0, Duration.ofMillis(300));
        assertThat(pacer.delay(0)).isEqualTo(300 * MILLI);
    }

    @Test
    void nothingWaitsLongerThanTheCap() {
        pacer.ran(0, Duration.ofSeconds(30));
        assertThat(pacer.delay(0)).isEqualTo(1_000 * MILLI);
    }

    @Test
    void aBurstOfNoneIsRefused() {
        assertThatThrownBy(() -> new HoldOff(Duration.ZERO, 0, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("burst: 0 (expected: at least 1)");
    }
}

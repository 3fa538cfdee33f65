package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RequestRateTest {
    private static final long MILLI = 1_000_000;
    private static final long NOW = Long.MAX_VALUE - 5 * MILLI; // the clock may overflow

    private final RequestRate rate = new RequestRate(3, 10);

    @Test
    void aBurstGoesAtOnceAndTheRestInTurn() {
        assertThat(rate.take(NOW)).isZero();
        assertThat(rate.take(NOW)).isZero();
        assertThat(rate.take(NOW)).isZero();
        assertThat(rate.take(NOW)).isEqualTo(100 * MILLI);
        assertThat(rate.take(NOW)).isEqualTo(200 * MILLI);
        assertThat(rate.take(later(250))).isEqualTo(50 * MILLI);
    }

    @Test
    void quietTimeAllowsABurstAgainButNoMore() {
        for (int i = 0; i < 3; i++) {
            rate.take(NOW);
        }
        long later = later(60_000);
        assertThat(rate.take(later)).isZero();
        assertThat(rate.take(later)).isZero();
        assertThat(rate.take(later)).isZero();
        assertThat(rate.take(later)).isEqualTo(100 * MILLI);
    }

    @Test
    void aPauseHoldsTheBurstAsWell() {
        rate.pause(NOW, 2_000 * MILLI);
        assertThat(rate.take(NOW)).isEqualTo(2_000 * MILLI);
        assertThat(rate.take(NOW)).isEqualTo(2_100 * MILLI);
        rate.pause(NOW, 1_000 * MILLI);
        assertThat(rate.take(NOW))
                .as("a shorter pause takes nothing back")
                .isEqualTo(2_200 * MILLI);
    }

    private static long later(int millis) {
        long now = NOW;
        return now + millis * MILLI;
    }
}

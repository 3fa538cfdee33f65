package dev.sallyport.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TokensTest {
    private static final long SECOND = 1_000_000_000L;

    @Test
    void soManyAtOnceThenAtAnEvenPace() {
        var tokens = new Tokens(3, 10, 0);
        for (int i = 0; i < 3; i++) {
            assertThat(tokens.take(0)).isTrue();
        }
        assertThat(tokens.take(0)).isFalse();
        assertThat(tokens.nanosToNext(0)).isEqualTo(SECOND / 10);
        assertThat(tokens.take(SECOND / 10)).isTrue();
        assertThat(tokens.take(SECOND / 10)).isFalse();
    }

    @Test
    void noMoreThanTheBucketHoldsIsSaved() {
        var tokens = new Tokens(3, 10, 0);
        tokens.take(0);
        assertThat(tokens.isFull(0)).isFalse();
        assertThat(tokens.isFull(1000 * SECOND)).isTrue();
        for (int i = 0; i < 3; i++) {
            assertThat(tokens.take(1000 * SECOND)).isTrue();
        }
        assertThat(tokens.take(1000 * SECOND)).isFalse();
    }
}

package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PastStreamsTest {
    private final PastStreams past = new PastStreams();

    @Test
    void aResetIsRemembered() {
        past.wasReset(5);

        assertThat(past.isReset(5)).isTrue();
        assertThat(past.isReset(3)).isFalse();
    }

    @Test
    void theLatestResetsAreRememberedAndNoMore() {
        for (int id = 1; id < 2 * 257; id += 2) {
            past.wasReset(id);
        }

        assertThat(past.isReset(1)).isFalse();
        assertThat(past.isReset(3)).isTrue();
        assertThat(past.isReset(513)).isTrue();
    }

    @Test
    void identifiersInARowLeaveNoGap() {
        past.opened(1, 0);
        past.opened(3, 1);

        assertThat(past.isSkipped(1)).isFalse();
        assertThat(past.isSkipped(3)).isFalse();
    }

    @Test
    void whatIsSkippedIsRemembered() {
        past.opened(5, 0);
        past.opened(9, 5);

        assertThat(past.isSkipped(1)).isTrue();
        assertThat(past.isSkipped(3)).isTrue();
        assertThat(past.isSkipped(5)).isFalse();
        assertThat(past.isSkipped(7)).isTrue();
        assertThat(past.isSkipped(9)).isFalse();
    }
}

package dev.sallyport.proxy.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SeldomTest {
    private final MockTicker ticker = Ticker.newMockTicker();
    private final Seldom seldom = new Seldom(ticker, Duration.ofMinutes(1));

    @Test
    void theFirstTimeIsAlwaysTime() {
        assertThat(seldom.isTime()).isTrue();
    }

    @Test
    void itIsTimeOnceInEachPause() {
        int times = 0;
        for (int second = 0; second < 600; second++) {
            times += seldom.isTime() ? 1 : 0;
            times += seldom.isTime() ? 1 : 0;
            ticker.advance(1, TimeUnit.SECONDS);
        }
        assertThat(times).isEqualTo(10);
    }
}

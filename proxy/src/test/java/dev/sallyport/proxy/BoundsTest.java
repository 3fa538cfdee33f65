package dev.sallyport.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.proxy.http.Admission;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.log.Seldom;
import io.netty.util.concurrent.Ticker;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BoundsTest {
    private long inFlight;
    private long memoryUsed;

    @Test
    void oneMoreThanTheBoundIsRefused() {
        Admission bounds = bounds(10, 0);
        inFlight = 10;
        assertThat(refusal(bounds)).isNull();
        inFlight = 11;
        assertThat(refusal(bounds)).isEqualTo(ProxyError.OVERLOADED);
    }

    @Test
    void zeroIsNoBound() {
        inFlight = Integer.MAX_VALUE;
        assertThat(refusal(bounds(0, 0))).isNull();
    }

    @Test
    void memoryThatRunsShortIsReasonToRefuse() {
        Admission bounds = bounds(10, 1_000_000);
        memoryUsed = 850_000;
        assertThat(refusal(bounds)).isNull();
        memoryUsed = 850_001;
        assertThat(refusal(bounds)).isEqualTo(ProxyError.OVERLOADED);
        memoryUsed = 800_000;
        assertThat(refusal(bounds)).isNull();
    }

    @Test
    void memoryOfUnknownSizeIsNoReason() {
        memoryUsed = Long.MAX_VALUE;
        assertThat(refusal(bounds(10, -1))).isNull();
    }

    private Admission bounds(long most, long memory) {
        return new Bounds(
                most,
                () -> inFlight,
                memory,
                () -> memoryUsed,
                new Seldom(Ticker.systemTicker(), Duration.ofMinutes(1)));
    }

    private static @Nullable ProxyError refusal(Admission bounds) {
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        var listener = new Listener("http", "127.0.0.1", 0, new ListenerProtocol.Http());
        return bounds.refuse(new ClientConnection(listener, address, address, "h2", null));
    }
}

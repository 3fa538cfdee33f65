package dev.sallyport.proxy.listen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.proxy.metric.ProxyMetrics.ConnectionLimit;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ConnectionLimitsTest {

    @Test
    void boundInAllCountsEveryClient() {
        var limits = new ConnectionLimits(2, 2);
        assertThat(limits.acquire(address("192.0.2.1"))).isNull();
        assertThat(limits.acquire(address("192.0.2.2"))).isNull();
        assertThat(limits.acquire(address("192.0.2.3"))).isEqualTo(ConnectionLimit.TOTAL);
        limits.release(address("192.0.2.1"));
        assertThat(limits.acquire(address("192.0.2.3"))).isNull();
    }

    @Test
    void oneClientDoesNotTakeTheOthersPlace() {
        var limits = new ConnectionLimits(10, 1);
        assertThat(limits.acquire(address("192.0.2.1"))).isNull();
        assertThat(limits.acquire(address("192.0.2.1"))).isEqualTo(ConnectionLimit.CLIENT);
        assertThat(limits.acquire(address("192.0.2.2"))).isNull();
        assertThat(limits.open()).isEqualTo(2);
    }

    @Test
    void clientIsA64OfIpv6() {
        var limits = new ConnectionLimits(10, 1);
        assertThat(limits.acquire(address("2001:db8:1:2::1"))).isNull();
        assertThat(limits.acquire(address("2001:db8:1:2:ffff::9")))
                .isEqualTo(ConnectionLimit.CLIENT);
        assertThat(limits.acquire(address("2001:db8:1:3::1"))).isNull();
    }

    @Test
    void boundHoldsAmongThreads() throws Exception {
        var limits = new ConnectionLimits(1000, 50);
        var most = new AtomicInteger();
        var open = new AtomicInteger();
        InetAddress client = address("192.0.2.1");
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            threads.add(
                    Thread.ofPlatform()
                            .start(() -> {
                                for (int k = 0; k < 20_000; k++) {
                                    if (limits.acquire(client) == null) {
                                        most.accumulateAndGet(open.incrementAndGet(), Math::max);
                                        open.decrementAndGet();
                                        limits.release(client);
                                    }
                                }
                            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(most.get()).isBetween(1, 50);
        assertThat(limits.open()).isZero();
        assertThat(limits.acquire(client)).isNull();
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByAddress(
                    Objects.requireNonNull(NetUtil.createByteArrayFromIpAddressString(text)));
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}

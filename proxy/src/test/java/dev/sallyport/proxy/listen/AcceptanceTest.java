package dev.sallyport.proxy.listen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.proxy.log.Seldom;
import dev.sallyport.proxy.metric.Metric;
import dev.sallyport.proxy.metric.ProxyMetrics;
import dev.sallyport.proxy.metric.Reading;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.Ticker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AcceptanceTest {
    private final ProxyMetrics metrics = new ProxyMetrics();
    private final OpenConnections connections = new OpenConnections();
    private final EmbeddedChannel server =
            new EmbeddedChannel(
                    new Acceptance(
                            new ConnectionLimits(1, 1),
                            metrics,
                            connections,
                            new Seldom(Ticker.systemTicker(), Duration.ofMinutes(1))));

    @Test
    void failureToAcceptIsCountedAndFollowedByAPause() {
        server.freezeTime();
        server.pipeline()
                .fireExceptionCaught(new IOException("accept(..) failed: Too many open files"));
        assertThat(counted(Metric.ACCEPT_FAILURES)).isEqualTo(1);
        server.checkException(); // nobody else need hear of it
        assertThat(server.config().isAutoRead()).isFalse();
        server.advanceTimeBy(1, TimeUnit.SECONDS);
        server.runScheduledPendingTasks();
        assertThat(server.config().isAutoRead()).isTrue();
    }

    @Test
    void connectionThatIsGoneAlreadyIsClosedAndNotCounted() {
        var gone = new EmbeddedChannel(); // its address is none of the internet's
        server.writeInbound(gone);
        assertThat(server.<Object>readInbound()).isNull();
        assertThat(gone.isOpen()).isFalse();
        assertThat(counted(Metric.CONNECTIONS)).isZero();
        assertThat(connections.size()).isZero();
    }

    @Test
    void acceptedConnectionIsKnownBeforeItsLoopHasIt() {
        var accepted = new InternetChannel();
        server.writeInbound(accepted);
        assertThat(server.<Object>readInbound()).isSameAs(accepted);
        assertThat(connections.size()).isOne();
        var _ = accepted.close();
        assertThat(connections.size()).isZero();
    }

    private static final class InternetChannel extends EmbeddedChannel {
        @Override
        protected SocketAddress remoteAddress0() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        }
    }

    private double counted(Metric metric) {
        return metrics.read().families().stream()
                .filter(family -> family.metric() == metric)
                .flatMap(family -> family.samples().stream())
                .mapToDouble(sample -> ((Reading.Value) sample).value())
                .sum();
    }
}

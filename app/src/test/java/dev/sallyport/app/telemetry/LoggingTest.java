package dev.sallyport.app.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import org.junit.jupiter.api.Test;

class LoggingTest {

    @Test
    void clientsThatDoNotReadTheirEndFillNoLog() {
        var context = new LoggerContext();
        var _ = new Logging().configure(context);
        assertThat(context.getLogger("io.netty.handler.ssl.SslHandler").isWarnEnabled()).isFalse();
        assertThat(context.getLogger("io.netty.channel.DefaultChannelPipeline").isWarnEnabled())
                .isTrue();
        context.stop();
    }
}

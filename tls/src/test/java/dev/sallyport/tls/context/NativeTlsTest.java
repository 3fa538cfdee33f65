package dev.sallyport.tls.context;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class NativeTlsTest {
    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void theLibraryIsThereAndNamesItself() {
        assertThat(NativeTls.require()).contains("BoringSSL");
    }

    @Test
    void theSelfTestFindsNothingAndLeavesNothing() {
        assertThat(SelfTest.problem()).isEmpty();
    }
}

package dev.sallyport.tls.context;

import static dev.sallyport.tls.certificate.TestCertificates.NOW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.OpenSslSessionTicketKey;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TicketKeysTest {
    private static final byte[] POLICY = {1, 2, 3};
    private final TicketKeys keys = new TicketKeys(new byte[32], Duration.ofHours(1), 2);

    private static List<String> names(OpenSslSessionTicketKey[] keys) {
        return Arrays.stream(keys).map(key -> Arrays.toString(key.name())).toList();
    }

    @Test
    void theSameSecretPolicyAndPeriodGiveTheSameKeys() {
        TicketKeys replica = new TicketKeys(new byte[32], Duration.ofHours(1), 2);
        assertThat(names(keys.of(POLICY, 7))).isEqualTo(names(replica.of(POLICY, 7)));
    }

    @Test
    void noPartOfAKeyIsAnother() {
        OpenSslSessionTicketKey key = keys.of(POLICY, 7)[0];
        assertThat(key.name()).isNotEqualTo(key.hmacKey()).isNotEqualTo(key.aesKey());
        assertThat(key.hmacKey()).isNotEqualTo(key.aesKey());
    }

    @Test
    void policiesShareNoKey() {
        assertThat(names(keys.of(POLICY, 7)))
                .doesNotContainAnyElementsOf(names(keys.of(new byte[] {1, 2, 4}, 7)));
    }

    @Test
    void theCurrentKeySealsAndItsNeighboursOpen() {
        List<String> now = names(keys.of(POLICY, 7));
        assertThat(now)
                .containsExactly(
                        names(keys.of(POLICY, 7)).getFirst(),
                        names(keys.of(POLICY, 6)).getFirst(),
                        names(keys.of(POLICY, 5)).getFirst(),
                        names(keys.of(POLICY, 8)).getFirst());
    }

    @Test
    void periodsAreCountedFromTheEpoch() {
        assertThat(keys.periodAt(NOW.plus(Duration.ofHours(1)))).isEqualTo(keys.periodAt(NOW) + 1);
    }

    @Test
    void shortSecretsAreRefused() {
        assertThatThrownBy(() -> new TicketKeys(new byte[31]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("31 bytes");
    }

    @Test
    void theSecretIsNotPrinted() {
        assertThat(keys.toString()).doesNotContain("[0").contains("PT1H");
    }
}

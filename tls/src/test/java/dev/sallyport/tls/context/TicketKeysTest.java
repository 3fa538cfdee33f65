package dev.sallyport.tls.context;

import static dev.sallyport.tls.certificate.TestCertificates.NOW;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.certificate.SensitiveBytes;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import java.lang.reflect.Field;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TicketKeysTest {
    private static final byte[] POLICY = {1, 2, 3};
    private final TicketKeys keys = keys();

    /** With a secret of period 7. */
    private static TicketKeys keys() {
        return new TicketKeys(new byte[32], at(7), Duration.ofHours(1), 2);
    }

    private static Instant at(long period) {
        return Instant.EPOCH.plus(Duration.ofHours(period));
    }

    private static List<String> names(OpenSslSessionTicketKey[] keys) {
        return Arrays.stream(keys).map(key -> Arrays.toString(key.name())).toList();
    }

    @Test
    void theSameSecretPolicyAndPeriodGiveTheSameKeys() {
        TicketKeys replica = keys();
        keys.advance(at(9));
        replica.advance(at(8));
        replica.advance(at(9));
        assertThat(names(keys.of(POLICY))).isEqualTo(names(replica.of(POLICY)));
    }

    @Test
    void aSecretOfALaterPeriodIsAnotherOne() {
        keys.advance(at(8));
        TicketKeys later = new TicketKeys(new byte[32], at(8), Duration.ofHours(1), 2);
        assertThat(names(keys.of(POLICY))).doesNotContainAnyElementsOf(names(later.of(POLICY)));
    }

    @Test
    void noPartOfAKeyIsAnother() {
        OpenSslSessionTicketKey key = keys.of(POLICY)[0];
        assertThat(key.name()).isNotEqualTo(key.hmacKey()).isNotEqualTo(key.aesKey());
        assertThat(key.hmacKey()).isNotEqualTo(key.aesKey());
    }

    @Test
    void policiesShareNoKey() {
        assertThat(names(keys.of(POLICY)))
                .doesNotContainAnyElementsOf(names(keys.of(new byte[] {1, 2, 4})));
    }

    @Test
    void theCurrentKeySealsAndItsNeighboursOpen() {
        Map<Long, String> sealing = new HashMap<>();
        for (long period = 7; period <= 11; period++) {
            assertThat(keys.advance(at(period))).isEqualTo(period);
            sealing.put(period, names(keys.of(POLICY)).getFirst());
        }
        assertThat(sealing.values()).doesNotHaveDuplicates();

        TicketKeys atTen = keys();
        atTen.advance(at(10));
        assertThat(names(atTen.of(POLICY)))
                .containsExactly(
                        sealing.get(10L), sealing.get(9L), sealing.get(8L), sealing.get(11L));
    }

    @Test
    void thereAreNoKeysFromBeforeTheSecret() {
        assertThat(keys.of(POLICY)).hasSize(2);
        keys.advance(at(8));
        assertThat(keys.of(POLICY)).hasSize(3);
    }

    @Test
    void periodsAreCountedFromTheEpoch() {
        TicketKeys sinceNow = new TicketKeys(new byte[32], NOW, Duration.ofHours(1), 2);
        assertThat(sinceNow.advance(NOW)).isEqualTo(NOW.getEpochSecond() / 3600);
    }

    /** Whoever takes the object as it is can make no key that is not kept. */
    @Test
    void nothingThatIsHeldLeadsBackToAnOlderPeriod() throws IllegalAccessException {
        byte[] secret = "0123456789abcdef0123456789abcdef".getBytes(US_ASCII);
        TicketKeys told = new TicketKeys(secret, at(7), Duration.ofHours(1), 2);
        SensitiveBytes first = held(told);
        told.advance(at(9));
        assertThat(held(told)).as("still opened with").isSameAs(first);

        told.advance(at(10));

        assertThat(first).isEqualTo(SensitiveBytes.copyOf(new byte[32]));
        assertThat(held(told)).isNotEqualTo(SensitiveBytes.copyOf(secret));
        TicketKeys thief =
                new TicketKeys(held(told).use(byte[]::clone), at(8), Duration.ofHours(1), 2);
        thief.advance(at(10));
        assertThat(names(thief.of(POLICY))).isEqualTo(names(told.of(POLICY)));
    }

    /** The one secret in the fields. */
    private static SensitiveBytes held(TicketKeys keys) throws IllegalAccessException {
        List<SensitiveBytes> held = new ArrayList<>();
        for (Field field : TicketKeys.class.getDeclaredFields()) {
            field.setAccessible(true);
            if (field.get(keys) instanceof SensitiveBytes secret) {
                held.add(secret);
            }
        }
        assertThat(held).hasSize(1);
        return held.getFirst();
    }

    @Test
    void aClockThatIsSetBackDoesNotStopTheChange() {
        keys.advance(at(1000));
        String ahead = names(keys.of(POLICY)).getFirst();

        assertThat(keys.advance(at(8))).isEqualTo(1000);
        assertThat(keys.advance(at(8).plusSeconds(3599))).isEqualTo(1000);
        assertThat(keys.advance(at(9))).isEqualTo(1001);

        assertThat(names(keys.of(POLICY))).contains(ahead).element(0).isNotEqualTo(ahead);
    }

    @ParameterizedTest
    @ValueSource(ints = {-400, -1, 1, 400})
    void keysGoOnChangingWhenTheClockJumpsByDays(int days) {
        TicketKeys jumped = new TicketKeys(new byte[32], NOW); // as in service
        jumped.advance(NOW);
        Set<String> sealedWith = new LinkedHashSet<>(Set.of(names(jumped.of(POLICY)).getFirst()));
        Instant clock = NOW.plus(Duration.ofDays(days));
        for (int period = 0; period < 4; period++) {
            jumped.advance(clock);
            List<String> before = names(jumped.of(POLICY));
            sealedWith.add(before.getFirst());
            clock = clock.plus(TicketKeys.PERIOD);
            jumped.advance(clock);
            assertThat(names(jumped.of(POLICY)))
                    .as("a ticket opens for a while")
                    .containsAll(before.subList(0, 1));
        }
        jumped.advance(NOW); // mended
        jumped.advance(NOW.plus(TicketKeys.PERIOD));
        sealedWith.add(names(jumped.of(POLICY)).getFirst());
        assertThat(sealedWith).hasSizeGreaterThanOrEqualTo(5);
    }

    @Test
    void shortSecretsAreRefused() {
        assertThatThrownBy(() -> new TicketKeys(new byte[31], NOW))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("31 bytes");
    }

    @Test
    void theSecretIsNotPrinted() {
        assertThat(keys.toString()).doesNotContain("[0").contains("PT1H");
    }
}

package dev.sallyport.tls.context;

import dev.sallyport.model.certificate.SensitiveBytes;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import javax.crypto.KDF;
import javax.crypto.spec.HKDFParameterSpec;

/**
 * Session ticket keys derived from one secret, a policy and the time: replicas that share the
 * secret have the same keys with no exchange between them, and no two policies share a key.
 *
 * <p>Tickets are sealed with the key of the current period and opened with it, with those of some
 * periods before, and with the next one (sealed by a replica whose clock is ahead). This bounds a
 * ticket's life: the hint that BoringSSL sends in TLS 1.3 is two days whatever we set, but once its
 * key is gone a ticket leads to a full handshake. Immutable.
 */
public final class TicketKeys {
    /** How long new tickets are sealed with one key. */
    public static final Duration PERIOD = Duration.ofHours(8);

    /** How many keys before the current one still open tickets: a ticket lives 16 to 24 hours. */
    public static final int KEPT = 2;

    private static final int SHORTEST_SECRET = 32;
    private static final byte[] INFO =
            "sallyport session ticket".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    private final SensitiveBytes secret;
    private final Duration period;
    private final int kept;

    /** Keys with {@link #PERIOD} and {@link #KEPT}; {@code secret} is copied. */
    public TicketKeys(byte[] secret) {
        this(secret, PERIOD, KEPT);
    }

    TicketKeys(byte[] secret, Duration period, int kept) {
        if (secret.length < SHORTEST_SECRET) {
            throw new IllegalArgumentException(
                    "ticket secret: "
                            + secret.length
                            + " bytes (expected: at least "
                            + SHORTEST_SECRET
                            + ")");
        }
        this.secret = SensitiveBytes.copyOf(secret);
        this.period = period;
        this.kept = kept;
    }

    /** The number of the period that {@code now} is in. */
    long periodAt(Instant now) {
        return Math.floorDiv(now.getEpochSecond(), period.toSeconds());
    }

    /** How long a session may be resumed at most, in seconds. */
    long longestLife() {
        return period.multipliedBy(kept + 1L).toSeconds();
    }

    /**
     * The keys of a policy in a period; the first one seals.
     *
     * @param policy a digest of the policy
     */
    OpenSslSessionTicketKey[] of(byte[] policy, long atPeriod) {
        var keys = new OpenSslSessionTicketKey[kept + 2];
        for (int i = 0; i <= kept; i++) {
            keys[i] = key(policy, atPeriod - i);
        }
        keys[kept + 1] = key(policy, atPeriod + 1);
        return keys;
    }

    private OpenSslSessionTicketKey key(byte[] policy, long number) {
        byte[] info = Arrays.copyOf(INFO, INFO.length + policy.length + Long.BYTES);
        System.arraycopy(policy, 0, info, INFO.length, policy.length);
        for (int i = 0; i < Long.BYTES; i++) {
            info[info.length - 1 - i] = (byte) (number >>> (8 * i));
        }
        byte[] bytes = secret.use(input -> derive(input, info));
        try {
            return new OpenSslSessionTicketKey(
                    Arrays.copyOfRange(bytes, 0, 16),
                    Arrays.copyOfRange(bytes, 16, 32),
                    Arrays.copyOfRange(bytes, 32, 48));
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private static byte[] derive(byte[] input, byte[] info) {
        try {
            return KDF.getInstance("HKDF-SHA256")
                    .deriveData(HKDFParameterSpec.ofExtract().addIKM(input).thenExpand(info, 48));
        } catch (GeneralSecurityException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }

    @Override
    public String toString() {
        return "TicketKeys[" + period + ", " + kept + " kept]";
    }
}

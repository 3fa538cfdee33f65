package dev.sallyport.tls.context;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.sallyport.model.certificate.SensitiveBytes;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.crypto.KDF;
import javax.crypto.spec.HKDFParameterSpec;

/**
 * Session ticket keys derived from one secret, a policy and the time: replicas that were given the
 * secret of the same period have the same keys with no exchange between them, and no two policies
 * share a key.
 *
 * <p>Forward only: each period's secret is derived from the one before it, which is then wiped.
 * Whoever takes what this holds can make the keys that open tickets now and later, but none that
 * were in use before: what was recorded under those stays closed (RFC 8446 appendix F.1 counts on
 * ticket keys that are deleted). Copies that the JDK and Netty make on the way are not ours to
 * wipe: the garbage collector overwrites them.
 *
 * <p>Tickets are sealed with the key of the current period and opened with it, with those of some
 * periods before, and with the next one (sealed by a replica whose clock is ahead). This bounds a
 * ticket's life: the hint that BoringSSL sends in TLS 1.3 is two days whatever we set, but once its
 * key is gone a ticket leads to a full handshake.
 *
 * <p>Concurrency: safe from any thread.
 */
public final class TicketKeys {
    /** How long new tickets are sealed with one key. */
    public static final Duration PERIOD = Duration.ofHours(8);

    /** How many keys before the current one still open tickets: a ticket lives 16 to 24 hours. */
    public static final int KEPT = 2;

    private static final int SHORTEST_SECRET = 32;
    private static final int SECRET = 32; // of a period, as long as the hash
    private static final int PART = 16; // name, HMAC key and AES key
    private static final byte[] TICKET = "sallyport session ticket".getBytes(US_ASCII);
    private static final byte[] NEXT = "sallyport next period".getBytes(US_ASCII);

    private final Duration period;
    private final int kept;
    private SensitiveBytes oldest; // the secret of the oldest period whose key is kept
    private long oldestPeriod;
    private long current;
    private Instant changed; // when the current period began here

    /**
     * Keys with {@link #PERIOD} and {@link #KEPT}.
     *
     * @param secret of the period that {@code since} is in, at least 32 bytes; copied
     */
    public TicketKeys(byte[] secret, Instant since) {
        this(secret, since, PERIOD, KEPT);
    }

    TicketKeys(byte[] secret, Instant since, Duration period, int kept) {
        if (secret.length < SHORTEST_SECRET) {
            throw new IllegalArgumentException(
                    "ticket secret: "
                            + secret.length
                            + " bytes (expected: at least "
                            + SHORTEST_SECRET
                            + ")");
        }
        this.period = period;
        this.kept = kept;
        oldest = SensitiveBytes.copyOf(secret);
        oldestPeriod = Math.floorDiv(since.getEpochSecond(), period.toSeconds());
        current = oldestPeriod;
        changed = since;
    }

    /**
     * Goes on to the period that {@code now} is in, and wipes what only older ones need. Never goes
     * back: after the clock was set back each period that passes still changes the keys.
     *
     * @return the number of the current period
     */
    synchronized long advance(Instant now) {
        if (now.isBefore(changed)) {
            changed = now;
        }
        boolean passed = !now.isBefore(changed.plus(period));
        long next =
                Math.max(
                        Math.floorDiv(now.getEpochSecond(), period.toSeconds()),
                        passed ? current + 1 : current);
        if (next > current) {
            current = next;
            changed = now;
            while (oldestPeriod < current - kept) {
                SensitiveBytes wiped = oldest;
                oldest = after(wiped);
                oldestPeriod++;
                wiped.wipe();
            }
        }
        return current;
    }

    /** How long a session may be resumed at most, in seconds. */
    long longestLife() {
        return period.multipliedBy(kept + 1L).toSeconds();
    }

    /**
     * The keys of a policy in the current period: the first one seals, then those of the periods
     * before it, the youngest first, and last the next one's. Those of periods before the secret's
     * own do not exist.
     *
     * @param policy a digest of the policy
     */
    synchronized OpenSslSessionTicketKey[] of(byte[] policy) {
        List<OpenSslSessionTicketKey> keys = new ArrayList<>(kept + 2);
        SensitiveBytes secret = oldest.use(SensitiveBytes::copyOf);
        for (long number = oldestPeriod; number <= current; number++) {
            keys.addFirst(key(secret, policy, number));
            SensitiveBytes wiped = secret;
            secret = after(wiped);
            wiped.wipe();
        }
        keys.addLast(key(secret, policy, current + 1));
        secret.wipe();
        return keys.toArray(OpenSslSessionTicketKey[]::new);
    }

    private static SensitiveBytes after(SensitiveBytes secret) {
        return derived(secret, NEXT, SECRET);
    }

    private static OpenSslSessionTicketKey key(SensitiveBytes secret, byte[] policy, long number) {
        byte[] info =
                ByteBuffer.allocate(TICKET.length + policy.length + Long.BYTES)
                        .put(TICKET)
                        .put(policy)
                        .putLong(number)
                        .array();
        SensitiveBytes parts = derived(secret, info, 3 * PART);
        try {
            return parts.use(bytes ->
                    new OpenSslSessionTicketKey(
                            Arrays.copyOfRange(bytes, 0, PART),
                            Arrays.copyOfRange(bytes, PART, 2 * PART),
                            Arrays.copyOfRange(bytes, 2 * PART, 3 * PART)));
        } finally {
            parts.wipe();
        }
    }

    private static SensitiveBytes derived(SensitiveBytes secret, byte[] info, int length) {
        byte[] bytes = secret.use(input -> hkdf(input, info, length));
        try {
            return SensitiveBytes.copyOf(bytes);
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private static byte[] hkdf(byte[] input, byte[] info, int length) {
        try {
            return KDF.getInstance("HKDF-SHA256")
                    .deriveData(
                            HKDFParameterSpec.ofExtract().addIKM(input).thenExpand(info, length));
        } catch (GeneralSecurityException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }

    @Override
    public String toString() {
        return "TicketKeys[" + period + ", " + kept + " kept]";
    }
}

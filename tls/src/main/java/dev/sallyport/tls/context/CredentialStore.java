package dev.sallyport.tls.context;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Native credentials for the bundles in use: loaded when a handshake first asks, the least recently
 * used given back when there are too many. Hundreds of thousands of bundles may wait on the heap
 * behind it. Safe from any thread.
 *
 * <p>The cache owns one reference to each entry and gives it back exactly once, in Caffeine's
 * removal listener, on the thread that evicts. Keyed by the bundle object, whose equality is
 * identity: a rotated host can never hit the credential of the bundle before.
 */
public final class CredentialStore implements AutoCloseable {
    private final CredentialCounts counts = new CredentialCounts();
    private final Cache<CertificateBundle, NativeCredential> loaded;

    /**
     * Bundles that no table holds any more. A handshake that read the table before may still ask
     * for one: it is served, and leaves nothing behind.
     */
    private final Cache<CertificateBundle, Boolean> forgotten =
            Caffeine.newBuilder().weakKeys().executor(Runnable::run).build();

    /**
     * @param maximum how many bundles are held natively; about 1.5 KiB each, 2 KiB more with a real
     *     chain
     * @throws NativeTlsUnavailable where the native library is missing
     */
    public CredentialStore(int maximum) {
        if (maximum < 0) {
            throw new IllegalArgumentException(
                    "cached credentials: " + maximum + " (expected: 0 or more)");
        }
        NativeTls.load();
        loaded =
                Caffeine.newBuilder()
                        .maximumSize(maximum)
                        .executor(Runnable::run)
                        .removalListener(CredentialStore::giveBack)
                        .build();
    }

    private static void giveBack(
            @Nullable CertificateBundle bundle,
            @Nullable NativeCredential credential,
            RemovalCause cause) {
        if (credential != null) {
            credential.release();
        }
    }

    /**
     * Gives a set's credentials to a connection in its certificate callback, in their order: the
     * first that the client can use is presented. One that cannot be loaded does not stop the
     * others.
     *
     * @throws CredentialRefused where none could be loaded
     */
    void addTo(long ssl, CertificateSet certificates) {
        CredentialRefused refused = null;
        int added = 0;
        for (ServedCertificate served : certificates.certificates()) {
            try {
                addTo(ssl, served.bundle());
                added++;
            } catch (CredentialRefused why) {
                refused = why;
            }
        }
        if (added == 0 && refused != null) {
            throw refused;
        }
    }

    private void addTo(long ssl, CertificateBundle bundle) {
        NativeCredential credential =
                loaded.get(bundle, missing -> NativeCredential.load(missing, counts));
        if (!credential.tryRetain()) {
            // Evicted since. Asking the cache again might never end where it evicts at once.
            credential = NativeCredential.load(bundle, counts);
        }
        try {
            credential.addTo(ssl);
        } finally {
            credential.release();
        }
        // Looked at last: whoever forgets marks first and invalidates then.
        if (forgotten.getIfPresent(bundle) != null) {
            loaded.invalidate(bundle);
        }
    }

    /**
     * Why the native library would not serve this certificate, if so; loads it once to see. From
     * then on it is in use, even if it was forgotten before.
     */
    public Optional<Finding> refusal(ServedCertificate certificate) {
        forgotten.invalidate(certificate.bundle());
        try {
            NativeCredential.load(certificate.bundle(), counts).release();
            return Optional.empty();
        } catch (CredentialRefused refused) {
            return Optional.of(
                    Finding.of(
                            Reason.CERTIFICATE_REFUSED,
                            certificate.source(),
                            "tls.crt: refused by the TLS library: " + refused.getMessage(),
                            "Issue the certificate anew with a P-256 key, or RSA of 2048 bits."));
        }
    }

    /**
     * Gives back the native side of a bundle that no table holds any more, before it ages out.
     * Handshakes that have it finish with it; should one still ask for it, it is loaded for that
     * one.
     */
    public void forget(CertificateBundle bundle) {
        forgotten.put(bundle, Boolean.TRUE);
        loaded.invalidate(bundle);
    }

    /**
     * Native credentials that exist: those in the cache, those that a handshake is using, and any
     * that was lost.
     */
    public long alive() {
        long freed = counts.freed(); // first: never more than were made
        return counts.created() - freed;
    }

    /** How many bundles the cache holds now. */
    public long size() {
        loaded.cleanUp();
        return loaded.estimatedSize();
    }

    /** Native credentials made since the start. */
    public long created() {
        return counts.created();
    }

    /** Native credentials freed since the start; equal to those created once all is closed. */
    public long freed() {
        return counts.freed();
    }

    @Override
    public void close() {
        loaded.invalidateAll();
        loaded.cleanUp();
    }
}

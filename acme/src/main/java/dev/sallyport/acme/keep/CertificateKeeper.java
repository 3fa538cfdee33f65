package dev.sallyport.acme.keep;

import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.store.AcmeStore;
import dev.sallyport.acme.store.CertificateId;
import java.time.InstantSource;
import java.util.Collection;

/**
 * Keeps the certificates that are wanted: one thread decides, orders run on virtual threads. All
 * methods: from any thread, at once.
 */
@SuppressWarnings("unused") // written next
public final class CertificateKeeper implements AutoCloseable {

    /** What was asked for by a person came to this. */
    public enum Answer {
        /** It is being done. */
        ACCEPTED,
        /** There is no certificate of that id that is wanted or stored. */
        UNKNOWN,
        /** Another replica decides. */
        NOT_LEADING
    }

    private CertificateKeeper() {}

    /**
     * Makes one that is not started.
     *
     * @param store where accounts, orders, certificates and what is remembered are kept
     * @param board where challenges are shown
     */
    public static CertificateKeeper of(
            KeeperSettings settings, AcmeStore store, ChallengeBoard board, InstantSource clock) {
        return new CertificateKeeper();
    }

    /** Starts the thread {@code acme}. Nothing is decided before the first {@link #want}. */
    public void start() {}

    /** What is wanted from now on: all of it. */
    public void want(Collection<Wish> wishes) {}

    /**
     * Whether this process decides; it does not until it is told so. Told that it does not, it ends
     * its orders where they are: whoever leads next goes on with them.
     */
    public void lead(boolean leads) {}

    /** What is known now. */
    public KeeperState state() {
        return KeeperState.EMPTY;
    }

    /** Has {@code listener} called after each change of {@link #state}; it is not to block. */
    public void whenChanged(Runnable listener) {}

    /** Has a certificate renewed at once, whatever the plan; the CA's limits go on counting. */
    public Answer renew(CertificateId id) {
        return Answer.UNKNOWN;
    }

    /** Has the CA revoke the certificate that is stored, then orders another if it is wanted. */
    public Answer revoke(CertificateId id, boolean keyCompromised) {
        return Answer.UNKNOWN;
    }

    /** Ends orders where they are, and the thread. Takes some seconds at most. */
    @Override
    public void close() {}
}

package dev.sallyport.acme.challenge;

import dev.sallyport.acme.plan.Identifier;
import java.time.Duration;

/**
 * Where proofs are shown to the CA. Safe from any thread; each proof is presented and withdrawn by
 * one thread.
 */
public interface ChallengeBoard {

    /** Whether a proof of this type can be shown for an identifier. */
    boolean takes(ChallengeType type, Identifier identifier);

    /**
     * Shows a proof. Returns only when whoever the CA may ask answers with it, found out by asking
     * them: validation never races with what it looks for.
     *
     * @param patience how long that may take
     * @throws NotPresentedException where not everybody answered in time; withdrawn by the caller
     *     all the same
     */
    void present(Proof proof, Duration patience) throws NotPresentedException, InterruptedException;

    /**
     * Shows it no more; does nothing where it was not shown. Does not fail: what stays is harmless.
     */
    void withdraw(Proof proof);
}

package dev.sallyport.control.leader;

import java.util.Optional;

/**
 * The Lease that candidates share. Every write is checked against the version that was read or
 * written last: of two that write at once, one does not succeed.
 *
 * <p>Methods throw unchecked exceptions where the API server cannot be asked, and then it is not
 * known whether a write took place.
 */
interface LeaseStore {

    /** The Lease as it is; empty where there is none. */
    Optional<LeaseRecord> read() throws InterruptedException;

    /** Makes the Lease. */
    Outcome create(LeaseRecord lease) throws InterruptedException;

    /** Writes over what was read or written last. */
    Outcome replace(LeaseRecord lease) throws InterruptedException;

    /** What became of a write. */
    enum Outcome {
        /** It took place. */
        WRITTEN,
        /** Somebody else wrote before: read again. */
        OUTRUN,
        /** There is no Lease any more. */
        GONE
    }
}

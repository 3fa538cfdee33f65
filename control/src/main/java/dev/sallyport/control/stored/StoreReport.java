package dev.sallyport.control.stored;

import java.time.Instant;
import java.util.Optional;

/**
 * How it stands with the last known good state. Immutable.
 *
 * @param wanted whether any is kept
 * @param staleSince from when what is served is, if it was read from the file and the API server
 *     has not answered since the start
 * @param storedAsOf from when the state in the file is, once one was written or read
 * @param bytes the size of the file that was written last
 * @param writes how often it was written
 * @param failures how often that failed
 */
public record StoreReport(
        boolean wanted,
        Optional<Instant> staleSince,
        Optional<Instant> storedAsOf,
        long bytes,
        long writes,
        long failures) {

    /** None is kept. */
    public static final StoreReport NONE =
            new StoreReport(false, Optional.empty(), Optional.empty(), 0, 0, 0);
}

package dev.sallyport.control.source;

import org.jspecify.annotations.Nullable;

/**
 * Where a file stands between the disk and what is served of it. Times are nanoseconds of the
 * source's clock. Immutable; {@link Patience} has the transitions.
 */
sealed interface FileState {

    /**
     * It is served, or reported, as it is.
     *
     * @param stamp when it was read
     * @param since when
     * @param sure whether it was compared long after {@code since}: no later change hides behind
     *     the coarse clock of the file system
     */
    record Settled(FileStamp stamp, long since, boolean sure) implements FileState {}

    /**
     * It changed, or what was read of it is in doubt. Read again when it has been still.
     *
     * @param stamp as last seen; null while it can not be seen
     * @param since when it was last seen changing
     * @param began when the unrest began
     * @param slow whether its writer pauses, or contents were in doubt: it has to be still for
     *     longer, and is believed then
     */
    record Changing(@Nullable FileStamp stamp, long since, long began, boolean slow)
            implements FileState {}

    /**
     * It is gone.
     *
     * @param since when that was first seen
     */
    record Missing(long since) implements FileState {}

    /**
     * It can not be read, which was reported. Permissions leave no trace in the stamp, so it is
     * tried again at every look; there is one with every poll.
     *
     * @param stamp when it was tried; null where not even that can be had
     */
    record Barred(@Nullable FileStamp stamp) implements FileState {}
}

package dev.sallyport.control.source;

import dev.sallyport.control.source.FileState.Barred;
import dev.sallyport.control.source.FileState.Changing;
import dev.sallyport.control.source.FileState.Missing;
import dev.sallyport.control.source.FileState.Settled;
import dev.sallyport.control.source.Step.Trust;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * When a file that changes is read, believed and forgotten. Pure: times come in.
 *
 * <p>The system does not say when a writer is done, so stillness has to. A writer over a network
 * pauses for longer than anybody wants to wait for a file that was written at once; hence two
 * measures, and a look at the contents (see {@link FolderFiles}) that tells which one applies.
 *
 * @param settle after this stillness a file is read, and believed if it looks complete
 * @param grace after this stillness it is believed, whatever it is; after this absence it is gone
 */
record Patience(long settle, long grace) {
    /** A file that is written all the time is read in its pauses after this. */
    private static final long LONGEST_UNREST = TimeUnit.SECONDS.toNanos(10);

    private static final long COARSE_CLOCK = TimeUnit.SECONDS.toNanos(3); // FAT keeps 2 s

    static Patience of(Duration settle, Duration grace) {
        return new Patience(settle.toNanos(), grace.toNanos());
    }

    /**
     * What to do after a look.
     *
     * @param state null for a file that is not known
     */
    Step look(@Nullable FileState state, Sight sight, long now) {
        return switch (sight) {
            case Sight.Absent _ -> absent(state, now);
            case Sight.Hidden(String reason) -> hidden(state, reason, now);
            case Sight.Present(FileStamp stamp, Notice notice) ->
                    present(state, stamp, notice, now);
        };
    }

    /** When to look again, unless something happens before; empty where the poll is enough. */
    OptionalLong due(FileState state) {
        return switch (state) {
            case Changing changing -> OptionalLong.of(due(changing));
            case Missing(long since) -> OptionalLong.of(since + grace);
            case Settled _, Barred _ -> OptionalLong.empty();
        };
    }

    /** The state of a file whose contents are in doubt after a reading. */
    Changing doubted(@Nullable FileState before, FileStamp stamp, long now) {
        long since = before instanceof Changing changing ? changing.since() : now;
        return new Changing(stamp, since, now, true);
    }

    /** The state of a file that was found equal to what was read before. */
    Settled compared(Settled state, long now) {
        return new Settled(state.stamp(), state.since(), now - state.since() > COARSE_CLOCK);
    }

    /**
     * Whether a missing file is kept, for what it had may be in another one.
     *
     * @param unrest since when the other one changes; it is not read yet
     * @param overdue since when the missing one is to be forgotten
     */
    boolean isAwaited(Missing missing, long unrest, long overdue, long now) {
        return unrest - missing.since() > -grace // two folders tell a move in either order
                && unrest - overdue <= 0
                && now - overdue < LONGEST_UNREST;
    }

    private Step absent(@Nullable FileState state, long now) {
        return switch (state) {
            case null -> new Step.Forget();
            case Missing(long since) when now - since >= grace -> new Step.Forget();
            case Missing missing -> new Step.Stay(missing);
            case Settled _, Changing _, Barred _ -> new Step.Stay(new Missing(now));
        };
    }

    private Step hidden(@Nullable FileState state, String reason, long now) {
        return switch (state) {
            case null -> new Step.Report(new Barred(null), reason);
            case Barred _ -> new Step.Report(new Barred(null), reason);
            case Changing changing when changing.stamp() == null ->
                    now - due(changing) >= 0
                            ? new Step.Report(new Barred(null), reason)
                            : new Step.Stay(changing);
            case Settled _, Changing _, Missing _ ->
                    new Step.Stay(new Changing(null, now, now, true));
        };
    }

    private Step present(@Nullable FileState state, FileStamp stamp, Notice notice, long now) {
        return switch (state) {
            case null -> new Step.Stay(new Changing(stamp, now, now, false));
            // Made anew, not put in place by a rename: it may be half of a file.
            case Missing _ -> new Step.Stay(new Changing(stamp, now, now, false));
            case Barred(FileStamp tried) when stamp.equals(tried) ->
                    new Step.Read(stamp, Trust.FINAL);
            case Barred _ -> new Step.Stay(new Changing(stamp, now, now, false));
            case Changing changing -> changing(changing, stamp, notice, now);
            case Settled settled -> settled(settled, stamp, notice, now);
        };
    }

    private Step changing(Changing state, FileStamp stamp, Notice notice, long now) {
        if (isWhole(state.stamp(), stamp, notice)) {
            return new Step.Read(stamp, Trust.WHOLE);
        }
        if (!stamp.equals(state.stamp()) || notice == Notice.WRITTEN) {
            return new Step.Stay(new Changing(stamp, now, state.began(), state.slow()));
        }
        if (now - due(state) < 0) {
            return new Step.Stay(state);
        }
        return new Step.Read(stamp, isPatient(state) ? Trust.FINAL : Trust.TENTATIVE);
    }

    private Step settled(Settled state, FileStamp stamp, Notice notice, long now) {
        if (stamp.equals(state.stamp()) && notice != Notice.WRITTEN) {
            return state.sure() ? new Step.Stay(state) : new Step.Compare(state);
        }
        if (isWhole(state.stamp(), stamp, notice)) {
            return new Step.Read(stamp, Trust.WHOLE);
        }
        boolean wentOn = now - state.since() < grace; // what was read was not all
        return new Step.Stay(new Changing(stamp, now, now, wentOn));
    }

    /** Another file has taken the place of one that was seen there: no writer made it there. */
    private static boolean isWhole(@Nullable FileStamp before, FileStamp now, Notice notice) {
        return notice == Notice.RENAMED
                && before != null
                && before.replacedBy(now)
                && now.size() > 0;
    }

    private long due(Changing state) {
        return state.since() + (isPatient(state) ? grace : settle);
    }

    private static boolean isPatient(Changing state) {
        return state.slow() && state.since() - state.began() < LONGEST_UNREST;
    }
}

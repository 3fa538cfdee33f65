package dev.sallyport.control.stored;

import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the file at what is served. Confined to one thread, but for {@link #report}. It costs at
 * most a twentieth of a core, however much changes and however large the state is.
 */
final class StateKeeper {
    private static final Logger LOG = LoggerFactory.getLogger(StateKeeper.class);

    /** How old the time in the file may become while nothing changes. */
    private static final Duration UNCHANGED = Duration.ofMinutes(5);

    /** How long a start that has not found all Secrets yet does not write over what is stored. */
    private static final Duration WHOLE = Duration.ofMinutes(5);

    /** A pause is at least so many times as long as the writing before it. */
    private static final int SHARE = 20;

    private final StateFile file;
    private final StateSelection selection;
    private final Supplier<ControlState> served;
    private final Supplier<Optional<Duration>> sinceLastLook;
    private final Consumer<SourceUpdate> findings;
    private final InstantSource time;
    private final LongSupplier nanoTime;
    private long written; // the version of the snapshot in the file
    private List<Finding> refusals = List.of(); // of the data plane, at that time
    private Instant asOf = Instant.MIN;
    private boolean whole; // whether there was a state in which all was found that is referred to
    private @Nullable Long partialSince; // since when there is a state, and none of these
    private long notBefore;
    private boolean failing;
    private volatile StoreReport report =
            new StoreReport(true, Optional.empty(), Optional.empty(), 0, 0, 0);

    StateKeeper(
            StateFile file,
            StateSelection selection,
            Supplier<ControlState> served,
            Supplier<Optional<Duration>> sinceLastLook,
            Consumer<SourceUpdate> findings,
            InstantSource time,
            LongSupplier nanoTime) {
        this.file = file;
        this.selection = selection;
        this.served = served;
        this.sinceLastLook = sinceLastLook;
        this.findings = findings;
        this.time = time;
        this.nanoTime = nanoTime;
        this.notBefore = nanoTime.getAsLong();
    }

    /** How often it was written, and how that went. Safe from any thread. */
    StoreReport report() {
        return report;
    }

    /** Writes if there is something new, and the last time was long enough ago. */
    void look() {
        if (nanoTime.getAsLong() - notBefore >= 0) {
            writeIfNew();
        }
    }

    /** Writes if there is something new. Never throws for what disks do. */
    void writeIfNew() {
        ControlState state = served.get();
        long version = state.snapshot().version();
        Instant known = time.instant().minus(sinceLastLook.get().orElse(Duration.ZERO));
        // Of a clock that was set back too.
        boolean old = Duration.between(asOf, known).abs().compareTo(UNCHANGED) >= 0;
        // The data plane may refuse a certificate after the round that brought it.
        boolean same = version == written && state.applied().findings().equals(refusals) && !old;
        if (version == 0 || state.stale() || !isWhole(state) || same) {
            return;
        }
        long began = nanoTime.getAsLong();
        try {
            long bytes = file.write(selection.of(state, known));
            written = version;
            refusals = state.applied().findings();
            asOf = known;
            succeeded(bytes);
        } catch (IOException | RuntimeException failed) {
            failed(failed);
        }
        long ended = nanoTime.getAsLong();
        notBefore = ended + SHARE * (ended - began);
    }

    /** A start that has not found all yet knows less than the file may. */
    private boolean isWhole(ControlState state) {
        if (!whole) {
            long now = nanoTime.getAsLong();
            long since = Objects.requireNonNullElse(partialSince, now);
            partialSince = since;
            whole = state.sought() == 0 || now - since >= WHOLE.toNanos();
        }
        return whole;
    }

    private void succeeded(long bytes) {
        if (failing || report.writes() == 0) {
            LOG.atInfo()
                    .addKeyValue("bytes", bytes)
                    .addKeyValue("asOf", asOf)
                    .log("The served state is stored");
            findings.accept(new SourceUpdate(List.of(), Map.of(StaleStart.FILE_STEP, List.of())));
        }
        failing = false;
        report =
                new StoreReport(
                        true,
                        Optional.empty(),
                        Optional.of(asOf),
                        bytes,
                        report.writes() + 1,
                        report.failures());
    }

    private void failed(Exception why) {
        if (!failing) {
            LOG.atWarn()
                    .setCause(why instanceof RuntimeException ? why : null)
                    .addKeyValue("text", String.valueOf(why))
                    .log("The served state cannot be stored; the file before stays");
            findings.accept(
                    new SourceUpdate(
                            List.of(), Map.of(StaleStart.FILE_STEP, List.of(notWritten(why)))));
        }
        failing = true;
        report =
                new StoreReport(
                        true,
                        Optional.empty(),
                        report.storedAsOf(),
                        report.bytes(),
                        report.writes(),
                        report.failures() + 1);
    }

    private static Finding notWritten(Exception why) {
        return Finding.of(
                Reason.STORED_STATE_NOT_WRITTEN,
                LastKnownGood.REF,
                "the served state cannot be stored: " + why + "; the file before stays",
                "Look for a full or read-only disk, and for another gateway that uses the file.");
    }
}

package dev.sallyport.control.stored;

import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last known good state on disk: a sealed file is kept at what is served, and is put in service
 * where the gateway starts while the API server does not answer.
 *
 * <p>Stands between a source and the reconciler. Everything that touches the disk is done by the
 * one thread {@code last-known-good}; {@link #submit} never waits for it.
 */
public final class LastKnownGood implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LastKnownGood.class);

    /** What findings are about. */
    public static final ObjectRef REF = ObjectRef.gateway("last-known-good");

    /** How long the last writing may take when the process ends. */
    private static final Duration AT_THE_END = Duration.ofSeconds(10);

    /** Between two looks at whether the source has spoken. */
    private static final Duration LOOK = Duration.ofMillis(50);

    /** A source that was silent for so long is likely to remain so: the file is read meanwhile. */
    private static final Duration DOUBT = Duration.ofMillis(500);

    /** A source that is heard of is waited for, but so many times the patience at most. */
    private static final int PATIENCES = 15;

    /** Whose objects are served. All methods: from any thread. */
    public interface Source {
        /** How long ago anything was heard of it, if ever. */
        Optional<Duration> sinceHeard();

        /** Why it cannot be reached, if that was tried in vain. */
        Optional<String> unreachable();

        /**
         * What is needed and was refused for so long without a break, for people: a right is
         * missing, which waiting does not mend.
         */
        Optional<String> refused(Duration atLeast);

        /** How long ago it was known that nothing goes unseen; empty while it has told nothing. */
        Optional<Duration> sinceLastLook();

        /**
         * These are in service though it has not told of them: its first update takes back those
         * that it does not have.
         *
         * @param age how long ago they were as they are in service
         */
        void expect(Collection<Resource> inService, Duration age);
    }

    private final StoreSettings settings;
    private final Executor parsers;
    private final Source source;
    private final StateFile file;
    private final StaleStart start;
    private final StateKeeper keeper;
    private final ScheduledThreadPoolExecutor thread;
    private long began; // this and the next three: confined to the thread
    private boolean read;
    private boolean refused; // which was said
    private Optional<Parsed<StoredState>> stored = Optional.empty(); // once it was read

    /**
     * Nothing is read or written before {@link #start}.
     *
     * @param translation which objects are worth storing
     * @param parsers read the file side by side
     * @param sink the reconciler
     * @param state what it put in service last, and of what that was made; safe from any thread
     * @param random for what a key must not be used with twice
     */
    public LastKnownGood(
            StoreSettings settings,
            TranslationSettings translation,
            Executor parsers,
            Source source,
            Consumer<SourceUpdate> sink,
            Supplier<ControlState> state,
            InstantSource time,
            SecureRandom random) {
        this.settings = settings;
        this.parsers = parsers;
        this.source = source;
        this.file = new StateFile(settings.file(), settings.key(), random);
        this.start =
                new StaleStart(
                        sink,
                        source::expect,
                        translation.defaultCertificate(),
                        translation.acme(),
                        time);
        this.keeper =
                new StateKeeper(
                        file,
                        new StateSelection(translation),
                        state,
                        source::sinceLastLook,
                        sink,
                        time,
                        System::nanoTime);
        this.thread =
                new ScheduledThreadPoolExecutor(
                        1, Thread.ofPlatform().daemon().name("last-known-good").factory());
    }

    /** From now on the source is waited for. */
    public void start() {
        thread.execute(
                guarded(() -> {
                    began = System.nanoTime();
                    awaitSource();
                }));
        var _ =
                thread.scheduleWithFixedDelay(
                        guarded(keeper::look),
                        settings.interval().toNanos(),
                        settings.interval().toNanos(),
                        TimeUnit.NANOSECONDS);
    }

    /** Hands over what the source saw. */
    public void submit(SourceUpdate update) {
        start.submit(update);
    }

    /** How it stands. Safe from any thread. */
    public StoreReport report() {
        StoreReport kept = keeper.report();
        return new StoreReport(
                true,
                start.staleSince(),
                start.staleSince().or(kept::storedAsOf),
                kept.bytes(),
                kept.writes(),
                kept.failures());
    }

    /** Stores what is served if that is not yet done, and waits for it for some seconds. */
    @Override
    public void close() {
        Future<?> last =
                thread.submit(
                        guarded(() -> {
                            keeper.writeIfNew();
                            file.close();
                        }));
        try {
            var _ = last.get(AT_THE_END.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException slow) {
            LOG.atWarn().log("The served state was not stored in time; the file before stays");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        thread.shutdownNow();
    }

    /** Looks again and again until the source has spoken, or there is no use in waiting for it. */
    private void awaitSource() {
        if (!start.isFresh()) {
            Duration waited = Duration.ofNanos(System.nanoTime() - began);
            Optional<String> why = given(waited);
            boolean doubtful =
                    !refused && source.sinceHeard().isEmpty() && waited.compareTo(doubt()) >= 0;
            if (!read && (doubtful || why.isPresent())) {
                read = true;
                stored = file.read(parsers);
            }
            if (why.isEmpty()) {
                var _ =
                        thread.schedule(
                                guarded(this::awaitSource), LOOK.toNanos(), TimeUnit.NANOSECONDS);
                return;
            }
            start.fallBack(stored, why.get());
        }
        stored = Optional.empty();
    }

    /** Why the source is not waited for any longer. */
    private Optional<String> given(Duration waited) {
        if (isRefused()) {
            return Optional.empty();
        }
        Optional<String> unreachable = source.unreachable();
        if (unreachable.isPresent()) {
            return unreachable;
        }
        Duration silent =
                source.sinceHeard().filter(since -> since.compareTo(waited) < 0).orElse(waited);
        boolean over =
                silent.compareTo(settings.patience()) >= 0
                        || waited.compareTo(settings.patience().multipliedBy(PATIENCES)) >= 0;
        return over ? Optional.of("no list for " + waited.toMillis() + " ms") : Optional.empty();
    }

    /**
     * Whether the source is refused what it needs. It is no outage then: a Pod that lacks a right
     * must not become ready, or a rolling update would replace by it those that have it.
     */
    private boolean isRefused() {
        Optional<String> what = source.refused(Duration.ZERO);
        if (what.isPresent() && !refused) {
            LOG.atWarn()
                    .addKeyValue("cause", what.get())
                    .log("The API server refuses a right: the stored state is not served instead");
        }
        refused = what.isPresent();
        return refused;
    }

    private Duration doubt() {
        return settings.patience().compareTo(DOUBT) < 0 ? settings.patience() : DOUBT;
    }

    /** A task that throws would be the last of its schedule. */
    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException | Error bug) {
                LOG.atError().setCause(bug).log("A bug in what stores the last known good state");
            }
        };
    }
}

package dev.sallyport.control.source;

import dev.sallyport.control.resource.SourceUpdate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder of manifests as an API server.
 *
 * <p>What is new is told as soon as it is whole; what is gone is told once it has stayed away for a
 * moment, since editors remove and re-create files and shells truncate before they write. {@link
 * FolderFiles} has the rules.
 */
public final class FolderSource implements AutoCloseable {
    /*
     * Concurrency: everything is confined to the thread `folder-watcher`, but for the latch and
     * the time of the last look (volatile).
     */
    private static final Logger log = LoggerFactory.getLogger(FolderSource.class);
    private static final Duration AFTER_A_BUG = Duration.ofSeconds(1);
    private static final Duration LONGEST_CLOSE = Duration.ofSeconds(5); // a disk may hang
    private static final int POLL_SHARE = 20; // polling takes a twentieth of one core at most

    private final FolderSettings settings;
    private final Consumer<SourceUpdate> sink;
    private final Executor readers;
    private final LongSupplier nanoTime;
    private final FolderFiles files;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;
    private @Nullable FolderNotifications notifications;
    private boolean read; // everything, once
    private boolean told; // what was read first
    private volatile @Nullable Long lastLook;

    /**
     * A source that is not started.
     *
     * @param root the folder; may appear later
     * @param sink called on the thread {@code folder-watcher}: once when everything is read, then
     *     for every change
     * @param readers reads files side by side, when everything is read
     * @param nanoTime nanoseconds since any moment, for instance {@code System::nanoTime}
     */
    public FolderSource(
            Path root,
            FolderSettings settings,
            Consumer<SourceUpdate> sink,
            Executor readers,
            LongSupplier nanoTime) {
        this(root, settings, sink, readers, nanoTime, FileAccess.SYSTEM);
    }

    FolderSource(
            Path root,
            FolderSettings settings,
            Consumer<SourceUpdate> sink,
            Executor readers,
            LongSupplier nanoTime,
            FileAccess access) {
        this.settings = settings;
        this.sink = sink;
        this.readers = readers;
        this.nanoTime = nanoTime;
        this.files = new FolderFiles(root, settings, access, nanoTime, this::watch);
        this.thread = Thread.ofPlatform().name("folder-watcher").daemon().unstarted(this::run);
    }

    /**
     * Reads a folder once. Blocks.
     *
     * @param readers reads files side by side
     */
    public static SourceUpdate read(Path root, FolderSettings settings, Executor readers) {
        var files = new FolderFiles(root, settings, FileAccess.SYSTEM, () -> 0, _ -> {});
        files.readAll(readers);
        return files.drain();
    }

    /** Starts the thread. */
    public void start() {
        thread.start();
    }

    /**
     * How long ago the whole folder was last compared with what is served, successfully or not;
     * empty until it was read. Much more than {@link FolderSettings#pollInterval} means that
     * changes are no longer seen. Safe from any thread.
     */
    public Optional<Duration> sinceLastLook() {
        Long at = lastLook;
        return at == null
                ? Optional.empty()
                : Optional.of(Duration.ofNanos(nanoTime.getAsLong() - at));
    }

    /**
     * Stops the thread and waits until it has ended, five seconds at most. The sink is not called
     * any more, unless it is being called.
     */
    @Override
    public void close() {
        closed.countDown();
        if (!thread.isAlive() || Thread.currentThread() == thread) {
            return;
        }
        thread.interrupt();
        try {
            if (!thread.join(LONGEST_CLOSE)) {
                log.atWarn().log("The folder is still being read; its thread is left behind");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        notifications = settings.notifications() ? FolderNotifications.open() : null;
        try {
            long poll = nanoTime.getAsLong();
            while (closed.getCount() > 0) {
                poll = turn(poll);
            }
        } catch (InterruptedException _) {
            log.atDebug().log("The folder is no longer watched");
        } finally {
            if (notifications != null) {
                notifications.close();
            }
        }
    }

    /** Waits for changes and tells them; returns when to poll next. Outermost handler for bugs. */
    private long turn(long poll) throws InterruptedException {
        long nextPoll = poll;
        try {
            if (read) {
                await(Math.max(0, files.nextDue(poll) - nanoTime.getAsLong()));
            }
            long now = nanoTime.getAsLong();
            if (!read || now - poll >= 0) {
                nextPoll = now + settings.pollInterval().toNanos();
                if (read) {
                    files.scan();
                } else {
                    files.readAll(readers);
                    read = true; // not before: a part of the folder is not told as all of it
                }
                lastLook = nanoTime.getAsLong();
                nextPoll = nextPoll(now);
            }
            files.lookAtDue();
            SourceUpdate update = files.drain();
            if (closed.getCount() > 0 && (!told || !update.isEmpty())) {
                told = true;
                sink.accept(update);
            }
        } catch (RuntimeException | Error bug) {
            log.atError()
                    .setCause(bug)
                    .log("A bug ended one look at the folder; it is looked at on");
            pause(AFTER_A_BUG); // it may come again at once
        }
        return nextPoll;
    }

    /** Comparing a large folder takes time. */
    private long nextPoll(long began) {
        long now = nanoTime.getAsLong();
        return now + Math.max(settings.pollInterval().toNanos(), POLL_SHARE * (now - began));
    }

    private void await(long nanos) throws InterruptedException {
        if (notifications == null) {
            pause(Duration.ofNanos(nanos));
        } else {
            files.take(notifications.await(Duration.ofNanos(nanos)));
        }
    }

    private void pause(Duration time) throws InterruptedException {
        if (closed.await(time.toNanos(), TimeUnit.NANOSECONDS)) {
            throw new InterruptedException("closed");
        }
    }

    private void watch(Path folder) {
        if (notifications != null) {
            notifications.watch(folder);
        }
    }
}

package dev.sallyport.control.source;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The system's notifications of changes in folders (inotify on Linux). Best effort: what it misses,
 * the poll sees. Used by one thread, closed by any.
 */
final class FolderNotifications implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FolderNotifications.class);

    private final WatchService service;
    private final Map<WatchKey, Set<Path>> folders = new HashMap<>(); // a folder may have two paths
    private boolean complained;

    private FolderNotifications(WatchService service) {
        this.service = service;
    }

    /**
     * Something changed in a folder.
     *
     * @param name of what changed; null where that is not known
     * @param written whether it was written to, rather than renamed, made or removed
     */
    record Change(Path folder, @Nullable Path name, boolean written) {
        /** Anything may have changed. */
        static Change of(Path folder) {
            return new Change(folder, null, false);
        }
    }

    /** Null where the system has none; the poll remains. */
    static @Nullable FolderNotifications open() {
        try {
            return new FolderNotifications(FileSystems.getDefault().newWatchService());
        } catch (IOException | UnsupportedOperationException e) {
            log.atWarn().setCause(e).log("No file notifications: changes are seen by polling only");
            return null;
        }
    }

    /** Has changes in a folder told; does nothing where they are already. */
    void watch(Path folder) {
        try {
            WatchKey key =
                    folder.register(
                            service,
                            StandardWatchEventKinds.ENTRY_CREATE,
                            StandardWatchEventKinds.ENTRY_MODIFY,
                            StandardWatchEventKinds.ENTRY_DELETE);
            folders.computeIfAbsent(key, _ -> new HashSet<>()).add(folder);
        } catch (IOException e) {
            if (!complained) {
                complained = true;
                log.atWarn()
                        .addKeyValue("folder", folder)
                        .setCause(e)
                        .log("No file notifications for a folder: changes are seen by polling");
            }
        }
    }

    /** Waits for changes; empty when the time is over. */
    Set<Change> await(Duration timeout) throws InterruptedException {
        Set<Change> changes = new LinkedHashSet<>();
        WatchKey key = service.poll(timeout.toNanos(), TimeUnit.NANOSECONDS);
        while (key != null) {
            List<WatchEvent<?>> events = key.pollEvents();
            Set<Path> watched = folders.getOrDefault(key, Set.of());
            for (WatchEvent<?> event : events) {
                boolean written = event.kind().equals(StandardWatchEventKinds.ENTRY_MODIFY);
                Path name = event.context() instanceof Path path ? path : null;
                watched.forEach(folder -> changes.add(new Change(folder, name, written)));
            }
            if (!key.reset()) {
                watched.forEach(folder -> changes.add(Change.of(folder)));
                folders.remove(key);
            }
            key = service.poll();
        }
        return changes;
    }

    @Override
    public void close() {
        try {
            service.close();
        } catch (IOException e) {
            log.atDebug().setCause(e).log("Closing the file notifications failed");
        }
    }
}

package dev.sallyport.control.source;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The system's notifications of changes in folders (inotify on Linux). Best effort: what it misses,
 * the poll sees. Confined to the folder's thread.
 */
final class FolderNotifications implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FolderNotifications.class);

    private static final int MAX_KEYS = 1_000; // a busy writer must not hold up everything

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
     * @param notice all that is known of it
     */
    record Change(Path folder, @Nullable Path name, Notice notice) {}

    private record Place(Path folder, @Nullable Path name) {}

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

    /** Waits for changes, at most one for each name; empty when the time is over. */
    List<Change> await(Duration timeout) throws InterruptedException {
        Map<Place, Notice> notices = new LinkedHashMap<>();
        WatchKey key = service.poll(timeout.toNanos(), TimeUnit.NANOSECONDS);
        for (int keys = 1; key != null; keys++) {
            List<WatchEvent<?>> events = key.pollEvents();
            Set<Path> watched = folders.getOrDefault(key, Set.of());
            for (WatchEvent<?> event : events) {
                Path name = event.context() instanceof Path path ? path : null;
                for (Path folder : watched) {
                    notices.merge(new Place(folder, name), notice(event), Notice::and);
                }
            }
            if (!key.reset()) {
                watched.forEach(folder -> notices.put(new Place(folder, null), Notice.NONE));
                folders.remove(key);
            }
            key = keys < MAX_KEYS ? service.poll() : null;
        }
        List<Change> changes = new ArrayList<>(notices.size());
        notices.forEach((at, notice) -> {
            boolean lost = at.name != null && notices.containsKey(new Place(at.folder, null));
            changes.add(new Change(at.folder, at.name, lost ? Notice.WRITTEN : notice));
        });
        return changes;
    }

    /**
     * A rename onto a name looks as if the name were new. So does a file made anew, but that is
     * written to, and what had the name was removed.
     */
    private static Notice notice(WatchEvent<?> event) {
        if (event.kind().equals(StandardWatchEventKinds.OVERFLOW)) {
            return Notice.NONE;
        }
        return event.kind().equals(StandardWatchEventKinds.ENTRY_CREATE)
                ? Notice.RENAMED
                : Notice.WRITTEN;
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

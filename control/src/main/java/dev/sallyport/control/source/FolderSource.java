package dev.sallyport.control.source;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder of manifests as an API server.
 *
 * <p>What is new is told at once; what is gone is told once it has stayed away for a moment, since
 * editors remove and re-create files and shells truncate before they write. The rules, for a file
 * that looks different from when it was last read:
 *
 * <ol>
 *   <li>Another file has taken its place (a rename, a kubelet's {@code ..data}): it is whole, and
 *       read at once.
 *   <li>It was written in place or is new: it is read when it has been still for {@link
 *       FolderSettings#settle}.
 *   <li>It cannot be read or parsed, is empty, or lacks an object that it had: what was good of it
 *       stays for {@link FolderSettings#vanishGrace}. After that, missing objects are gone; of an
 *       unreadable, unparsable or empty file the last good objects stay for good, with a finding.
 * </ol>
 */
public final class FolderSource implements AutoCloseable {
    /*
     * Concurrency: everything is confined to the thread `folder-watcher`, but for the latch and
     * what FolderNotifications shares with the system.
     */
    private static final Logger log = LoggerFactory.getLogger(FolderSource.class);
    private static final long LONGEST_UNREST = TimeUnit.SECONDS.toNanos(1);
    private static final long COARSE_CLOCK = TimeUnit.SECONDS.toNanos(3); // FAT keeps 2 s
    private static final String FOLDER = "folder ";
    private static final byte[] NONE = {};
    private static final FileStamp NEVER = new FileStamp(FileTime.fromMillis(0), -1, null, false);

    private final Path root;
    private final FolderSettings settings;
    private final Consumer<SourceUpdate> sink;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;

    private final ObjectTable table = new ObjectTable();
    private final TreeMap<Path, KnownFile> known = new TreeMap<>();
    private final Map<Path, Pending> pending = new LinkedHashMap<>();
    private final Map<Path, Path> linkTargets = new HashMap<>(); // link to the folder it leads into
    private final Map<Path, Set<Path>> linkedFrom = new HashMap<>(); // the same, the other way
    private @Nullable FolderNotifications notifications;

    /** A file that was read. */
    private static final class KnownFile {
        @Nullable FileStamp stamp; // when last read; null: never could be
        byte[] contents = NONE; // a digest
        long changedAt; // nanoseconds: when a change was last seen
        boolean sure; // read again long after the change: no later change hides behind the clock
    }

    /** A file that must be looked at again. */
    private static final class Pending {
        final long since;
        long due;
        @Nullable FileStamp stamp;
        boolean grace; // waits for vanishGrace, not for settle

        Pending(long since, long due, @Nullable FileStamp stamp, boolean grace) {
            this.since = since;
            this.due = due;
            this.stamp = stamp;
            this.grace = grace;
        }
    }

    /**
     * A source that is not started.
     *
     * @param root the folder; may appear later
     * @param sink called on the thread {@code folder-watcher}: once when everything is read, then
     *     for every change
     */
    public FolderSource(Path root, FolderSettings settings, Consumer<SourceUpdate> sink) {
        this.root = root;
        this.settings = settings;
        this.sink = sink;
        this.thread = Thread.ofPlatform().name("folder-watcher").daemon().unstarted(this::run);
    }

    /** Reads a folder once, on the caller's thread. */
    public static SourceUpdate read(Path root, FolderSettings settings) {
        var source = new FolderSource(root, settings, _ -> {});
        source.scan(root, true);
        return source.table.drain();
    }

    /** Starts the thread. */
    public void start() {
        thread.start();
    }

    /** Stops the thread. */
    @Override
    public void close() {
        closed.countDown();
        FolderNotifications watched = notifications;
        if (watched != null) {
            watched.close();
        }
        if (thread.isAlive() && Thread.currentThread() != thread) {
            thread.interrupt();
        }
    }

    private void run() {
        if (settings.notifications()) {
            notifications = FolderNotifications.open();
        }
        try {
            long poll = System.nanoTime();
            boolean first = true;
            while (closed.getCount() > 0) {
                poll = turn(poll, first);
                first = false;
            }
        } catch (InterruptedException | ClosedWatchServiceException _) {
            log.atDebug().log("The folder is no longer watched");
        } finally {
            if (notifications != null) {
                notifications.close();
            }
        }
    }

    /** Waits for changes and tells them; returns when to poll next. Outermost handler for bugs. */
    private long turn(long poll, boolean first) throws InterruptedException {
        long nextPoll = poll;
        try {
            if (!first) {
                await(Math.max(0, nextDue(poll) - System.nanoTime()));
            }
            long now = System.nanoTime();
            if (now - poll >= 0) {
                nextPoll = now + settings.pollInterval().toNanos();
                scan(root, first);
                nextPoll = nextPoll(now);
            }
            lookAtPending();
            SourceUpdate update = table.drain();
            if (first || !update.isEmpty()) {
                sink.accept(update);
            }
        } catch (ClosedWatchServiceException closing) {
            throw closing;
        } catch (RuntimeException bug) {
            log.atError()
                    .setCause(bug)
                    .log("A bug ended one look at the folder; it is looked at on");
            pending.clear();
        }
        return nextPoll;
    }

    /** Polling a large folder takes time: never more than a twentieth of one core. */
    private long nextPoll(long began) {
        long took = System.nanoTime() - began;
        return System.nanoTime() + Math.max(settings.pollInterval().toNanos(), 20 * took);
    }

    private long nextDue(long poll) {
        long due = poll;
        for (Pending waiting : pending.values()) {
            due = waiting.due - due < 0 ? waiting.due : due;
        }
        return due;
    }

    private void await(long nanos) throws InterruptedException {
        if (notifications == null) {
            if (closed.await(nanos, TimeUnit.NANOSECONDS)) {
                throw new InterruptedException("closed");
            }
            return;
        }
        for (FolderNotifications.Change change : notifications.await(Duration.ofNanos(nanos))) {
            take(change);
        }
    }

    private void take(FolderNotifications.Change change) {
        Path folder = change.folder();
        Path name = change.name();
        List.copyOf(linkedFrom.getOrDefault(folder, Set.of())).forEach(link -> look(link, false));
        if (!folder.startsWith(root) || isHidden(root.relativize(folder))) {
            return; // it is here for the links into it
        }
        if (name == null || name.toString().equals("..data")) {
            scan(folder, false); // too much at once, or everything under a kubelet's folder
            return;
        }
        if (isHidden(name)) {
            return;
        }
        Path path = folder.resolve(name);
        if (Files.isDirectory(path)) {
            scan(path, false);
        } else if (FolderWalk.isManifest(name)) {
            noteLink(path, Files.isSymbolicLink(path));
            if (change.written()) {
                restless(path);
            }
            look(path, false);
        } else {
            filesUnder(path).forEach(file -> look(file, false)); // a folder, until now
        }
    }

    private static boolean isHidden(Path relative) {
        for (Path step : relative) {
            if (step.toString().startsWith(".")) {
                return true;
            }
        }
        return false;
    }

    /** Somebody writes into the file: even one that took another's place may not be whole. */
    private void restless(Path file) {
        if (!pending.containsKey(file)) {
            long now = System.nanoTime();
            pending.put(file, new Pending(now, now + settings.settle().toNanos(), null, false));
        }
    }

    private List<Path> filesUnder(Path folder) {
        List<Path> files = new ArrayList<>();
        for (Path file : known.tailMap(folder, true).keySet()) {
            if (!file.startsWith(folder)) {
                break;
            }
            files.add(file);
        }
        return files;
    }

    /** Compares everything under a folder with what is known. */
    private void scan(Path folder, boolean first) {
        var walk =
                new FolderWalk(settings, this::watch)
                        .walk(folder, root.relativize(folder).getNameCount());
        if (folder.equals(root)) {
            table.say(FOLDER + folder, walk.findings); // of a part, the next poll tells
        }
        walk.files.forEach((file, stamp) -> {
            noteLink(file, walk.links.contains(file));
            look(file, stamp, first);
        });
        for (Path file : filesUnder(folder)) {
            if (!walk.files.containsKey(file)
                    && walk.unreadable.stream().noneMatch(file::startsWith)) {
                look(file, first);
            }
        }
    }

    private void watch(Path folder) {
        if (notifications != null) {
            notifications.watch(folder);
        }
    }

    /** A file behind a symbolic link changes in another folder. */
    private void noteLink(Path file, boolean link) {
        if (notifications == null) {
            return;
        }
        Path target = link ? targetFolder(file) : null;
        Path before = target == null ? linkTargets.remove(file) : linkTargets.put(file, target);
        if (before != null && !before.equals(target)) {
            Set<Path> links = linkedFrom.getOrDefault(before, new HashSet<>());
            links.remove(file);
            if (links.isEmpty()) {
                linkedFrom.remove(before);
            }
        }
        if (target != null && !target.equals(before)) {
            linkedFrom.computeIfAbsent(target, _ -> new HashSet<>()).add(file);
            notifications.watch(target);
        }
    }

    private static @Nullable Path targetFolder(Path link) {
        try {
            return link.toRealPath().getParent();
        } catch (IOException _) {
            return null; // it leads nowhere now; the poll sees when that changes
        }
    }

    private void lookAtPending() {
        long now = System.nanoTime();
        List<Path> due = new ArrayList<>();
        pending.forEach((file, waiting) -> {
            if (now - waiting.due >= 0) {
                due.add(file);
            }
        });
        due.forEach(file -> look(file, false));
    }

    private void look(Path file, boolean first) {
        try {
            look(file, FileStamp.of(file), first);
        } catch (IOException e) {
            Finding why = FolderWalk.unreadable(file, FolderWalk.reason(e));
            troubled(file, NEVER, NONE, why, first);
        }
    }

    private void look(Path file, @Nullable FileStamp stamp, boolean first) {
        KnownFile record = known.get(file);
        if (stamp == null) {
            if (record == null) {
                pending.remove(file);
            } else if (first || graceOver(file, null)) {
                forget(file);
            }
            return;
        }
        long now = System.nanoTime();
        if (record == null) {
            record = new KnownFile();
            record.changedAt = now;
        } else if (stamp.equals(record.stamp) && !pending.containsKey(file)) {
            if (!record.sure && now - record.changedAt >= 0) {
                readAgain(file, record, stamp, now);
            }
            return;
        }
        boolean whole =
                first
                        || (record.stamp != null
                                && record.stamp.replacedBy(stamp)
                                && stamp.size() > 0);
        Pending waiting = pending.get(file);
        boolean graced = waiting != null && waiting.grace && stamp.equals(waiting.stamp);
        if (!whole && !graced && !settled(file, stamp, now)) {
            return;
        }
        read(file, record, stamp, first);
    }

    /** Whether a file looks as it did a moment ago; else it is looked at again. */
    private boolean settled(Path file, FileStamp stamp, long now) {
        Pending waiting = pending.get(file);
        if (waiting == null || waiting.grace) {
            pending.put(file, new Pending(now, now + settings.settle().toNanos(), stamp, false));
            return false;
        }
        if (stamp.equals(waiting.stamp)) {
            return now - waiting.due >= 0;
        }
        waiting.stamp = stamp;
        waiting.due = now + settings.settle().toNanos();
        return now - waiting.since > LONGEST_UNREST;
    }

    /** Whether a loss has lasted; else it is looked at again. */
    private boolean graceOver(Path file, @Nullable FileStamp stamp) {
        long now = System.nanoTime();
        Pending waiting = pending.get(file);
        if (waiting != null && waiting.grace) {
            if (now - waiting.due < 0) {
                return false;
            }
            pending.remove(file);
            return true;
        }
        pending.put(file, new Pending(now, now + settings.vanishGrace().toNanos(), stamp, true));
        return false;
    }

    private void forget(Path file) {
        known.remove(file);
        pending.remove(file);
        noteLink(file, false);
        table.put(file.toString(), Map.of());
        table.say(file.toString(), List.of());
    }

    /** An edit within the same tick of the file system's clock leaves no trace but the contents. */
    private void readAgain(Path file, KnownFile record, FileStamp stamp, long now) {
        try {
            byte[] bytes = contents(file);
            if (bytes != null && !Arrays.equals(digest(bytes), record.contents)) {
                read(file, record, stamp, false);
                return;
            }
        } catch (IOException _) {
            // The stamp tells when that is over.
        }
        record.sure = now - record.changedAt > COARSE_CLOCK;
    }

    private void read(Path file, KnownFile record, FileStamp stamp, boolean first) {
        if (!stamp.regular()) {
            Finding why = FolderWalk.unreadable(file, "not a regular file (expected: a file)");
            troubled(file, stamp, NONE, why, first);
            return;
        }
        byte[] bytes;
        try {
            bytes = contents(file);
        } catch (IOException e) {
            // A change of permissions leaves the stamp as it is: try again at every poll.
            Finding why = FolderWalk.unreadable(file, FolderWalk.reason(e));
            troubled(file, NEVER, NONE, why, first);
            return;
        }
        if (bytes == null) {
            troubled(file, stamp, NONE, tooLarge(file), first);
            return;
        }
        byte[] digest = digest(bytes);
        if (Arrays.equals(digest, record.contents)) {
            remember(file, record, stamp, digest);
            pending.remove(file);
            return;
        }
        if (isBlank(bytes) && !table.objects(file.toString()).isEmpty()) {
            troubled(file, stamp, digest, blank(file), first);
            return;
        }
        try {
            ManifestFile manifest = ManifestReader.read(file.toString(), bytes);
            accept(file, record, stamp, digest, manifest, first);
        } catch (Tree.Malformed malformed) {
            troubled(file, stamp, digest, malformed(file, malformed), first);
        }
    }

    private void accept(
            Path file,
            KnownFile record,
            FileStamp stamp,
            byte[] digest,
            ManifestFile manifest,
            boolean first) {
        Map<ObjectRef, Resource> before = table.objects(file.toString());
        Map<ObjectRef, Resource> objects = new LinkedHashMap<>(manifest.objects());
        boolean lost = false;
        for (Map.Entry<ObjectRef, Resource> old : before.entrySet()) {
            if (!objects.containsKey(old.getKey())) {
                if (manifest.invalid().contains(old.getKey())) {
                    objects.put(old.getKey(), old.getValue()); // as an API server would
                } else {
                    lost = true;
                }
            }
        }
        if (lost && !first && !graceOver(file, stamp)) {
            // What is new counts now; what is missing, when it stays away.
            before.forEach(objects::putIfAbsent);
            table.put(file.toString(), objects);
            table.say(file.toString(), manifest.findings());
            known.putIfAbsent(file, record);
            return;
        }
        pending.remove(file);
        remember(file, record, stamp, digest);
        table.put(file.toString(), objects);
        table.say(file.toString(), manifest.findings());
    }

    private void remember(Path file, KnownFile record, FileStamp stamp, byte[] digest) {
        record.stamp = stamp;
        record.contents = digest;
        record.changedAt = System.nanoTime();
        record.sure = false;
        known.put(file, record);
    }

    /** The last good objects stay; when that has lasted, it is told. */
    private void troubled(Path file, FileStamp stamp, byte[] contents, Finding why, boolean first) {
        KnownFile record = known.get(file);
        if (!first && record != null && !graceOver(file, stamp)) {
            return;
        }
        pending.remove(file);
        remember(file, record == null ? new KnownFile() : record, stamp, contents);
        table.say(file.toString(), List.of(why));
    }

    private static Finding malformed(Path file, Tree.Malformed malformed) {
        return Finding.of(
                        Reason.FILE_UNREADABLE,
                        ManifestReader.fileRef(file.toString()),
                        malformed.text(),
                        "Correct the file; what was good of it before stays in service.")
                .at(new Location(file.toString(), malformed.line()));
    }

    private static Finding blank(Path file) {
        return Finding.of(
                        Reason.FILE_UNREADABLE,
                        ManifestReader.fileRef(file.toString()),
                        "the file is empty; its objects stay in service",
                        "Write it anew, or delete it to delete its objects.")
                .at(new Location(file.toString(), 0));
    }

    private Finding tooLarge(Path file) {
        return Finding.of(
                        Reason.LIMIT_EXCEEDED,
                        ManifestReader.fileRef(file.toString()),
                        "larger than " + settings.maxFileBytes() + " bytes; it was not read",
                        "Divide it into smaller files.")
                .at(new Location(file.toString(), 0));
    }

    /** Null where there is more than is allowed. */
    private byte @Nullable [] contents(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(settings.maxFileBytes() + 1);
            return bytes.length > settings.maxFileBytes() ? null : bytes;
        }
    }

    private static boolean isBlank(byte[] bytes) {
        for (byte b : bytes) {
            if (b != ' ' && b != '\n' && b != '\r' && b != '\t') {
                return false;
            }
        }
        return true;
    }

    private static byte[] digest(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }
}

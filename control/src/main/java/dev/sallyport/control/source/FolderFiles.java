package dev.sallyport.control.source;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.source.FileState.Barred;
import dev.sallyport.control.source.FileState.Changing;
import dev.sallyport.control.source.FileState.Missing;
import dev.sallyport.control.source.FileState.Settled;
import dev.sallyport.control.source.FolderNotifications.Change;
import dev.sallyport.control.source.Step.Trust;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The files of a folder, with what is served of each. Reads, and tells what changed; waits for
 * nothing and nobody. Confined to one thread.
 *
 * <p>{@link Patience} says when a file is read. What is then believed:
 *
 * <ol>
 *   <li>A file that was put in place by a rename is whole: what is in it counts at once. What it no
 *       longer has counts on until it has stayed away for {@link FolderSettings#vanishGrace}: it
 *       may be on its way into another file.
 *   <li>A file that was written in place, and has been still for {@link FolderSettings#settle}, may
 *       be a part of one that parses by chance. It is believed if it ends with a line (JSON: if it
 *       parses), has all objects that it had, none of them unusable, and no fewer values, and if
 *       its writer has not paused before. Else it has to be still for {@link
 *       FolderSettings#vanishGrace}.
 *   <li>After that it is believed, whatever it is. Of a file that is empty, or that can not be read
 *       or parsed, the last good objects stay for good, with a finding. So does an object that
 *       became unusable, as with an API server.
 * </ol>
 */
final class FolderFiles {
    private static final String KUBELETS_LINK = "..data";
    private static final String FOLDERS = "folders"; // what findings are about, beside files
    private static final int PART = 64; // files that one thread reads before it asks for more
    private static final int MAX_COMPARISONS = 1_000; // nothing is seen meanwhile
    private static final String BOUND = "bound of files";

    private final Path root;
    private final FolderSettings settings;
    private final FileAccess access;
    private final LongSupplier nanoTime;
    private final Consumer<Path> watch;
    private final Patience patience;
    private final FileReader reader;
    private final FolderLinks links;
    private final ObjectTable table = new ObjectTable();
    private final TreeMap<Path, KnownFile> known = new TreeMap<>();
    private final Map<Path, Long> due = new HashMap<>(); // when to look without being told
    private final Map<Path, Long> restless = new LinkedHashMap<>(); // Changing, since when
    private int comparisons; // since the last scan or change began
    private @Nullable Path beyond; // the first file that the bound keeps out

    private static final class KnownFile {
        @Nullable FileState state; // null: seen for the first time
        Digest judged = Digest.NONE; // the contents last judged, good or not
        int values; // in the contents last served
        @Nullable Long overdue; // missing, and kept for what is restless: since when
    }

    /**
     * No files yet.
     *
     * @param nanoTime nanoseconds since any moment
     * @param watch called with every folder whose changes should be told, before it is listed
     */
    FolderFiles(
            Path root,
            FolderSettings settings,
            FileAccess access,
            LongSupplier nanoTime,
            Consumer<Path> watch) {
        this.root = root;
        this.settings = settings;
        this.access = access;
        this.nanoTime = nanoTime;
        this.watch = watch;
        this.patience = Patience.of(settings.settle(), settings.vanishGrace());
        this.reader = new FileReader(access, settings.maxFileBytes());
        this.links = new FolderLinks(watch);
    }

    /** What changed since the last call. */
    SourceUpdate drain() {
        return table.drain();
    }

    /**
     * Reads everything there is, and believes it: there is nothing before it to lose.
     *
     * @param readers reads files side by side
     */
    void readAll(Executor readers) {
        FolderWalk walk = walk(root);
        List<Map.Entry<Path, FileStamp>> all = List.copyOf(walk.files.entrySet());
        List<CompletableFuture<List<Reading>>> parts = new ArrayList<>();
        for (int i = 0; i < all.size(); i += PART) {
            var part = all.subList(i, Math.min(i + PART, all.size()));
            parts.add(CompletableFuture.supplyAsync(() -> read(part), readers));
        }
        Iterator<Map.Entry<Path, FileStamp>> files = all.iterator();
        for (CompletableFuture<List<Reading>> part : parts) {
            for (Reading reading : part.join()) {
                Map.Entry<Path, FileStamp> file = files.next();
                links.note(file.getKey(), walk.links.contains(file.getKey()));
                judge(file.getKey(), new KnownFile(), file.getValue(), Trust.FINAL, reading);
            }
        }
        table.say(FOLDERS, walk.findings);
        beyond = walk.beyond;
        sayBound();
    }

    private List<Reading> read(List<Map.Entry<Path, FileStamp>> files) {
        return files.stream()
                .map(file -> reader.read(file.getKey(), file.getValue(), Digest.NONE, false))
                .toList();
    }

    /** Compares everything with what is known. */
    void scan() {
        comparisons = 0;
        beyond = null;
        FolderWalk walk = scan(root, Notice.NONE);
        table.say(FOLDERS, walk.findings); // of a part, the next scan tells
        beyond = beyond == null ? walk.beyond : beyond;
        sayBound();
    }

    /** Looks at what notifications are about. */
    void take(List<Change> changes) {
        comparisons = 0;
        Map<Path, Notice> files = new LinkedHashMap<>();
        Map<Path, Notice> folders = new LinkedHashMap<>();
        for (Change change : changes) {
            take(change, files, folders);
        }
        files.forEach(this::look); // before folders: what is said of a file prevails
        folders.forEach(this::scan);
        if (beyond != null) {
            sayBound();
        }
    }

    private void take(Change change, Map<Path, Notice> files, Map<Path, Notice> folders) {
        Path folder = change.folder();
        Path name = change.name();
        Path path = name == null ? folder : folder.resolve(name);
        for (Path link : links.into(folder)) {
            boolean leads = links.leads(link, path);
            if (leads) {
                links.follow(link); // it may lead elsewhere now
            }
            files.merge(link, leads ? change.notice() : Notice.NONE, Notice::and);
        }
        if (!folder.startsWith(root) || isHidden(root.relativize(folder))) {
            return; // it is here for the links into it
        }
        if (name == null) {
            folders.merge(folder, Notice.NONE, Notice::and); // too much at once
        } else if (name.toString().equals(KUBELETS_LINK)) {
            folders.merge(folder, change.notice(), Notice::and);
        } else if (!isHidden(name) && Files.isDirectory(path)) {
            Notice notice = Files.isSymbolicLink(path) ? change.notice() : Notice.NONE;
            folders.merge(path, notice, Notice::and);
        } else if (!isHidden(name)) {
            if (FolderWalk.isManifest(name)) {
                links.note(path, Files.isSymbolicLink(path));
                files.merge(path, change.notice(), Notice::and);
            }
            for (Path file : under(path)) { // it was a folder until now
                files.merge(file, Notice.NONE, Notice::and);
            }
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

    /** Looks at the files that may have been still, or gone, for long enough. */
    void lookAtDue() {
        long now = nanoTime.getAsLong();
        List<Path> files = new ArrayList<>();
        List<Path> missing = new ArrayList<>();
        due.forEach((file, at) -> {
            if (now - at >= 0) {
                (restless.containsKey(file) ? files : missing).add(file);
            }
        });
        files.addAll(missing); // last: what is read before may be what they had
        files.forEach(file -> look(file, Notice.NONE));
        if (!files.isEmpty() && beyond != null) {
            sayBound();
        }
    }

    /** When {@link #lookAtDue} has something to do, if that is before {@code otherwise}. */
    long nextDue(long otherwise) {
        long next = otherwise;
        for (long at : due.values()) {
            next = at - next < 0 ? at : next;
        }
        return next;
    }

    private FolderWalk walk(Path folder) {
        return new FolderWalk(settings, access, watch).walk(root, folder);
    }

    private FolderWalk scan(Path folder, Notice notice) {
        FolderWalk walk = walk(folder);
        walk.files.keySet().forEach(file -> links.note(file, walk.links.contains(file)));
        for (Path file : unlike(walk, folder, notice)) {
            FileStamp stamp = walk.files.get(file);
            if (stamp != null) {
                step(file, new Sight.Present(stamp, notice));
            } else if (walk.unreadable.stream().noneMatch(file::startsWith)) {
                look(file, Notice.NONE);
            }
        }
        return walk;
    }

    /** The files found that are not as they were, and those not found: few, of many. */
    private List<Path> unlike(FolderWalk walk, Path folder, Notice notice) {
        List<Path> files = new ArrayList<>();
        Iterator<Map.Entry<Path, FileStamp>> found = walk.files.entrySet().iterator();
        Map.Entry<Path, FileStamp> next = found.hasNext() ? found.next() : null;
        for (Map.Entry<Path, KnownFile> old : known.tailMap(firstIn(folder)).entrySet()) {
            Path file = old.getKey();
            if (!file.startsWith(folder)) {
                break;
            }
            while (next != null && next.getKey().compareTo(file) < 0) {
                files.add(next.getKey());
                next = found.hasNext() ? found.next() : null;
            }
            if (next == null || !next.getKey().equals(file)) {
                files.add(file);
                continue;
            }
            if (!isQuiet(old.getValue().state, next.getValue(), notice)) {
                files.add(file);
            }
            next = found.hasNext() ? found.next() : null;
        }
        while (next != null) {
            files.add(next.getKey());
            next = found.hasNext() ? found.next() : null;
        }
        return files;
    }

    private static boolean isQuiet(@Nullable FileState state, FileStamp stamp, Notice notice) {
        return state instanceof Settled settled
                && settled.sure()
                && settled.stamp().equals(stamp)
                && notice != Notice.WRITTEN;
    }

    private List<Path> under(Path folder) {
        List<Path> files = new ArrayList<>();
        for (Path file : known.tailMap(firstIn(folder)).keySet()) {
            if (!file.startsWith(folder)) {
                break;
            }
            files.add(file);
        }
        return files;
    }

    /** Before all in a folder, after it: paths sort by bytes, and '-' and '.' come before '/'. */
    private static Path firstIn(Path folder) {
        return folder.resolve("\u0001");
    }

    private void look(Path file, Notice notice) {
        step(file, sight(file, notice));
    }

    private Sight sight(Path file, Notice notice) {
        try {
            FileStamp stamp = access.stamp(file);
            return stamp == null ? new Sight.Absent() : new Sight.Present(stamp, notice);
        } catch (IOException e) {
            return new Sight.Hidden(FolderWalk.reason(e));
        }
    }

    private void step(Path file, Sight sight) {
        KnownFile record = known.get(file);
        if (record == null) {
            record = new KnownFile();
            if (known.size() >= settings.maxFiles() && !(sight instanceof Sight.Absent)) {
                beyond = beyond == null || file.compareTo(beyond) < 0 ? file : beyond;
                return;
            }
        }
        switch (patience.look(record.state, sight, nanoTime.getAsLong())) {
            case Step.Stay(FileState state) -> become(file, record, state);
            case Step.Read(FileStamp stamp, Trust trust) -> read(file, record, stamp, trust);
            case Step.Compare(Settled state) -> {
                if (comparisons++ < MAX_COMPARISONS) { // the next scan goes on
                    compare(file, record, state);
                }
            }
            case Step.Forget() -> {
                if (!isAwaited(file, record)) {
                    forget(file);
                }
            }
            case Step.Report(Barred state, String reason) ->
                    bar(file, record, state, FolderWalk.unreadable(file, reason));
        }
    }

    private void become(Path file, KnownFile record, FileState state) {
        if (record.state == null) {
            known.put(file, record);
        }
        record.state = state;
        record.overdue = null;
        if (state instanceof Changing) {
            restless.putIfAbsent(file, nanoTime.getAsLong());
        } else {
            restless.remove(file);
        }
        OptionalLong at = patience.due(state);
        if (at.isPresent()) {
            due.put(file, at.getAsLong());
        } else {
            due.remove(file);
        }
        if (state instanceof Missing) {
            table.leave(file, true);
        }
    }

    /**
     * Whether the objects of a file that is gone may be in one that is yet to be read. Only files
     * that changed before it was due to be forgotten can delay that: others do so in vain, and a
     * busy folder would keep everything.
     */
    private boolean isAwaited(Path file, KnownFile record) {
        if (!(record.state instanceof Missing missing)) {
            return false;
        }
        long now = nanoTime.getAsLong();
        long overdue = record.overdue == null ? now : record.overdue;
        record.overdue = overdue;
        for (Map.Entry<Path, Long> other : restless.entrySet()) {
            if (patience.isAwaited(missing, other.getValue(), overdue, now)) {
                due.put(file, due.getOrDefault(other.getKey(), now));
                return true;
            }
        }
        return false;
    }

    private void forget(Path file) {
        known.remove(file);
        due.remove(file);
        restless.remove(file);
        links.note(file, false);
        table.put(file, Map.of());
        table.say(PathText.of(file), List.of());
    }

    private void read(Path file, KnownFile record, FileStamp stamp, Trust trust) {
        boolean objects = !table.objects(file).isEmpty();
        Reading reading = reader.read(file, stamp, record.judged, objects);
        Sight after = sight(file, Notice.NONE);
        if (after instanceof Sight.Present(FileStamp now, _) && now.equals(stamp)) {
            judge(file, record, stamp, trust, reading);
        } else {
            step(file, after); // it changed under our eyes
        }
    }

    /** An edit within the same tick of the file system's clock leaves no trace but the contents. */
    private void compare(Path file, KnownFile record, Settled state) {
        boolean objects = !table.objects(file).isEmpty();
        boolean same =
                switch (reader.read(file, state.stamp(), record.judged, objects)) {
                    case Reading.Unchanged(), Reading.Barred(_) -> true;
                    case Reading.Unusable(Digest digest, _) -> digest.equals(record.judged);
                    case Reading.Usable(_, _, _) -> false;
                };
        long now = nanoTime.getAsLong();
        become(
                file,
                record,
                same
                        ? patience.compared(state, now)
                        : new Changing(state.stamp(), now, now, false));
    }

    private void judge(Path file, KnownFile record, FileStamp stamp, Trust trust, Reading reading) {
        switch (reading) {
            case Reading.Unchanged() -> settle(file, record, stamp, record.judged);
            case Reading.Usable(Digest digest, ManifestFile manifest, boolean ended) ->
                    accept(file, record, stamp, trust, digest, manifest, ended);
            case Reading.Barred(_), Reading.Unusable(_, _) when trust != Trust.FINAL ->
                    doubt(file, record, stamp, trust);
            case Reading.Barred(Finding why) -> bar(file, record, new Barred(stamp), why);
            case Reading.Unusable(Digest digest, Finding why) -> {
                table.say(PathText.of(file), List.of(why));
                settle(file, record, stamp, digest);
            }
        }
    }

    private void accept(
            Path file,
            KnownFile record,
            FileStamp stamp,
            Trust trust,
            Digest digest,
            ManifestFile manifest,
            boolean ended) {
        Map<ObjectRef, Resource> objects = new LinkedHashMap<>(manifest.objects());
        Map<ObjectRef, Resource> missing = new HashMap<>();
        table.objects(file)
                .forEach((ref, before) -> {
                    if (!objects.containsKey(ref)) {
                        (manifest.invalid().contains(ref) ? objects : missing).put(ref, before);
                    }
                });
        boolean complete =
                ended
                        && missing.isEmpty()
                        && manifest.invalid().isEmpty()
                        && manifest.values() >= record.values;
        if (trust == Trust.TENTATIVE && !complete) {
            doubt(file, record, stamp, trust);
            return;
        }
        record.values = manifest.values();
        table.say(PathText.of(file), manifest.findings());
        if (trust == Trust.WHOLE && !missing.isEmpty()) {
            objects.putAll(missing);
            table.put(file, objects, new HashSet<>(missing.keySet()));
            record.judged = Digest.NONE; // what counts now is not what the file holds
            doubt(file, record, stamp, trust);
        } else {
            table.put(file, objects);
            settle(file, record, stamp, digest);
        }
    }

    private void settle(Path file, KnownFile record, FileStamp stamp, Digest judged) {
        record.judged = judged;
        table.leave(file, false);
        become(file, record, new Settled(stamp, nanoTime.getAsLong(), false));
    }

    private void doubt(Path file, KnownFile record, FileStamp stamp, Trust trust) {
        FileState before = trust == Trust.TENTATIVE ? record.state : null;
        become(file, record, patience.doubted(before, stamp, nanoTime.getAsLong()));
    }

    private void bar(Path file, KnownFile record, Barred state, Finding why) {
        record.judged = Digest.NONE; // the finding must go, even if the contents are the same
        table.say(PathText.of(file), List.of(why));
        table.leave(file, false);
        become(file, record, state);
    }

    private void sayBound() {
        table.say(
                BOUND,
                beyond == null
                        ? List.of()
                        : List.of(
                                FolderWalk.limited(
                                        beyond,
                                        "more than "
                                                + settings.maxFiles()
                                                + " files; this one, and perhaps others, are not read")));
    }
}

package dev.sallyport.acme.store;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A disk in memory whose machine may go down after any step. Of what was not forced, it may have
 * kept everything ({@link #lucky}) or the worst of it ({@link #unlucky}): names without contents.
 */
final class CrashingDisk implements FileSteps {
    /** The machine went down. */
    static final class Down extends Error {
        private static final long serialVersionUID = 1;

        Down() {
            super("the machine went down", null, false, false);
        }
    }

    /** A file, under whatever name. */
    private static final class Inode {
        byte[] contents = {};
        byte[] forced = {};
    }

    private final Map<Path, Inode> names = new HashMap<>();
    private final Map<Path, Inode> forcedNames = new HashMap<>();
    private final Set<Path> folders = new HashSet<>();
    private int stepsLeft;

    CrashingDisk(int stepsLeft) {
        this.stepsLeft = stepsLeft;
    }

    /** The disk after the crash, where all that was written had reached it. */
    CrashingDisk lucky() {
        return after(names, false);
    }

    /** The disk after the crash, where only what was forced had reached it. */
    CrashingDisk unlucky() {
        return after(forcedNames, true);
    }

    /** The disk after the crash, where names reached it, and contents only if forced. */
    CrashingDisk torn() {
        return after(names, true);
    }

    private CrashingDisk after(Map<Path, Inode> seen, boolean forcedOnly) {
        var disk = new CrashingDisk(Integer.MAX_VALUE);
        disk.folders.addAll(folders);
        seen.forEach((path, inode) -> {
            var copy = new Inode();
            copy.contents = forcedOnly ? inode.forced : inode.contents;
            copy.forced = copy.contents;
            disk.names.put(path, copy);
            disk.forcedNames.put(path, copy);
        });
        return disk;
    }

    private void step() {
        if (stepsLeft-- <= 0) {
            throw new Down();
        }
    }

    @Override
    public void folder(Path folder) {
        step();
        folders.add(folder);
    }

    @Override
    public void write(Path file, byte[] contents) {
        step();
        var inode = new Inode();
        inode.contents = Arrays.copyOf(contents, contents.length / 2);
        names.put(file, inode);
        step();
        inode.contents = contents.clone();
    }

    @Override
    public void force(Path file) {
        step();
        Inode inode = Objects.requireNonNull(names.get(file));
        inode.forced = inode.contents.clone();
    }

    @Override
    public void rename(Path from, Path to) {
        step();
        names.put(to, Objects.requireNonNull(names.remove(from)));
    }

    @Override
    public void forceFolder(Path folder) {
        step();
        forcedNames.keySet().removeIf(path -> folder.equals(path.getParent()));
        names.forEach((path, inode) -> {
            if (folder.equals(path.getParent())) {
                forcedNames.put(path, inode);
            }
        });
    }

    @Override
    public void delete(Path file) {
        step();
        names.remove(file);
    }

    @Override
    public List<String> list(Path folder) {
        List<String> found = new ArrayList<>();
        names.keySet().stream()
                .filter(path -> folder.equals(path.getParent()))
                .forEach(path -> found.add(path.getFileName().toString()));
        return found;
    }

    @Override
    public byte[] read(Path file, int most) throws IOException {
        Inode inode = names.get(file);
        if (inode == null) {
            throw new NoSuchFileException(file.toString());
        }
        return inode.contents.clone();
    }
}

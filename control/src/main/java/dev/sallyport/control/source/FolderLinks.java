package dev.sallyport.control.source;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Files that are symbolic links change in other folders. Confined to the folder's thread. */
final class FolderLinks {
    private final Consumer<Path> watch;
    private final Map<Path, Path> targets = new HashMap<>(); // link to the file it leads to
    private final Map<Path, Set<Path>> byFolder = new HashMap<>(); // folder of a target to links

    /**
     * No links yet.
     *
     * @param watch called with every folder that one leads into
     */
    FolderLinks(Consumer<Path> watch) {
        this.watch = watch;
    }

    /** A file is a link now, or is none. */
    void note(Path file, boolean link) {
        if (!link && targets.isEmpty()) {
            return;
        }
        lead(file, link ? target(file) : null);
    }

    /** Follows a link anew. One that leads nowhere now may soon lead where it did. */
    void follow(Path link) {
        Path target = target(link);
        if (target != null) {
            lead(link, target);
        }
    }

    private void lead(Path file, @Nullable Path target) {
        Path before = target == null ? targets.remove(file) : targets.put(file, target);
        Path folder = target == null ? null : target.getParent();
        Path folderBefore = before == null ? null : before.getParent();
        if (folderBefore != null && !folderBefore.equals(folder)) {
            Set<Path> links = byFolder.getOrDefault(folderBefore, new HashSet<>());
            links.remove(file);
            if (links.isEmpty()) {
                byFolder.remove(folderBefore);
            }
        }
        if (folder != null && !folder.equals(folderBefore)) {
            byFolder.computeIfAbsent(folder, _ -> new HashSet<>()).add(file);
            watch.accept(folder);
        }
    }

    /** The links that lead into a folder. */
    Set<Path> into(Path folder) {
        return Set.copyOf(byFolder.getOrDefault(folder, Set.of()));
    }

    /** Whether a link leads to a file. */
    boolean leads(Path link, Path file) {
        return file.equals(targets.get(link));
    }

    private static @Nullable Path target(Path link) {
        try {
            return link.toRealPath();
        } catch (IOException _) {
            return null; // it leads nowhere now; the poll sees when that changes
        }
    }
}

package dev.sallyport.control.source;

import dev.sallyport.model.finding.FileFault;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Reason;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lists the manifests under a folder, through symbolic links, in the order of their paths.
 *
 * <p>Names that begin with a dot are passed over: editors hide their temporary files so, and a
 * kubelet the folders that its symbolic links lead to.
 */
final class FolderWalk {
    /** The manifests found: at most {@link FolderSettings#maxFiles}. */
    final TreeMap<Path, FileStamp> files = new TreeMap<>();

    /** Manifests that are symbolic links. */
    final Set<Path> links = new HashSet<>();

    /** Paths that could not be seen or listed: nothing is known of what is there. */
    final Set<Path> unreadable = new HashSet<>();

    /** About folders, and about bounds but that of files. */
    final List<Finding> findings = new ArrayList<>();

    /** The first file beyond the bound of files. */
    @Nullable Path beyond;

    private final FolderSettings settings;
    private final FileAccess access;
    private final Consumer<Path> beforeListing;
    private final Set<Object> ancestors = new HashSet<>();
    private int folders;

    /**
     * A walk.
     *
     * @param beforeListing called for every folder before it is listed, so that no change between
     *     is missed
     */
    FolderWalk(FolderSettings settings, FileAccess access, Consumer<Path> beforeListing) {
        this.settings = settings;
        this.access = access;
        this.beforeListing = beforeListing;
    }

    /** Whether a name is one of a manifest. */
    static boolean isManifest(@Nullable Path name) {
        String text = name == null ? "" : name.toString().toLowerCase(Locale.ROOT);
        return !text.startsWith(".")
                && (text.endsWith(".yaml") || text.endsWith(".yml") || text.endsWith(".json"));
    }

    /** Walks {@code folder}, which is {@code root}, the folder served, or within it. */
    FolderWalk walk(Path root, Path folder) {
        int depth = 0;
        Path parent = folder;
        while (!parent.equals(root)) {
            parent = parent.getParent();
            if (parent == null) {
                throw new IllegalArgumentException(folder + " (expected: within " + root + ")");
            }
            depth++;
            addAncestor(parent);
        }
        try {
            BasicFileAttributes attributes = access.attributes(folder);
            if (attributes.isDirectory()) {
                enter(folder, attributes.fileKey(), depth);
            } else {
                unreadable(folder, new NotDirectoryException(folder.toString()));
            }
        } catch (IOException e) {
            unreadable(folder, e);
        }
        return this;
    }

    private void addAncestor(Path folder) {
        try {
            Object key = access.attributes(folder).fileKey();
            if (key != null) {
                ancestors.add(key);
            }
        } catch (IOException _) {
            // It has just gone; what is below it is found to be gone as well.
        }
    }

    private void enter(Path folder, @Nullable Object key, int depth) {
        if (depth > settings.maxDepth()) {
            limit(folder, "nested more than " + settings.maxDepth() + " deep; it is not entered");
            return;
        }
        if (key != null && !ancestors.add(key)) {
            return; // a symbolic link that leads to where we are
        }
        if (folders++ < settings.maxFiles()) {
            list(folder, depth);
        } else if (folders == settings.maxFiles() + 1) { // links can multiply folders
            limit(
                    folder,
                    "more than "
                            + settings.maxFiles()
                            + " folders; this and all after it are not entered");
        }
        if (key != null) {
            ancestors.remove(key);
        }
    }

    private void list(Path folder, int depth) {
        beforeListing.accept(folder);
        List<Path> children = new ArrayList<>();
        try (DirectoryStream<Path> listing = Files.newDirectoryStream(folder)) {
            listing.forEach(children::add);
        } catch (DirectoryIteratorException e) {
            IOException why = e.getCause();
            unreadable(folder, why == null ? new IOException(e) : why);
        } catch (IOException e) {
            unreadable(folder, e);
        }
        children.sort(null);
        for (Path child : children) {
            if (!child.getFileName().toString().startsWith(".") && !add(child, depth)) {
                // A folder without the permission to enter it: one finding, not one for each file.
                unreadable(folder, new AccessDeniedException(folder.toString()));
                return;
            }
        }
    }

    /** False where the folder does not let its children be seen. */
    private boolean add(Path child, int depth) {
        BasicFileAttributes attributes;
        try {
            attributes = access.attributes(child, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException gone) {
            return true;
        } catch (AccessDeniedException e) {
            return false;
        } catch (IOException e) {
            unreadable(child, e);
            return true;
        }
        boolean link = attributes.isSymbolicLink();
        if (link) {
            try {
                attributes = access.attributes(child);
            } catch (NoSuchFileException toNowhere) {
                if (isManifest(child.getFileName())) { // else it may be anything
                    findings.add(unreadable(child, reason(toNowhere)));
                }
                return true;
            } catch (IOException e) {
                unreadable(child, e);
                return true;
            }
        }
        if (attributes.isDirectory()) {
            enter(child, attributes.fileKey(), depth + 1);
        } else if (isManifest(child.getFileName())) {
            addFile(child, FileStamp.of(attributes), link);
        }
        return true;
    }

    private void addFile(Path file, FileStamp stamp, boolean link) {
        if (files.size() < settings.maxFiles()) {
            files.put(file, stamp);
            if (link) {
                links.add(file);
            }
        } else if (beyond == null) {
            beyond = file;
        }
    }

    private void unreadable(Path path, IOException e) {
        unreadable.add(path);
        findings.add(unreadable(path, reason(e)));
    }

    private void limit(Path path, String what) {
        findings.add(limited(path, what));
    }

    /** A bound that a path is beyond. */
    static Finding limited(Path path, String what) {
        String name = PathText.of(path);
        return Finding.of(
                        Reason.LIMIT_EXCEEDED,
                        ManifestReader.fileRef(name),
                        what,
                        "Serve a smaller folder.")
                .at(new Location(name, 0));
    }

    /** A file or folder that cannot be read. */
    static Finding unreadable(Path path, String why) {
        String name = PathText.of(path);
        return Finding.of(
                        Reason.FILE_UNREADABLE,
                        ManifestReader.fileRef(name),
                        why,
                        "Make it readable; what was good of it before stays in service.")
                .at(new Location(name, 0));
    }

    /** What an exception of the file system says, without the path. */
    static String reason(IOException e) {
        return "cannot be read: " + FileFault.of(e);
    }
}

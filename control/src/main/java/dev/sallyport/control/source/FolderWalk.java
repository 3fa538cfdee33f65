package dev.sallyport.control.source;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Reason;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
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
    /** The manifests found. */
    final TreeMap<Path, FileStamp> files = new TreeMap<>();

    /** Manifests that are symbolic links. */
    final Set<Path> links = new HashSet<>();

    /** The folders entered, with the one walked. */
    final Set<Path> folders = new HashSet<>();

    /** Folders that could not be read: nothing is known of what is in them. */
    final Set<Path> unreadable = new HashSet<>();

    /** About folders, and about bounds. */
    final List<Finding> findings = new ArrayList<>();

    private final FolderSettings settings;
    private final Consumer<Path> beforeListing;
    private final Set<Object> ancestors = new HashSet<>();
    private boolean full;

    /**
     * A walk.
     *
     * @param beforeListing called for every folder before it is listed, so that no change between
     *     is missed
     */
    FolderWalk(FolderSettings settings, Consumer<Path> beforeListing) {
        this.settings = settings;
        this.beforeListing = beforeListing;
    }

    /** Whether a name is one of a manifest. */
    static boolean isManifest(@Nullable Path name) {
        String text = name == null ? "" : name.toString().toLowerCase(Locale.ROOT);
        return !text.startsWith(".")
                && (text.endsWith(".yaml") || text.endsWith(".yml") || text.endsWith(".json"));
    }

    /** Walks {@code root}, which is at {@code depth} below the folder served. */
    FolderWalk walk(Path root, int depth) {
        Object key = null;
        try {
            BasicFileAttributes attributes = Files.readAttributes(root, BasicFileAttributes.class);
            key = attributes.fileKey();
            if (!attributes.isDirectory()) {
                unreadable.add(root);
                findings.add(unreadable(root, "not a folder (expected: a folder of manifests)"));
                return this;
            }
        } catch (IOException e) {
            unreadable.add(root);
            findings.add(unreadable(root, reason(e)));
            return this;
        }
        enter(root, key, depth);
        return this;
    }

    private void enter(Path folder, @Nullable Object key, int depth) {
        if (depth > settings.maxDepth()) {
            limit(folder, "nested more than " + settings.maxDepth() + " deep; it is not entered");
            return;
        }
        if (key != null && !ancestors.add(key)) {
            return; // a symbolic link that leads to where we are
        }
        folders.add(folder);
        beforeListing.accept(folder);
        List<Path> children = new ArrayList<>();
        try (DirectoryStream<Path> listing = Files.newDirectoryStream(folder)) {
            listing.forEach(children::add);
        } catch (DirectoryIteratorException e) {
            unreadable.add(folder);
            findings.add(
                    unreadable(
                            folder,
                            e.getCause() == null ? "cannot be listed" : reason(e.getCause())));
        } catch (IOException e) {
            unreadable.add(folder);
            findings.add(unreadable(folder, reason(e)));
        }
        children.sort(null);
        for (Path child : children) {
            if (!child.getFileName().toString().startsWith(".")) {
                add(child, depth);
            }
        }
        if (key != null) {
            ancestors.remove(key);
        }
    }

    private void add(Path child, int depth) {
        try {
            BasicFileAttributes attributes =
                    Files.readAttributes(
                            child, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            boolean link = attributes.isSymbolicLink();
            if (link) {
                attributes = Files.readAttributes(child, BasicFileAttributes.class);
            }
            if (attributes.isDirectory()) {
                enter(child, attributes.fileKey(), depth + 1);
            } else if (isManifest(child.getFileName())) {
                addFile(child, FileStamp.of(attributes), link);
            }
        } catch (IOException e) {
            if (isManifest(child.getFileName()) && Files.exists(child, LinkOption.NOFOLLOW_LINKS)) {
                findings.add(unreadable(child, reason(e))); // a link to nowhere, for instance
            }
        }
    }

    private void addFile(Path file, FileStamp stamp, boolean link) {
        if (files.size() < settings.maxFiles()) {
            files.put(file, stamp);
            if (link) {
                links.add(file);
            }
        } else if (!full) {
            full = true;
            limit(
                    file,
                    "more than "
                            + settings.maxFiles()
                            + " files; this and all after it are not read");
        }
    }

    private void limit(Path path, String what) {
        findings.add(
                Finding.of(
                                Reason.LIMIT_EXCEEDED,
                                ManifestReader.fileRef(path.toString()),
                                what,
                                "Serve a smaller folder.")
                        .at(new Location(path.toString(), 0)));
    }

    /** A file or folder that cannot be read. */
    static Finding unreadable(Path path, String why) {
        return Finding.of(
                        Reason.FILE_UNREADABLE,
                        ManifestReader.fileRef(path.toString()),
                        why,
                        "Make it readable; what was good of it before stays in service.")
                .at(new Location(path.toString(), 0));
    }

    /** What an exception of the file system says, without the path. */
    static String reason(IOException e) {
        String kind =
                switch (e) {
                    case java.nio.file.NoSuchFileException _ -> "does not exist";
                    case java.nio.file.AccessDeniedException _ -> "permission denied";
                    case java.nio.file.FileSystemLoopException _ -> "a loop of symbolic links";
                    case FileSystemException f when f.getReason() != null -> f.getReason();
                    default -> e.getClass().getSimpleName();
                };
        return "cannot be read: " + kind;
    }
}

package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder of manifests, and the ways people and tools change its files. */
final class Folder {

    private final Path path;
    private final Path staging;

    private Folder(Path path, Path staging) {
        this.path = path;
        this.staging = staging;
    }

    /** A new, empty folder inside another. */
    static Folder in(Path parent) {
        try {
            return new Folder(
                    Files.createDirectories(parent.resolve("manifests")),
                    Files.createDirectories(parent.resolve("staging")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path path() {
        return path;
    }

    Path resolve(String name) {
        return path.resolve(name);
    }

    /** Puts a file in place whole, by a rename, as editors and configuration management do. */
    Folder put(String name, String... documents) {
        try {
            Path file = path.resolve(name);
            Files.createDirectories(file.getParent());
            Path made = staging.resolve(name.replace('/', '_'));
            Files.writeString(made, Manifests.file(documents), UTF_8);
            Files.move(
                    made,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a file in place: it is truncated, then written. */
    Folder write(String name, String... documents) {
        try {
            Files.writeString(path.resolve(name), Manifests.file(documents), UTF_8);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Adds text to the end of a file. */
    Folder append(String name, String text) {
        try {
            Files.writeString(path.resolve(name), text, UTF_8, StandardOpenOption.APPEND);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Gives a file another name. */
    Folder move(String name, String to) {
        try {
            Files.move(path.resolve(name), path.resolve(to));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Folder delete(String name) {
        try {
            Files.delete(path.resolve(name));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Publishes files as the kubelet does for a mounted volume: a folder with the files' new
     * versions, the link {@code ..data} swapped to it by a rename, and links from the files' names
     * through {@code ..data}; then the old versions are removed.
     *
     * @param volume the folder that is the volume
     * @param version distinguishes one version from the next
     */
    Folder publish(String volume, int version, List<Document> files) {
        try {
            Path root = Files.createDirectories(path.resolve(volume));
            Path versioned = Files.createDirectory(root.resolve("..version_" + version));
            for (Document file : files) {
                Files.writeString(versioned.resolve(file.name()), file.text(), UTF_8);
            }
            Path data = root.resolve("..data");
            Path swap = root.resolve("..data_tmp");
            Path old = Files.isSymbolicLink(data) ? data.toRealPath() : null;
            Files.createSymbolicLink(swap, versioned.getFileName());
            Files.move(
                    swap,
                    data,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
            for (Document file : files) {
                Path link = root.resolve(file.name());
                if (!Files.isSymbolicLink(link)) {
                    Files.createSymbolicLink(link, Path.of("..data", file.name()));
                }
            }
            if (old != null) {
                deleteTree(old);
            }
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A file of a mounted volume. */
    record Document(String name, String text) {}

    private static void deleteTree(Path tree) throws IOException {
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(tree)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path each : paths) {
            Files.delete(each);
        }
    }
}

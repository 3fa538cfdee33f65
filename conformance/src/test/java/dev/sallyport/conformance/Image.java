package dev.sallyport.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The gateway's image, as deploy/image/build makes it of the packaged jars: once for a run of
 * tests, and not at all where the last one is newer than all it is made of.
 */
final class Image {

    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final Path FOLDER = Distribution.home().resolve("app/target/image");
    private static final Set<Cluster> LOADED = ConcurrentHashMap.newKeySet();
    private static @Nullable Image last;

    private final Path archive;

    private Image(Path archive) {
        this.archive = archive;
    }

    /** The image of what was packaged last. */
    static synchronized Image built() {
        Image image = last;
        if (image == null) {
            image = new Image(FOLDER.resolve("tests.tar"));
            if (!image.isFresh()) {
                build("--keep-aot", image.aotCache().toString(), image.archive.toString());
            }
            last = image;
        }
        return image;
    }

    /** The same, known to the test bed's node. */
    static Image loaded(Cluster cluster) {
        Image image = built();
        // On a given cluster somebody made it known before.
        if (!Cluster.isGiven() && LOADED.add(cluster)) {
            cluster.load(image.archive);
        }
        return image;
    }

    /** Runs deploy/image/build to a good end; gives what it said. */
    static String build(String... arguments) {
        List<String> command =
                new ArrayList<>(
                        List.of(Distribution.home().resolve("deploy/image/build").toString()));
        command.addAll(List.of(arguments));
        Ran ran = Ran.run(LIMIT, command);
        if (ran.exit() != 0) {
            throw new AssertionError(String.join(" ", command) + ": " + ran.all());
        }
        return ran.err();
    }

    Path archive() {
        return archive;
    }

    /** The AOT cache in it. */
    Path aotCache() {
        return beside(".aot");
    }

    /** What is inside, in CycloneDX. */
    Path billOfMaterials() {
        return beside(".cdx.json");
    }

    /** The Debian packages that it is made of. */
    Path packages() {
        return beside(".packages");
    }

    private Path beside(String suffix) {
        return archive.resolveSibling(archive.getFileName() + suffix);
    }

    /** Its name: {@code localhost/sallyport:VERSION}, or what a cluster that was given calls it. */
    String reference() {
        String pushed = System.getProperty("sallyport.image", "");
        return pushed.isEmpty()
                ? file("manifest.json").path(0).path("RepoTags").path(0).stringValue()
                : pushed;
    }

    /** A JSON file of the archive. */
    JsonNode file(String name) {
        Ran ran = Ran.run("tar", "--extract", "--to-stdout", "--file", archive.toString(), name);
        if (ran.exit() != 0) {
            throw new AssertionError(ran.all());
        }
        return JsonMapper.shared().readTree(ran.out());
    }

    private boolean isFresh() {
        List<Path> products = List.of(archive, aotCache(), billOfMaterials(), packages());
        if (!products.stream().allMatch(Files::exists)) {
            return false;
        }
        FileTime made = time(archive);
        try (Stream<Path> recipe = Files.list(Distribution.home().resolve("deploy/image"))) {
            return Stream.of(
                            Distribution.jars().stream(),
                            recipe,
                            Stream.of(Distribution.home().resolve("config/jvm.options")))
                    .flatMap(files -> files)
                    .allMatch(file -> time(file).compareTo(made) < 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static FileTime time(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return archive.toString();
    }
}

package dev.sallyport.control.source;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a file to its objects. Total: whatever is in a file, even what trips over a bug of the
 * parser, is a reading.
 *
 * @param access how files are opened
 * @param maxBytes larger files are not read
 */
record FileReader(FileAccess access, int maxBytes) {
    private static final Logger log = LoggerFactory.getLogger(FileReader.class);

    /**
     * Reads a file. Safe from any thread.
     *
     * @param before what it held when it was last judged
     * @param objects whether it had objects then
     */
    Reading read(Path file, FileStamp stamp, Digest before, boolean objects) {
        if (!stamp.regular()) {
            Finding why = FolderWalk.unreadable(file, "not a regular file (expected: a file)");
            return new Reading.Unusable(Digest.NONE, why);
        }
        byte[] bytes;
        try (InputStream in = access.open(file)) {
            bytes = in.readNBytes(maxBytes + 1);
        } catch (IOException e) {
            return new Reading.Barred(FolderWalk.unreadable(file, FolderWalk.reason(e)));
        }
        if (bytes.length > maxBytes) {
            return new Reading.Unusable(Digest.NONE, tooLarge(file));
        }
        Digest digest = Digest.of(bytes);
        if (digest.equals(before)) {
            return new Reading.Unchanged();
        }
        if (objects && isBlank(bytes)) {
            return new Reading.Unusable(digest, blank(file));
        }
        return parse(file, bytes, digest);
    }

    private static Reading parse(Path file, byte[] bytes, Digest digest) {
        String name = PathText.of(file);
        try {
            return new Reading.Usable(
                    digest, ManifestReader.read(name, bytes), isEnded(name, bytes));
        } catch (Tree.Malformed malformed) {
            return new Reading.Unusable(digest, malformed(name, malformed));
        } catch (RuntimeException | StackOverflowError bug) {
            log.atError()
                    .setCause(bug)
                    .addKeyValue("file", name)
                    .log("A bug ended the reading of a file; the others are read on");
            var text = "the parser failed (" + bug.getClass().getSimpleName() + ")";
            return new Reading.Unusable(digest, malformed(name, new Tree.Malformed(0, text)));
        }
    }

    /** A part of JSON does not parse; one of YAML often does, but seldom ends with a line. */
    private static boolean isEnded(String name, byte[] bytes) {
        return name.toLowerCase(Locale.ROOT).endsWith(".json")
                || (bytes.length > 0 && bytes[bytes.length - 1] == '\n');
    }

    private static boolean isBlank(byte[] bytes) {
        for (byte b : bytes) {
            if (b != ' ' && b != '\n' && b != '\r' && b != '\t') {
                return false;
            }
        }
        return true;
    }

    private static Finding malformed(String name, Tree.Malformed malformed) {
        return Finding.of(
                        Reason.FILE_UNREADABLE,
                        ManifestReader.fileRef(name),
                        malformed.text(),
                        "Correct the file; what was good of it before stays in service.")
                .at(new Location(name, malformed.line()));
    }

    private static Finding blank(Path file) {
        String name = PathText.of(file);
        return Finding.of(
                        Reason.FILE_UNREADABLE,
                        ManifestReader.fileRef(name),
                        "the file is empty; its objects stay in service",
                        "Write it anew, or delete it to delete its objects.")
                .at(new Location(name, 0));
    }

    private Finding tooLarge(Path file) {
        String name = PathText.of(file);
        return Finding.of(
                        Reason.LIMIT_EXCEEDED,
                        ManifestReader.fileRef(name),
                        "larger than " + maxBytes + " bytes; it was not read",
                        "Divide it into smaller files.")
                .at(new Location(name, 0));
    }
}

package dev.sallyport.control.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** How files are seen and read. Safe from any thread. */
interface FileAccess {
    /** The file system itself. */
    FileAccess SYSTEM =
            new FileAccess() {
                @Override
                public BasicFileAttributes attributes(Path path, LinkOption... options)
                        throws IOException {
                    return Files.readAttributes(path, BasicFileAttributes.class, options);
                }

                @Override
                public InputStream open(Path file) throws IOException {
                    return Files.newInputStream(file);
                }
            };

    /** What is known of a path without reading it. */
    BasicFileAttributes attributes(Path path, LinkOption... options) throws IOException;

    /** The contents of a file. */
    InputStream open(Path file) throws IOException;

    /** The stamp of a file, through symbolic links; null where there is none. */
    default @Nullable FileStamp stamp(Path file) throws IOException {
        try {
            return FileStamp.of(attributes(file));
        } catch (NoSuchFileException gone) {
            return null;
        }
    }
}

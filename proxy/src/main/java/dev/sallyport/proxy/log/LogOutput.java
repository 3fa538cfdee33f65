package dev.sallyport.proxy.log;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** Where lines go. Confined to the writer's thread. */
interface LogOutput {

    void write(byte[] bytes, int length) throws IOException;

    void close() throws IOException;

    /** {@code stdout}, {@code stderr}, or a file to append to. */
    static LogOutput of(String output) {
        return switch (output) {
            case "stdout" -> new Descriptor(new FileOutputStream(FileDescriptor.out));
            case "stderr" -> new Descriptor(new FileOutputStream(FileDescriptor.err));
            default -> new AppendedFile(Path.of(output));
        };
    }

    /** The process' own output, which outlives the log. */
    record Descriptor(OutputStream stream) implements LogOutput {
        @Override
        public void write(byte[] bytes, int length) throws IOException {
            stream.write(bytes, 0, length);
        }

        @Override
        public void close() {}
    }

    /**
     * A file that others may rotate: each batch goes to what the path names at that moment, so that
     * both ways work, renaming (a new file is made) and copytruncate (writes append).
     */
    final class AppendedFile implements LogOutput {
        private final Path path;
        private @Nullable OutputStream stream;
        private @Nullable Object identity;

        AppendedFile(Path path) {
            this.path = path;
        }

        @Override
        public void write(byte[] bytes, int length) throws IOException {
            OutputStream open = stream;
            if (open == null || !isCurrent()) {
                close();
                open =
                        Files.newOutputStream(
                                path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                stream = open;
                identity = identityOf(path);
            }
            try {
                open.write(bytes, 0, length);
            } catch (IOException failed) {
                close();
                throw failed;
            }
        }

        @Override
        public void close() throws IOException {
            OutputStream open = stream;
            stream = null;
            if (open != null) {
                open.close();
            }
        }

        private boolean isCurrent() {
            try {
                Object now = identityOf(path);
                return now == null || now.equals(identity);
            } catch (IOException gone) {
                return false;
            }
        }

        /** The inode; null where the file system has none. */
        private static @Nullable Object identityOf(Path path) throws IOException {
            return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        }
    }
}

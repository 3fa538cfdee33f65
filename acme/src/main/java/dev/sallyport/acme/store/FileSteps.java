package dev.sallyport.acme.store;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The single steps that saving is made of, each of which a crash may come after. An interface, so
 * that tests can have one come after every one of them.
 */
interface FileSteps {

    /** Makes a folder that only its owner enters, unless it is there; where it is, closes it. */
    void folder(Path folder) throws IOException;

    /** Makes a file that only its owner reads, with these contents; one before is emptied. */
    void write(Path file, byte[] contents) throws IOException;

    /** Has a file's contents reach the disk. */
    void force(Path file) throws IOException;

    /** Gives a file another name, in place of whatever had it, at once. */
    void rename(Path from, Path to) throws IOException;

    /** Has a folder's names reach the disk. */
    void forceFolder(Path folder) throws IOException;

    /** Removes a file, if it is there. */
    void delete(Path file) throws IOException;

    /** The names in a folder; none where there is no folder. */
    List<String> list(Path folder) throws IOException;

    /**
     * A file's contents.
     *
     * @throws NoSuchFileException where there is none
     * @throws IOException where it is larger than {@code most} bytes, or not a plain file
     */
    byte[] read(Path file, int most) throws IOException;

    /** On the disk. */
    FileSteps DISK =
            new FileSteps() {
                private static final Set<PosixFilePermission> OWNER_ONLY =
                        PosixFilePermissions.fromString("rw-------");
                private static final Set<PosixFilePermission> FOLDER =
                        PosixFilePermissions.fromString("rwx------");

                @Override
                public void folder(Path folder) throws IOException {
                    if (!Files.isDirectory(folder)) {
                        Files.createDirectories(
                                folder, PosixFilePermissions.asFileAttribute(FOLDER));
                    }
                    if (!Files.getPosixFilePermissions(folder).equals(FOLDER)) {
                        Files.setPosixFilePermissions(folder, FOLDER);
                    }
                }

                @Override
                public void write(Path file, byte[] contents) throws IOException {
                    FileAttribute<?> ownerOnly = PosixFilePermissions.asFileAttribute(OWNER_ONLY);
                    Files.deleteIfExists(file); // with whatever rights it had
                    try (FileChannel channel =
                            FileChannel.open(
                                    file,
                                    EnumSet.of(
                                            StandardOpenOption.CREATE_NEW,
                                            StandardOpenOption.WRITE),
                                    ownerOnly)) {
                        ByteBuffer rest = ByteBuffer.wrap(contents);
                        while (rest.hasRemaining()) {
                            channel.write(rest);
                        }
                    }
                }

                @Override
                public void force(Path file) throws IOException {
                    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                        channel.force(true);
                    }
                }

                @Override
                public void rename(Path from, Path to) throws IOException {
                    try {
                        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
                    } catch (AtomicMoveNotSupportedException across) {
                        throw new IOException(to + ": its folder spans file systems", across);
                    }
                }

                @Override
                public void forceFolder(Path folder) throws IOException {
                    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                        channel.force(true);
                    }
                }

                @Override
                public void delete(Path file) throws IOException {
                    Files.deleteIfExists(file);
                }

                @Override
                public List<String> list(Path folder) throws IOException {
                    List<String> names = new ArrayList<>();
                    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
                        files.forEach(file -> names.add(file.getFileName().toString()));
                    } catch (NoSuchFileException | FileNotFoundException none) {
                        return List.of();
                    }
                    return names;
                }

                @Override
                public byte[] read(Path file, int most) throws IOException {
                    if (Files.notExists(file, LinkOption.NOFOLLOW_LINKS)) {
                        throw new NoSuchFileException(file.toString());
                    }
                    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                        throw new IOException("is not a plain file");
                    }
                    try (FileChannel channel =
                            FileChannel.open(
                                    file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
                        ByteBuffer contents = ByteBuffer.allocate(most + 1);
                        while (contents.hasRemaining() && channel.read(contents) >= 0) {
                            // until its end
                        }
                        if (!contents.hasRemaining()) {
                            throw new IOException("is larger than " + most + " bytes");
                        }
                        byte[] read = new byte[contents.position()];
                        contents.flip().get(read);
                        return read;
                    }
                }
            };
}

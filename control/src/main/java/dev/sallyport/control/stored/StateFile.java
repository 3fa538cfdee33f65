package dev.sallyport.control.stored;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of a stored state. It is replaced as a whole: written beside it, brought to the disk,
 * and renamed; whatever happens to the process or the machine, the file is the old one or the new
 * one. Only one gateway writes it at a time. Confined to one thread.
 */
final class StateFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StateFile.class);

    /** Some three times what 100,000 hosts take. */
    static final long LARGEST = 1L << 30;

    private static final FileAttribute<?> OURS_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final Path file;
    private final Path fresh;
    private final Path lock;
    private final StoreKey key;
    private final SecureRandom random;
    private @Nullable FileLock held;

    StateFile(Path file, StoreKey key, SecureRandom random) {
        this.file = file.toAbsolutePath();
        this.fresh = sibling(".new");
        this.lock = sibling(".lock");
        this.key = key;
        this.random = random;
    }

    /** What is in the file; empty where there is none. Never throws, not even for a bug. */
    Optional<Parsed<StoredState>> read(Executor parsers) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            long size = Files.size(file);
            if (size > LARGEST) {
                throw new Refused(
                        size + " bytes (expected: at most " + LARGEST + ")",
                        "Name a file of the gateway's own in kubernetes.last-known-good.file.");
            }
            return Optional.of(Parsed.usable(StateReader.read(new SealedReader(in, key), parsers)));
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (Refused why) {
            return Optional.of(Parsed.rejected(refused(why.problem(), why.advice())));
        } catch (IOException failed) {
            return Optional.of(
                    Parsed.rejected(
                            refused(
                                    "cannot be read: " + failed,
                                    "Let the gateway read the file and its folder.")));
        } catch (RuntimeException bug) { // which must not end the start: the source is waited for
            Throwable cause = bug instanceof CompletionException ? bug.getCause() : bug;
            LOG.atError().setCause(bug).log("A bug in reading the stored state");
            return Optional.of(
                    Parsed.rejected(
                            refused(
                                    "cannot be read by this version: " + cause,
                                    "Report this; the file is replaced once the API server has"
                                            + " answered.")));
        }
    }

    /**
     * Replaces the file.
     *
     * @return its size
     * @throws IOException where the old file stays
     */
    long write(StoredState state) throws IOException {
        requireLock();
        Files.deleteIfExists(fresh); // of a process that was killed; its mode may be another
        try (FileChannel channel =
                FileChannel.open(
                        fresh,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        attributes())) {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
            StateWriter.write(state, new SealedWriter(out, key, state.asOf(), random));
            out.flush();
            channel.force(true);
            long size = channel.size();
            if (size > LARGEST) {
                throw new IOException(size + " bytes (expected: at most " + LARGEST + ")");
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
            syncFolder();
            return size;
        } catch (IOException | RuntimeException failed) {
            dropUnfinished(failed); // a full disk needs the space
            throw failed;
        }
    }

    /** Lets another gateway write the file. */
    @Override
    public void close() {
        if (held != null) {
            try {
                held.acquiredBy().close();
            } catch (IOException _) {
                // The system takes it back with the process.
            }
            held = null;
        }
    }

    private void requireLock() throws IOException {
        if (held != null) {
            return;
        }
        FileChannel channel =
                FileChannel.open(
                        lock,
                        Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                        attributes());
        try {
            held = channel.tryLock();
        } catch (OverlappingFileLockException _) {
            held = null; // another of this process
        } catch (IOException failed) {
            channel.close();
            throw failed;
        }
        if (held == null) {
            channel.close();
            throw new IOException(
                    "another gateway writes it (expected: a file of its own for each)");
        }
    }

    private void dropUnfinished(Exception failed) {
        try {
            Files.deleteIfExists(fresh);
        } catch (IOException stays) {
            failed.addSuppressed(stays);
        }
    }

    /** Without it a machine that loses its power may come back with the old file: no harm. */
    private void syncFolder() {
        try (FileChannel folder = FileChannel.open(folder(), StandardOpenOption.READ)) {
            folder.force(true);
        } catch (IOException _) {
            // Not every system can.
        }
    }

    private FileAttribute<?>[] attributes() throws IOException {
        return Files.getFileStore(folder()).supportsFileAttributeView("posix")
                ? new FileAttribute<?>[] {OURS_ONLY}
                : new FileAttribute<?>[0];
    }

    private Path folder() {
        Path parent = file.getParent();
        if (parent == null) {
            throw new IllegalStateException(file + ": no folder"); // it is absolute
        }
        return parent;
    }

    private Path sibling(String ending) {
        return file.resolveSibling(file.getFileName() + ending);
    }

    private Finding refused(String message, String advice) {
        return Finding.of(
                Reason.STORED_STATE_REFUSED, LastKnownGood.REF, file + ": " + message, advice);
    }
}

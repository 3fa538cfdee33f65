package dev.sallyport.acme.store;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.store.FieldText.Malformed;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The store as a directory, for one process at a time: folders of 0700 with a file of 0600 for each
 * thing.
 *
 * <p>A file is written whole under another name, forced to the disk, renamed and its folder forced:
 * whatever ends the process, or the machine, the old contents are there or the new ones. Files keep
 * a checksum; what does not fit it is reported and left as it is. The lock is the operating
 * system's, which gives it back however the process ends.
 */
public final class DirectoryStore implements AcmeStore, AutoCloseable {
    /** The largest file that is read: a chain of sixteen certificates with 100 names each. */
    static final int MOST_BYTES = 256 * 1024;

    private static final String LOCK = "lock";
    private static final String ACCOUNTS = "accounts";
    private static final String ORDERS = "orders";
    private static final String CERTIFICATES = "certificates";

    /** No {@link CertificateId} and no issuer's name ends like this. */
    private static final String UNFINISHED = ".new~";

    private final Path root;
    private final FileSteps steps;
    private final @Nullable FileChannel lockFile;

    private DirectoryStore(Path root, FileSteps steps, @Nullable FileChannel lockFile) {
        this.root = root;
        this.steps = steps;
        this.lockFile = lockFile;
    }

    /**
     * Opens a directory, made where it is missing, and holds it against other processes until it is
     * closed.
     *
     * @throws IOException where it cannot be made or another process has it; the message is for
     *     people
     */
    public static DirectoryStore open(Path root) throws IOException {
        FileSteps.DISK.folder(root);
        FileChannel lockFile =
                FileChannel.open(
                        root.resolve(LOCK),
                        EnumSet.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")));
        try {
            @Nullable FileLock lock = tryLock(lockFile);
            if (lock == null) {
                throw new IOException(
                        root
                                + ": in use by another process (expected: a state directory of its"
                                + " own for each gateway)");
            }
            return open(root, FileSteps.DISK, lockFile);
        } catch (IOException | RuntimeException failed) {
            lockFile.close();
            throw failed;
        }
    }

    private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
        try {
            return file.tryLock();
        } catch (OverlappingFileLockException byThisProcess) {
            return null;
        }
    }

    /** As {@link #open(Path)}, without holding it, over steps that a test chose. */
    static DirectoryStore open(Path root, FileSteps steps) throws IOException {
        return open(root, steps, null);
    }

    private static DirectoryStore open(Path root, FileSteps steps, @Nullable FileChannel lockFile)
            throws IOException {
        for (String folder : new String[] {ACCOUNTS, ORDERS, CERTIFICATES}) {
            Path path = root.resolve(folder);
            steps.folder(path);
            for (String name : steps.list(path)) {
                if (name.endsWith(UNFINISHED)) {
                    steps.delete(path.resolve(name));
                }
            }
        }
        steps.forceFolder(root);
        return new DirectoryStore(root, steps, lockFile);
    }

    @Override
    public Parsed<Optional<StoredAccount>> account(Issuer issuer) {
        return read(
                ACCOUNTS,
                issuer.name(),
                text -> {
                    StoredAccount account = StoredForms.account(text);
                    // Under the same name another CA may have been configured since.
                    return account.directory().equals(issuer.directory())
                            ? Optional.of(account)
                            : Optional.empty();
                });
    }

    @Override
    public void save(StoredAccount account) throws IOException {
        write(ACCOUNTS, account.issuer(), StoredForms.of(account));
    }

    @Override
    public Parsed<Optional<StoredOrder>> order(CertificateId id) {
        return read(ORDERS, id.text(), text -> Optional.of(StoredForms.order(text)));
    }

    @Override
    public void save(StoredOrder order) throws IOException {
        write(ORDERS, order.id().text(), StoredForms.of(order));
    }

    @Override
    public void removeOrder(CertificateId id) throws IOException {
        remove(ORDERS, id);
    }

    @Override
    public Parsed<Optional<StoredCertificate>> certificate(CertificateId id) {
        return read(CERTIFICATES, id.text(), text -> Optional.of(StoredForms.certificate(text)));
    }

    @Override
    public void save(StoredCertificate certificate) throws IOException {
        write(CERTIFICATES, certificate.id().text(), StoredForms.of(certificate));
    }

    @Override
    public void removeCertificate(CertificateId id) throws IOException {
        remove(CERTIFICATES, id);
    }

    @Override
    public SortedSet<String> certificates() throws IOException {
        return names(CERTIFICATES);
    }

    @Override
    public SortedSet<String> orders() throws IOException {
        return names(ORDERS);
    }

    /** Gives the directory back. */
    @Override
    public void close() throws IOException {
        if (lockFile != null) {
            lockFile.close();
        }
    }

    /** What a file's fields mean. */
    private interface Form<T> {
        Optional<T> of(FieldText text) throws Malformed;
    }

    private <T> Parsed<Optional<T>> read(String folder, String name, Form<T> form) {
        Path file = root.resolve(folder).resolve(name);
        byte[] contents;
        try {
            contents = steps.read(file, MOST_BYTES);
        } catch (NoSuchFileException none) {
            return Parsed.usable(Optional.empty());
        } catch (IOException failed) {
            return Parsed.rejected(damaged(file, "cannot be read: " + failed.getMessage()));
        }
        try {
            FieldText text = FieldText.read(contents);
            try {
                return Parsed.usable(form.of(text));
            } finally {
                text.wipe();
            }
        } catch (Malformed why) {
            return Parsed.rejected(damaged(file, String.valueOf(why.getMessage())));
        } finally {
            Arrays.fill(contents, (byte) 0);
        }
    }

    private static Finding damaged(Path file, String what) {
        return Finding.of(
                Reason.ACME_STATE_DAMAGED,
                new ObjectRef("File", "", file.toString()),
                file + ": " + what,
                "Restore it from a backup, or move it away: a certificate or order is then made"
                        + " anew, an account registered anew.");
    }

    private synchronized void write(String folder, String name, FieldText text) throws IOException {
        byte[] contents = text.write();
        text.wipe();
        try {
            if (contents.length > MOST_BYTES) {
                throw new IOException(
                        name
                                + ": "
                                + contents.length
                                + " bytes (expected: at most "
                                + MOST_BYTES
                                + ")");
            }
            Path into = root.resolve(folder);
            Path unfinished = into.resolve(name + UNFINISHED);
            steps.write(unfinished, contents);
            steps.force(unfinished);
            steps.rename(unfinished, into.resolve(name));
            steps.forceFolder(into);
        } finally {
            Arrays.fill(contents, (byte) 0);
        }
    }

    private synchronized void remove(String folder, CertificateId id) throws IOException {
        Path from = root.resolve(folder);
        steps.delete(from.resolve(id.text()));
        steps.forceFolder(from);
    }

    private SortedSet<String> names(String folder) throws IOException {
        var names = new TreeSet<>(steps.list(root.resolve(folder)));
        names.removeIf(name -> name.endsWith(UNFINISHED));
        return names;
    }
}

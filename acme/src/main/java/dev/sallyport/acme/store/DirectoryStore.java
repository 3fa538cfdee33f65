package dev.sallyport.acme.store;

import dev.sallyport.acme.issuer.Fingerprint;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.store.FieldText.Malformed;
import dev.sallyport.model.finding.FileFault;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
    private static final String MEMORY = "memory";
    private static final String KEEPER = "keeper";

    /** Since the first version. */
    private static final List<String> ALWAYS = List.of(LOCK, ACCOUNTS, ORDERS, CERTIFICATES);

    /** What may be in an otherwise empty one: a file system's own, at its root. */
    private static final Set<String> OURS =
            Set.of(LOCK, ACCOUNTS, ORDERS, CERTIFICATES, MEMORY, "lost+found");

    /** No {@link CertificateId} and no issuer's name ends like this. */
    private static final String UNFINISHED = ".new~";

    /**
     * What this process holds, by real path: whoever closes a file gives back all of the process's
     * locks of it, so that a second try must not even open it.
     */
    private static final Set<Path> HELD = new HashSet<>();

    private final Path root;
    private final FileSteps steps;
    private final @Nullable Lock lock;

    /** A directory that is held. */
    private record Lock(Path held, FileChannel file) {}

    private DirectoryStore(Path root, FileSteps steps, @Nullable Lock lock) {
        this.root = root;
        this.steps = steps;
        this.lock = lock;
    }

    /**
     * Opens a directory, made where it is missing, and holds it against other processes, and others
     * in this one, until it is closed. One that is there is closed to others where it is empty or a
     * state folder.
     *
     * @throws UnusableStateFolder where it cannot be made, somebody else has it, or it is of
     *     another purpose; that is left as it is
     */
    public static DirectoryStore open(Path root) throws UnusableStateFolder {
        return hold(root, FileSteps.DISK);
    }

    /** As {@link #open(Path)}, over steps that a test chose. */
    static DirectoryStore hold(Path root, FileSteps steps) throws UnusableStateFolder {
        try {
            if (Files.isDirectory(root)) {
                refuseForeign(root, steps.list(root));
            }
            make(root, steps);
            Lock lock = lock(root);
            try {
                return open(root, steps, lock);
            } catch (IOException | RuntimeException failed) {
                unlock(lock);
                throw failed;
            }
        } catch (UnusableStateFolder said) {
            throw said;
        } catch (IOException failed) {
            throw UnusableStateFolder.of(root, failed);
        }
    }

    /**
     * Whether a folder is ours: with nothing in it but what we put there, or with all of that.
     * Others' would be shut to its users.
     */
    private static void refuseForeign(Path root, List<String> names) throws UnusableStateFolder {
        List<String> foreign =
                names.stream().filter(name -> !OURS.contains(name)).sorted().toList();
        if (!foreign.isEmpty() && !names.containsAll(ALWAYS)) {
            throw UnusableStateFolder.foreign(root, foreign);
        }
    }

    /** Makes a folder, with those above that are missing, each of which reaches the disk. */
    static void make(Path folder, FileSteps steps) throws IOException {
        Deque<Path> missing = new ArrayDeque<>();
        Path each = folder.toAbsolutePath().normalize();
        while (each != null && !Files.isDirectory(each)) {
            missing.addFirst(each);
            each = each.getParent();
        }
        for (Path one : missing) {
            steps.folder(one);
            Path above = one.getParent();
            if (above != null) {
                steps.forceFolder(above);
            }
        }
        steps.folder(folder);
    }

    private static Lock lock(Path root) throws IOException {
        Path real = root.toRealPath();
        synchronized (HELD) {
            if (!HELD.add(real)) {
                throw UnusableStateFolder.inUse(root);
            }
        }
        try {
            FileChannel file =
                    FileChannel.open(
                            root.resolve(LOCK),
                            EnumSet.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString("rw-------")));
            var lock = new Lock(real, file);
            if (file.tryLock() == null) {
                file.close();
                throw UnusableStateFolder.inUse(root);
            }
            return lock;
        } catch (IOException | RuntimeException failed) {
            synchronized (HELD) {
                HELD.remove(real);
            }
            throw failed;
        }
    }

    private static void unlock(Lock lock) throws IOException {
        if (lock.file().isOpen()) {
            lock.file().close();
            synchronized (HELD) {
                HELD.remove(lock.held());
            }
        }
    }

    /** As {@link #open(Path)}, without holding it, over steps that a test chose. */
    static DirectoryStore open(Path root, FileSteps steps) throws IOException {
        return open(root, steps, null);
    }

    private static DirectoryStore open(Path root, FileSteps steps, @Nullable Lock lock)
            throws IOException {
        for (String folder : new String[] {ACCOUNTS, ORDERS, CERTIFICATES, MEMORY}) {
            Path path = root.resolve(folder);
            steps.folder(path);
            for (String name : steps.list(path)) {
                if (name.endsWith(UNFINISHED)) {
                    steps.delete(path.resolve(name));
                }
            }
        }
        steps.forceFolder(root);
        return new DirectoryStore(root, steps, lock);
    }

    @Override
    public Parsed<Optional<StoredAccount>> account(Issuer issuer) {
        Parsed<Optional<StoredAccount>> found =
                account(accountFile(issuer.name(), issuer.directory()), issuer.directory());
        return found instanceof Parsed.Usable<Optional<StoredAccount>> usable
                        && usable.value().isEmpty()
                ? account(issuer.name(), issuer.directory())
                : found;
    }

    private Parsed<Optional<StoredAccount>> account(String file, URI directory) {
        return read(
                ACCOUNTS,
                file,
                text -> {
                    StoredAccount account = StoredForms.account(text);
                    return account.directory().equals(directory)
                            ? Optional.of(account)
                            : Optional.empty();
                });
    }

    @Override
    public void save(StoredAccount account) throws IOException {
        write(
                ACCOUNTS,
                accountFile(account.issuer(), account.directory()),
                StoredForms.of(account));
        // As the first versions named it; another directory's account is left for its return.
        boolean old =
                account(account.issuer(), account.directory())
                                instanceof Parsed.Usable<Optional<StoredAccount>> usable
                        && usable.value().isPresent();
        if (old) {
            remove(ACCOUNTS, account.issuer());
        }
    }

    /**
     * Of an account: under one name another CA may be configured one day, and the one before again
     * the day after. No issuer's name has a dot.
     */
    static String accountFile(String issuer, URI directory) {
        return issuer
                + "."
                + Fingerprint.of(8, directory.toString().getBytes(StandardCharsets.UTF_8));
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
        remove(ORDERS, id.text());
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
        remove(CERTIFICATES, id.text());
    }

    @Override
    public SortedSet<String> certificates() throws IOException {
        return names(CERTIFICATES);
    }

    @Override
    public SortedSet<String> orders() throws IOException {
        return names(ORDERS);
    }

    @Override
    public Parsed<Optional<StoredMemory>> memory() {
        return read(MEMORY, KEEPER, text -> Optional.of(StoredForms.memory(text)));
    }

    @Override
    public void save(StoredMemory memory) throws IOException {
        write(MEMORY, KEEPER, StoredForms.of(memory));
    }

    /** Gives the directory back. */
    @Override
    public void close() throws IOException {
        if (lock != null) {
            unlock(lock);
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
            return Parsed.rejected(damaged(file, "cannot be read: " + FileFault.of(failed)));
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

    private synchronized void remove(String folder, String name) throws IOException {
        Path from = root.resolve(folder);
        steps.delete(from.resolve(name));
        steps.forceFolder(from);
    }

    private SortedSet<String> names(String folder) throws IOException {
        var names = new TreeSet<>(steps.list(root.resolve(folder)));
        names.removeIf(name -> name.endsWith(UNFINISHED));
        return names;
    }
}

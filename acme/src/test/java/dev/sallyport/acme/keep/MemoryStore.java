package dev.sallyport.acme.keep;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.store.AcmeStore;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.acme.store.StoredMemory;
import dev.sallyport.acme.store.StoredOrder;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A store that forgets at its end, and fails where it is told to. */
final class MemoryStore implements AcmeStore {
    final Map<String, StoredAccount> accounts = new ConcurrentHashMap<>();
    final Map<String, StoredOrder> orders = new ConcurrentHashMap<>();
    final Map<String, StoredCertificate> certificates = new ConcurrentHashMap<>();
    final Set<String> damaged = ConcurrentHashMap.newKeySet();
    final AtomicInteger memories = new AtomicInteger();
    volatile @Nullable StoredMemory memory;
    volatile boolean memoryDamaged;
    volatile boolean unreadable;
    volatile boolean unwritable;

    @Override
    public Parsed<Optional<StoredAccount>> account(Issuer issuer) {
        return Parsed.usable(
                Optional.ofNullable(accounts.get(issuer.name()))
                        .filter(it -> it.directory().equals(issuer.directory())));
    }

    @Override
    public void save(StoredAccount account) throws IOException {
        requireWritable();
        accounts.put(account.issuer(), account);
    }

    @Override
    public Parsed<Optional<StoredOrder>> order(CertificateId id) {
        return Parsed.usable(Optional.ofNullable(orders.get(id.text())));
    }

    @Override
    public void save(StoredOrder order) throws IOException {
        requireWritable();
        orders.put(order.id().text(), order);
    }

    @Override
    public void removeOrder(CertificateId id) throws IOException {
        requireWritable();
        orders.remove(id.text());
    }

    @Override
    public Parsed<Optional<StoredCertificate>> certificate(CertificateId id) {
        return damaged.contains(id.text())
                ? Parsed.rejected(
                        Finding.of(
                                Reason.ACME_STATE_DAMAGED,
                                new ObjectRef("File", "", id.text()),
                                id + ": bits fell over",
                                "Set them up again."))
                : Parsed.usable(Optional.ofNullable(certificates.get(id.text())));
    }

    @Override
    public void save(StoredCertificate certificate) throws IOException {
        requireWritable();
        certificates.put(certificate.id().text(), certificate);
    }

    @Override
    public void removeCertificate(CertificateId id) throws IOException {
        requireWritable();
        certificates.remove(id.text());
    }

    @Override
    public SortedSet<String> certificates() throws IOException {
        requireReadable();
        var all = new TreeSet<>(certificates.keySet());
        all.addAll(damaged);
        return all;
    }

    @Override
    public SortedSet<String> orders() throws IOException {
        requireReadable();
        return new TreeSet<>(orders.keySet());
    }

    @Override
    public Parsed<Optional<StoredMemory>> memory() {
        return memoryDamaged
                ? Parsed.rejected(
                        Finding.of(
                                Reason.ACME_STATE_DAMAGED,
                                new ObjectRef("File", "", "keeper"),
                                "keeper: bits fell over",
                                "Set them up again."))
                : Parsed.usable(Optional.ofNullable(memory));
    }

    @Override
    public void save(StoredMemory saved) throws IOException {
        requireWritable();
        memory = saved;
        memories.incrementAndGet();
    }

    private void requireReadable() throws IOException {
        if (unreadable) {
            throw new IOException("the disk is asleep");
        }
    }

    private void requireWritable() throws IOException {
        if (unwritable) {
            throw new IOException("the disk is full");
        }
    }
}

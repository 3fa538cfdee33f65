package dev.sallyport.acme.store;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.model.finding.Parsed;
import java.io.IOException;
import java.util.Optional;
import java.util.SortedSet;

/**
 * Keeps what must outlive the process. What a method has saved when it returns is there after
 * whatever kind of end, and what it replaced is there until then: never half of it, never neither.
 *
 * <p>Reading answers {@link Parsed.Rejected} where something is there but damaged or not readable:
 * that is not the same as nothing, and nobody may write over it thinking so. Safe from any thread;
 * does input and output.
 */
public interface AcmeStore {

    /** The account at an issuer's directory, if there is one. */
    Parsed<Optional<StoredAccount>> account(Issuer issuer);

    /**
     * Saves an account in place of the one before.
     *
     * @throws IOException where it is not saved for sure
     */
    void save(StoredAccount account) throws IOException;

    /** The order in progress for a certificate, if there is one. */
    Parsed<Optional<StoredOrder>> order(CertificateId id);

    /**
     * Saves an order in place of the one before.
     *
     * @throws IOException where it is not saved for sure
     */
    void save(StoredOrder order) throws IOException;

    /**
     * Forgets an order, if there is one.
     *
     * @throws IOException where it may be there again after a crash
     */
    void removeOrder(CertificateId id) throws IOException;

    /** An issued certificate, if there is one. */
    Parsed<Optional<StoredCertificate>> certificate(CertificateId id);

    /**
     * Saves a certificate in place of the one before.
     *
     * @throws IOException where it is not saved for sure
     */
    void save(StoredCertificate certificate) throws IOException;

    /**
     * Forgets a certificate, if there is one.
     *
     * @throws IOException where it may be there again after a crash
     */
    void removeCertificate(CertificateId id) throws IOException;

    /**
     * Which certificates there are, the damaged ones too.
     *
     * @throws IOException where that cannot be told
     */
    SortedSet<String> certificates() throws IOException;

    /**
     * For which certificates there are orders in progress.
     *
     * @throws IOException where that cannot be told
     */
    SortedSet<String> orders() throws IOException;

    /** What was to be remembered, if anything was; nothing where the store does not do that. */
    default Parsed<Optional<StoredMemory>> memory() {
        return Parsed.usable(Optional.empty());
    }

    /**
     * Remembers this in place of what was before, where the store does that.
     *
     * @throws IOException where it is not saved for sure
     */
    default void save(StoredMemory memory) throws IOException {}
}

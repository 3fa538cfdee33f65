package dev.sallyport.app.takeover;

import dev.sallyport.model.finding.Finding;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What another program kept, as it was written: nothing of it is proven.
 *
 * @param certificates with their keys
 * @param accounts with their keys
 * @param findings what could not even be read as one of them
 */
record Foreign(List<Certificate> certificates, List<Account> accounts, List<Finding> findings) {
    Foreign {
        certificates = List.copyOf(certificates);
        accounts = List.copyOf(accounts);
        findings = List.copyOf(findings);
    }

    /** Whoever took what it wanted wipes the keys. */
    void wipe() {
        certificates.forEach(it -> Arrays.fill(it.key(), (byte) 0));
        accounts.forEach(it -> Arrays.fill(it.key(), (byte) 0));
    }

    /**
     * A certificate.
     *
     * @param entry where it stands, for people
     * @param chain PEM
     * @param key PEM
     * @param directory the CA's, where that is known
     * @param location its URL at the CA, where that is known
     */
    @SuppressWarnings("ArrayRecordComponent") // short-lived, never compared, and wiped after use
    record Certificate(
            String entry,
            byte[] chain,
            byte[] key,
            Optional<URI> directory,
            Optional<URI> location) {
        /** Says nothing of the contents. */
        @Override
        public String toString() {
            return "Certificate[" + entry + "]";
        }
    }

    /**
     * An account.
     *
     * @param entry where it stands, for people
     * @param key PEM
     * @param directory the CA's, where that is known
     * @param location the account's URL
     */
    @SuppressWarnings("ArrayRecordComponent") // short-lived, never compared, and wiped after use
    record Account(String entry, byte[] key, Optional<URI> directory, URI location) {
        /** Says nothing of the contents. */
        @Override
        public String toString() {
            return "Account[" + entry + "]";
        }
    }
}

package dev.sallyport.acme.store;

import java.net.URI;
import java.util.Optional;

/**
 * An account at a CA.
 *
 * @param issuer the configured issuer's name
 * @param directory the CA's directory: an account is worth nothing at another
 * @param key its key
 * @param nextKey the key it is being changed to: which of the two the CA knows is asked before
 *     anything is signed
 * @param location its URL; empty until the CA has said it. The key is stored before the CA is
 *     asked, so that a crash in between loses no account
 */
public record StoredAccount(
        String issuer,
        URI directory,
        KeyMaterial key,
        Optional<KeyMaterial> nextKey,
        Optional<URI> location) {

    /** At its URL. */
    public StoredAccount at(URI url) {
        return new StoredAccount(issuer, directory, key, nextKey, Optional.of(url));
    }

    /** On its way to another key. */
    public StoredAccount changingTo(KeyMaterial next) {
        return new StoredAccount(issuer, directory, key, Optional.of(next), location);
    }

    /** With a key for good. */
    public StoredAccount withKey(KeyMaterial settled) {
        return new StoredAccount(issuer, directory, settled, Optional.empty(), location);
    }
}

package dev.sallyport.model.certificate;

import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;

/** Proves that a private key belongs to a certificate. Safe from several threads at once. */
@FunctionalInterface
public interface KeyProof {
    /** The certificate verifies what the key signs: a millisecond, and the JDK alone. */
    KeyProof BY_SIGNATURE = SignatureProof::holds;

    /**
     * Whether they belong together.
     *
     * @param leaf with a public key for RSA, ECDSA or Ed25519
     * @param pkcs8 the private key as a PKCS#8 structure; neither kept nor changed
     * @throws GeneralSecurityException where the key cannot be used, whatever the certificate
     */
    boolean holds(X509Certificate leaf, byte[] pkcs8) throws GeneralSecurityException;
}

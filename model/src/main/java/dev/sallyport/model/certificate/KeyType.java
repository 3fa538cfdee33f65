package dev.sallyport.model.certificate;

/**
 * The kinds of key that can be served, in the order in which the gateway prefers them for one host.
 */
public enum KeyType {
    /** ECDSA on P-256, P-384 or P-521: small and fast. */
    ECDSA,
    /** RSA of 2048 bits or more: for clients that know nothing else. */
    RSA,
    /** Ed25519: after the others, since browsers do not accept it. */
    ED25519
}

package dev.sallyport.acme.plan;

/** What an order is to a CA that counts. */
public enum OrderKind {
    /** For identifiers that had no certificate from this issuer. */
    FIRST,
    /** For identifiers that had one. */
    RENEWAL,
    /** A renewal that says which certificate it replaces (RFC 9773). */
    REPLACEMENT
}

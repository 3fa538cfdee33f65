package dev.sallyport.model.listener;

/** Mozilla's server-side TLS recommendations by name. */
public enum TlsProfile {
    /** TLS 1.2 with AEAD suites and forward secrecy, and TLS 1.3. */
    INTERMEDIATE,
    /** TLS 1.3 only. */
    MODERN
}

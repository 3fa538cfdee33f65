package dev.sallyport.tls.context;

/** The native library does not take a certificate or its key. */
final class CredentialRefused extends RuntimeException {
    private static final long serialVersionUID = 1;

    CredentialRefused(Exception cause) {
        super(cause.getMessage(), cause);
    }
}

package dev.sallyport.tls.context;

import org.jspecify.annotations.Nullable;

/** The native TLS library is missing or does not do what the gateway relies on. */
public final class NativeTlsUnavailable extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String advice;

    NativeTlsUnavailable(String problem, String advice, @Nullable Throwable cause) {
        super(problem, cause);
        this.advice = advice;
    }

    /** What to do about it, as an imperative sentence. */
    public String advice() {
        return advice;
    }
}

package dev.sallyport.proxy.listen;

/** The system interface that was asked for cannot be used here; the message says what to do. */
public final class TransportUnavailable extends RuntimeException {
    private static final long serialVersionUID = 1;

    TransportUnavailable(String message, Throwable cause) {
        super(message, cause);
    }
}

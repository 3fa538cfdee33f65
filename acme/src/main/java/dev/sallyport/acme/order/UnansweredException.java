package dev.sallyport.acme.order;

import java.io.IOException;

/** What the CA was asked to do may have been done: no answer came, or none that could be read. */
final class UnansweredException extends IOException {
    private static final long serialVersionUID = 1;

    UnansweredException(IOException cause) {
        super(cause.getMessage(), cause);
    }
}

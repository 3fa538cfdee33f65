package dev.sallyport.acme.order;

import org.shredzone.acme4j.exception.AcmeException;

/** The CA has nothing at a URL that it named once (status 404 or 410), however it words that. */
final class GoneException extends AcmeException {
    private static final long serialVersionUID = 1;

    GoneException(String message, Throwable cause) {
        super(message, cause);
    }
}

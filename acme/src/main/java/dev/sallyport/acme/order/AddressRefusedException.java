package dev.sallyport.acme.order;

import java.io.IOException;

/** A URL that a CA named, or its own, is not one that may be asked. Nothing was sent. */
final class AddressRefusedException extends IOException {
    private static final long serialVersionUID = 1;

    AddressRefusedException(String message) {
        super(message);
    }
}

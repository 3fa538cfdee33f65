package dev.sallyport.acme.challenge;

/** A proof could not be shown, or not everybody answered with it in time. */
public final class NotPresentedException extends Exception {
    private static final long serialVersionUID = 1;

    /**
     * Says who did not answer.
     *
     * @param message for people
     */
    public NotPresentedException(String message) {
        super(message);
    }
}

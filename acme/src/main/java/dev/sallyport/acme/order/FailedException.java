package dev.sallyport.acme.order;

import dev.sallyport.acme.plan.Cause;

/** What is asked for cannot be had; carries the cause out of the steps to whoever began them. */
public final class FailedException extends Exception {
    private static final long serialVersionUID = 1;

    private final transient Cause cause;

    /** For this cause. */
    public FailedException(Cause cause) {
        super(cause.detail(), null, false, false);
        this.cause = cause;
    }

    /** Why. */
    public Cause why() {
        return cause;
    }
}

package dev.sallyport.acme.order;

import dev.sallyport.acme.plan.Cause;

/** What is asked for cannot be had; carries the cause out of the steps to whoever began them. */
public final class FailedException extends Exception {
    private static final long serialVersionUID = 1;

    private final transient Cause cause;
    private final boolean interrupted;

    /** For this cause. */
    public FailedException(Cause cause) {
        this(cause, false);
    }

    private FailedException(Cause cause, boolean interrupted) {
        super(cause.detail(), null, false, false);
        this.cause = cause;
        this.interrupted = interrupted;
    }

    /** Because the thread was interrupted while it waited for the CA. */
    static FailedException ofInterruption() {
        return new FailedException(new Cause.Unreachable("interrupted"), true);
    }

    /** Whether it did not fail, but was ended by ourselves. */
    boolean isInterruption() {
        return interrupted;
    }

    /** Why. */
    public Cause why() {
        return cause;
    }
}

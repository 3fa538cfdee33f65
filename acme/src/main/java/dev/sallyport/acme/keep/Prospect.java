package dev.sallyport.acme.keep;

/**
 * Whether somebody else may be about to serve a host whose certificate is wanted: a first order
 * waits for that. The more is open the later it comes.
 */
public enum Prospect {
    /** Nobody is. */
    NONE,
    /** A Secret is named for it that does not exist: it may be applied in a moment. */
    EXPECTED,
    /** A Secret is named for it of which nobody knows yet whether it exists. */
    AWAITED;

    /**
     * What a Secret that is named makes of it.
     *
     * @param awaited whether nobody knows yet whether it exists
     * @param exists whether it does, as far as is known
     */
    public static Prospect of(boolean awaited, boolean exists) {
        return awaited ? AWAITED : exists ? NONE : EXPECTED;
    }

    /** What both together make of it. */
    public Prospect or(Prospect other) {
        return compareTo(other) >= 0 ? this : other;
    }
}

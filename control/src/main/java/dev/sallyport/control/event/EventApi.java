package dev.sallyport.control.event;

/** Where Events are written. */
interface EventApi {

    /**
     * Makes the Event that says this, or has the one that says it already say that it happened
     * again. Throws unchecked exceptions where that failed; {@link
     * dev.sallyport.control.call.ApiFault} says of what.
     *
     * @param first whether an Event that is there already says enough
     * @return whether anything was written
     */
    boolean tell(Statement statement, boolean first) throws InterruptedException;
}

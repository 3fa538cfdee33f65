package dev.sallyport.control.status;

/** Where statuses are written. */
interface StatusApi {

    /**
     * Makes an Ingress say what was planned, if it is still the version that was planned for.
     * Throws unchecked exceptions where that failed; {@link dev.sallyport.control.call.ApiFault}
     * says of what. Safe from several threads at once.
     */
    void write(StatusPlan.Change change) throws InterruptedException;
}

package dev.sallyport.app.admin;

/**
 * Whether traffic should be sent here.
 *
 * @param ready whether it should
 * @param message one line for people: why not
 */
public record Readiness(boolean ready, String message) {

    /** It should. */
    public static final Readiness READY = new Readiness(true, "ready");

    /** It should not. */
    public static Readiness notYet(String why) {
        return new Readiness(false, why);
    }
}

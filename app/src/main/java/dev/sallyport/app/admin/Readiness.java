package dev.sallyport.app.admin;

import java.time.Instant;

/**
 * Whether traffic should be sent here.
 *
 * @param ready whether it should
 * @param message one line for people: why not, or what is odd about it
 */
public record Readiness(boolean ready, String message) {

    /** It should. */
    public static final Readiness READY = new Readiness(true, "ready");

    /** It should, though what is served is as it was then. */
    public static Readiness staleSince(Instant asOf) {
        return new Readiness(true, "ready; stale since " + asOf);
    }

    /** It should not: what is served is as it was then, and stays so until a right is granted. */
    public static Readiness refused(Instant asOf, String what) {
        return notYet("stale since " + asOf + ", and refused " + what);
    }

    /** It should not. */
    public static Readiness notYet(String why) {
        return new Readiness(false, why);
    }
}

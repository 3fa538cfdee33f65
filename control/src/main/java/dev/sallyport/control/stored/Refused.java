package dev.sallyport.control.stored;

/** A stored state that must not be used: not one bit of it was. */
final class Refused extends Exception {
    private static final long serialVersionUID = 1;

    private final String problem;
    private final String advice;

    Refused(String problem, String advice) {
        super(problem);
        this.problem = problem;
        this.advice = advice;
    }

    /** It is not as it was written, for whatever reason. */
    static Refused damaged(String what) {
        return new Refused(
                what + " (expected: the file as it was written)",
                "Look for a full or failing disk, and for who else writes there; the file is"
                        + " replaced once the API server has answered.");
    }

    /** Why not, with what was expected. */
    String problem() {
        return problem;
    }

    /** What to do about it. */
    String advice() {
        return advice;
    }
}

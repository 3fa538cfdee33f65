package dev.sallyport.app.wire;

/** The gateway cannot be started for a reason outside the program. */
public final class StartFailed extends Exception {
    private static final long serialVersionUID = 1;

    private final String advice;

    StartFailed(String problem, String advice) {
        super(problem);
        this.advice = advice;
    }

    /** What to do about it, as an imperative sentence. */
    public String advice() {
        return advice;
    }
}

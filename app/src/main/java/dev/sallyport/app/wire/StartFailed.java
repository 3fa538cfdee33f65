package dev.sallyport.app.wire;

/** The gateway cannot be started for a reason outside the program. */
public final class StartFailed extends Exception {
    private static final long serialVersionUID = 1;

    private final String advice;
    private final boolean configured;

    private StartFailed(String problem, String advice, boolean configured) {
        super(problem);
        this.advice = advice;
        this.configured = configured;
    }

    StartFailed(String problem, String advice) {
        this(problem, advice, false);
    }

    /** For what somebody wrote: it will be no better the next time. */
    static StartFailed configured(String problem, String advice) {
        return new StartFailed(problem, advice, true);
    }

    /** What to do about it, as an imperative sentence. */
    public String advice() {
        return advice;
    }

    /** Whether something that is configured is wrong, rather than something that is not there. */
    public boolean isConfigured() {
        return configured;
    }
}

package dev.sallyport.control.call;

import io.fabric8.kubernetes.client.KubernetesClientException;

/** What a call of the API server failed of, as far as it matters what to do next. */
public enum ApiFault {
    /** Somebody else was faster, or the object is there already. */
    CONFLICT,
    /** The object is gone. */
    GONE,
    /** A right is lacking, or the namespace is being deleted: nothing will change in seconds. */
    FORBIDDEN,
    /** The API server will never take this. */
    INVALID,
    /**
     * It may be better later: no answer, too many requests, a fault of the API server, a token that
     * is about to be replaced.
     */
    PASSING;

    private static final int BAD_REQUEST = 400;
    private static final int NO_RIGHT = 403;
    private static final int NOT_FOUND = 404;
    private static final int TAKEN = 409;
    private static final int TOO_LARGE = 413;
    private static final int UNPROCESSABLE = 422;

    /** What the API server answered, or why it did not; for people. */
    public static String answer(Throwable thrown) {
        Throwable root = thrown;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        if (thrown instanceof KubernetesClientException answered && answered.getCode() > 0) {
            return String.valueOf(answered.getMessage());
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }

    /** The fault behind what a call threw. */
    public static ApiFault of(RuntimeException thrown) {
        if (!(thrown instanceof KubernetesClientException answered)) {
            return PASSING;
        }
        return switch (answered.getCode()) {
            case TAKEN -> CONFLICT;
            case NOT_FOUND -> GONE;
            case NO_RIGHT -> FORBIDDEN;
            case BAD_REQUEST, TOO_LARGE, UNPROCESSABLE -> INVALID;
            default -> PASSING;
        };
    }
}

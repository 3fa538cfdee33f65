package dev.sallyport.tls.certificate;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;

/**
 * Ends the reading of a Secret; becomes its finding. Without a stack trace: it is no fault of ours.
 */
final class Unusable extends Exception {
    private static final long serialVersionUID = 1;

    private final Reason reason;
    private final String advice;

    Unusable(Reason reason, String message, String advice) {
        super(message, null, false, false);
        this.reason = reason;
        this.advice = advice;
    }

    Finding about(ObjectRef origin) {
        return Finding.of(reason, origin, text(), advice);
    }

    private String text() {
        String message = getMessage();
        return message == null ? "" : message;
    }
}

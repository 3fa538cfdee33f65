package dev.sallyport.model.finding;

import dev.sallyport.model.name.ObjectRef;
import java.util.Comparator;
import java.util.Optional;

/**
 * A remark about one object. Its texts are fit to be printed, whatever people wrote into the object
 * ({@link PlainText}).
 *
 * @param reason what kind of remark
 * @param object the object at fault
 * @param location where it stands, if it came from a file
 * @param message what is wrong, with the value at fault; never key material
 * @param advice what to do about it, as an imperative sentence; may be empty for {@link
 *     Severity#INFO}
 */
public record Finding(
        Reason reason,
        ObjectRef object,
        Optional<Location> location,
        String message,
        String advice) {
    public Finding {
        message = PlainText.of(message);
        advice = PlainText.of(advice);
    }

    /**
     * Errors first, then by object, reason and message: a stable order for people and for golden
     * files.
     */
    public static final Comparator<Finding> ORDER =
            Comparator.comparing(Finding::severity)
                    .thenComparing(Finding::object, ObjectRef.ORDER)
                    .thenComparing(Finding::reason)
                    .thenComparing(Finding::message);

    /** A finding whose place in a file is not known, or not known yet. */
    public static Finding of(Reason reason, ObjectRef object, String message, String advice) {
        return new Finding(reason, object, Optional.empty(), message, advice);
    }

    /** This finding at a place in a file. */
    public Finding at(Location place) {
        return new Finding(reason, object, Optional.of(place), message, advice);
    }

    /** How much it matters. */
    public Severity severity() {
        return reason.severity();
    }
}

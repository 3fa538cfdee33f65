package dev.sallyport.model.finding;

import java.util.List;

/**
 * What became of something written by a user: a value, perhaps with remarks, or only remarks.
 *
 * @param <T> the value type
 */
public sealed interface Parsed<T> {

    /** What was noticed on the way. */
    List<Finding> findings();

    /** A value that can be put in service. */
    record Usable<T>(T value, List<Finding> findings) implements Parsed<T> {
        public Usable {
            findings = List.copyOf(findings);
        }
    }

    /** Nothing that could be put in service, and why. There is at least one finding. */
    record Rejected<T>(List<Finding> findings) implements Parsed<T> {
        public Rejected {
            findings = List.copyOf(findings);
            if (findings.isEmpty()) {
                throw new IllegalArgumentException(
                        "findings: none (expected: the reason for the rejection)");
            }
        }
    }

    /** A value without remarks. */
    static <T> Parsed<T> usable(T value) {
        return new Usable<>(value, List.of());
    }

    /** A rejection for one reason. */
    static <T> Parsed<T> rejected(Finding why) {
        return new Rejected<>(List.of(why));
    }
}

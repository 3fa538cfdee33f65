package dev.sallyport.control.resource;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a source saw since its last update.
 *
 * @param changes at most one for each object
 * @param findings by whatever the source divides its remarks by (a file); an empty list takes back
 *     what was said before
 * @param unreadable objects that were looked for, and of which nothing can be known: neither that
 *     they exist nor that they do not
 */
public record SourceUpdate(
        List<ResourceChange> changes,
        Map<String, List<Finding>> findings,
        Set<ObjectRef> unreadable) {
    /**
     * What the finding is divided by that says that all objects are as they were stored: nothing
     * may be written to an API server on their account.
     */
    public static final String STALENESS = "staleness";

    public SourceUpdate {
        changes = List.copyOf(changes);
        findings = Map.copyOf(findings);
        unreadable = Set.copyOf(unreadable);
    }

    /** Of a source that reads whatever there is. */
    public SourceUpdate(List<ResourceChange> changes, Map<String, List<Finding>> findings) {
        this(changes, findings, Set.of());
    }

    /** Whether nothing changed. */
    public boolean isEmpty() {
        return changes.isEmpty() && findings.isEmpty() && unreadable.isEmpty();
    }
}

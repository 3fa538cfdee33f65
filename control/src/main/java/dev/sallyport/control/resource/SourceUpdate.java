package dev.sallyport.control.resource;

import dev.sallyport.model.finding.Finding;
import java.util.List;
import java.util.Map;

/**
 * What a source saw since its last update.
 *
 * @param changes at most one for each object
 * @param findings by whatever the source divides its remarks by (a file); an empty list takes back
 *     what was said before
 */
public record SourceUpdate(List<ResourceChange> changes, Map<String, List<Finding>> findings) {
    public SourceUpdate {
        changes = List.copyOf(changes);
        findings = Map.copyOf(findings);
    }

    /** Whether nothing changed. */
    public boolean isEmpty() {
        return changes.isEmpty() && findings.isEmpty();
    }
}

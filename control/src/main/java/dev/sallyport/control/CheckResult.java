package dev.sallyport.control;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Severity;
import java.util.List;
import java.util.Map;

/**
 * What {@code sallyport check} says of a folder.
 *
 * @param findings in order, with file and line
 * @param objects how many objects were read, by kind
 */
public record CheckResult(List<Finding> findings, Map<String, Integer> objects) {
    public CheckResult {
        findings = List.copyOf(findings);
        objects = Map.copyOf(objects);
    }

    /** Whether any object, or part of one, cannot be put in service. */
    public boolean anyUnusable() {
        return findings.stream().anyMatch(finding -> finding.severity() == Severity.ERROR);
    }
}

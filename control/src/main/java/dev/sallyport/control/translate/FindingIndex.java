package dev.sallyport.control.translate;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ShardedMap;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Findings by the step of translation that made them, so that one step can be repeated without the
 * others. Immutable; sorted only when somebody asks, since nobody does at a rotation.
 */
public final class FindingIndex {
    /** {@link Finding#ORDER}, then by place: two files may have the same fault. */
    public static final Comparator<Finding> ORDER =
            Finding.ORDER
                    .thenComparing(
                            finding -> finding.location().map(place -> place.file()).orElse(""))
                    .thenComparing(
                            finding -> finding.location().map(place -> place.line()).orElse(0));

    /** Without findings. */
    public static final FindingIndex EMPTY = new FindingIndex(ShardedMap.empty());

    private final ShardedMap<Object, List<Finding>> byStep;

    FindingIndex(ShardedMap<Object, List<Finding>> byStep) {
        this.byStep = byStep;
    }

    /** All findings in {@link #ORDER}, each once. */
    public List<Finding> sorted() {
        return sortedWith(List.of());
    }

    /** All findings and {@code others} in {@link #ORDER}, each once. */
    public List<Finding> sortedWith(List<Finding> others) {
        List<Finding> all = new ArrayList<>(others);
        byStep.forEach((_, findings) -> all.addAll(findings));
        return all.stream().distinct().sorted(ORDER).toList();
    }

    ShardedMap<Object, List<Finding>> byStep() {
        return byStep;
    }
}

package dev.sallyport.control.translate;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ShardedMap;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

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

    /**
     * Calls {@code appeared} for each finding of a step that said it not before, and {@code
     * resolved} for each that one says no more: a finding that two steps say, twice. Costs what was
     * changed between the two.
     */
    public void forEachChange(
            FindingIndex before, Consumer<Finding> appeared, Consumer<Finding> resolved) {
        byStep.forEachChange(
                before.byStep,
                (step, now) -> {
                    List<Finding> old = before.byStep.get(step);
                    List<Finding> was = old == null ? List.of() : old;
                    List<Finding> is = now == null ? List.of() : now;
                    is.stream().distinct().filter(one -> !was.contains(one)).forEach(appeared);
                    was.stream().distinct().filter(one -> !is.contains(one)).forEach(resolved);
                });
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

    /** The findings of one step of the work. */
    public List<Finding> of(Object step) {
        List<Finding> found = byStep.get(step);
        return found == null ? List.of() : found;
    }

    ShardedMap<Object, List<Finding>> byStep() {
        return byStep;
    }
}

package dev.sallyport.control.translate;

import dev.sallyport.model.name.ObjectRef;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What ConfigMaps of classes said when they were good: stands in for what is deleted or cannot be
 * read, as a certificate stays in service whose Secret is. Outlives translators; not thread-safe.
 */
public final class LastGoodParameters {
    private final Map<ObjectRef, ClassParameters> byConfigMap = new HashMap<>();

    /** The same, for somebody else. */
    LastGoodParameters copy() {
        var copy = new LastGoodParameters();
        copy.byConfigMap.putAll(byConfigMap);
        return copy;
    }

    /** Empty where the ConfigMap was never seen while a class named it. */
    Optional<ClassParameters> of(ObjectRef configMap) {
        return Optional.ofNullable(byConfigMap.get(configMap));
    }

    void keep(ObjectRef configMap, ClassParameters good) {
        byConfigMap.put(configMap, good);
    }

    /** Forgets those that no class names any more. */
    void retain(Set<ObjectRef> named) {
        byConfigMap.keySet().retainAll(named);
    }
}

package dev.sallyport.control.cluster;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Which ConfigMaps classes name: those that were told of, and those that are not yet, since nobody
 * knows what the ConfigMap says. Confined to the thread of {@link ClusterSource}.
 */
final class ClassWatches {
    private final Map<ObjectRef, Optional<ObjectRef>> told = new HashMap<>(); // by class
    private final Map<ObjectRef, Awaiting> awaiting = new HashMap<>(); // by class
    private Set<ObjectRef> named = new HashSet<>(); // ConfigMaps, at the last look

    /** A class whose ConfigMap was not looked at yet, and since when. */
    private record Awaiting(
            Resource.OfIngressClass ingressClass, ObjectRef configMap, long since) {}

    /**
     * A class is in service as it was stored.
     *
     * @return the ConfigMap that is to be watched for that; empty where the API server has told of
     *     the class already, which counts
     */
    Optional<ObjectRef> stored(ObjectRef ingressClass, Optional<ObjectRef> configMap) {
        if (told.containsKey(ingressClass) || awaiting.containsKey(ingressClass)) {
            return Optional.empty();
        }
        told.put(ingressClass, configMap);
        configMap.ifPresent(named::add);
        return configMap;
    }

    /** A class is told of, with what it names. */
    void told(ObjectRef ingressClass, Optional<ObjectRef> configMap) {
        awaiting.remove(ingressClass);
        told.put(ingressClass, configMap);
        configMap.ifPresent(named::add);
    }

    /** A class is to be told of once it is known what the ConfigMap says. */
    void await(Resource.OfIngressClass ingressClass, ObjectRef configMap, long now) {
        Awaiting before = awaiting.get(ingressClass.ref());
        long since = before == null || !before.configMap().equals(configMap) ? now : before.since();
        awaiting.put(ingressClass.ref(), new Awaiting(ingressClass, configMap, since));
        named.add(configMap);
    }

    /** The classes that have waited for as long as a start would. */
    List<Resource.OfIngressClass> overdue(long now) {
        return awaiting.values().stream()
                .filter(it -> now - it.since() >= WatchState.OPTIONAL_WAITS)
                .map(Awaiting::ingressClass)
                .toList();
    }

    /** The classes that wait for one of these. */
    List<Resource.OfIngressClass> awaiting(Predicate<ObjectRef> configMaps) {
        return awaiting.values().stream()
                .filter(it -> configMaps.test(it.configMap()))
                .map(Awaiting::ingressClass)
                .toList();
    }

    void gone(ObjectRef ingressClass) {
        told.remove(ingressClass);
        awaiting.remove(ingressClass);
    }

    /** The ConfigMaps that were named at the last look, and are not any more. */
    Set<ObjectRef> unnamed() {
        Set<ObjectRef> now = new HashSet<>();
        told.values().forEach(configMap -> configMap.ifPresent(now::add));
        awaiting.values().forEach(it -> now.add(it.configMap()));
        Set<ObjectRef> gone = new HashSet<>(named);
        gone.removeAll(now);
        named = now;
        return gone;
    }
}

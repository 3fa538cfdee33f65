package dev.sallyport.control.source;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The objects of all files: which file defines what, and which definition counts (the first by
 * path). Collects what changed since it was last asked. Confined to the folder's thread.
 */
final class ObjectTable {
    private final Map<String, Map<ObjectRef, Resource>> byFile = new HashMap<>();
    private final Map<ObjectRef, TreeMap<String, Resource>> definitions = new HashMap<>();
    private final Map<ObjectRef, Resource> published = new HashMap<>();
    private final Map<String, List<Finding>> said = new HashMap<>();
    private Set<ObjectRef> touched = new LinkedHashSet<>();
    private Map<String, List<Finding>> findings = new LinkedHashMap<>();

    /** The objects that a file defines now. */
    Map<ObjectRef, Resource> objects(String file) {
        return byFile.getOrDefault(file, Map.of());
    }

    /** A file defines these objects now, and no others. */
    void put(String file, Map<ObjectRef, Resource> objects) {
        Map<ObjectRef, Resource> before =
                objects.isEmpty() ? byFile.remove(file) : byFile.put(file, Map.copyOf(objects));
        Set<ObjectRef> refs = new HashSet<>(objects.keySet());
        if (before != null) {
            refs.addAll(before.keySet());
        }
        for (ObjectRef ref : refs) {
            Resource now = objects.get(ref);
            TreeMap<String, Resource> files =
                    definitions.computeIfAbsent(ref, _ -> new TreeMap<>());
            if (now == null) {
                files.remove(file);
            } else {
                files.put(file, now);
            }
            touched.add(ref);
        }
    }

    /** What is to be said of a file now; nothing takes back what was said. */
    void say(String file, List<Finding> remarks) {
        List<Finding> before =
                remarks.isEmpty() ? said.remove(file) : said.put(file, List.copyOf(remarks));
        if (!remarks.equals(before == null ? List.of() : before)) {
            findings.put(file, List.copyOf(remarks));
        }
    }

    /** What changed since the last call. */
    SourceUpdate drain() {
        List<ResourceChange> changes = new ArrayList<>();
        for (ObjectRef ref : touched) {
            TreeMap<String, Resource> files = definitions.get(ref);
            if (files == null || files.isEmpty()) {
                definitions.remove(ref);
                say(duplicates(ref), List.of());
                if (published.remove(ref) != null) {
                    changes.add(ResourceChange.remove(ref));
                }
                continue;
            }
            Resource counts = files.firstEntry().getValue();
            if (!counts.equals(published.put(ref, counts))) {
                changes.add(ResourceChange.put(counts));
            }
            say(duplicates(ref), files.size() == 1 ? List.of() : losers(ref, files.values()));
        }
        var update = new SourceUpdate(changes, findings);
        touched = new LinkedHashSet<>(); // clearing costs what it once held
        findings = new LinkedHashMap<>();
        return update;
    }

    private static String duplicates(ObjectRef ref) {
        return "duplicates of " + ref;
    }

    private static List<Finding> losers(ObjectRef ref, Collection<Resource> inOrder) {
        String counts =
                inOrder.stream()
                        .findFirst()
                        .flatMap(winner -> winner.origin().location())
                        .map(Location::toString)
                        .orElse("another file");
        return inOrder.stream()
                .skip(1)
                .map(loser ->
                        new Finding(
                                Reason.OBJECT_DUPLICATE,
                                ref,
                                loser.origin().location(),
                                "defined a second time; " + counts + " counts",
                                "Remove one of them, or rename it."))
                .toList();
    }
}

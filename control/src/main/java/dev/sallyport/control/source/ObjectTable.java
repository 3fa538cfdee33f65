package dev.sallyport.control.source;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.nio.file.Path;
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
 *
 * <p>A definition can be leaving: it is no longer there, but counts until that has lasted. While
 * one is, nothing new is said of duplicates: most often the object is moving to another file.
 */
final class ObjectTable {
    private static final Definitions NOTHING = new Definitions(Map.of(), Set.of());

    private final Map<Path, Definitions> byFile = new HashMap<>();
    private final Map<ObjectRef, TreeMap<Path, Resource>> definitions = new HashMap<>();
    private final Map<ObjectRef, Resource> published = new HashMap<>();
    private final Map<String, List<Finding>> said = new HashMap<>();
    private Set<ObjectRef> touched = new LinkedHashSet<>();
    private Map<String, List<Finding>> findings = new LinkedHashMap<>();

    /**
     * What a file defines.
     *
     * @param leaving those of the objects that are no longer in the file
     */
    private record Definitions(Map<ObjectRef, Resource> objects, Set<ObjectRef> leaving) {}

    /** The objects that a file defines now, with those that are leaving. */
    Map<ObjectRef, Resource> objects(Path file) {
        return byFile.getOrDefault(file, NOTHING).objects();
    }

    /** A file defines these objects now, and no others. */
    void put(Path file, Map<ObjectRef, Resource> objects) {
        put(file, objects, Set.of());
    }

    /** A file defines these objects now, and no others; some of them are leaving. */
    void put(Path file, Map<ObjectRef, Resource> objects, Set<ObjectRef> leaving) {
        Definitions before =
                objects.isEmpty()
                        ? byFile.remove(file)
                        : byFile.put(
                                file, new Definitions(Map.copyOf(objects), Set.copyOf(leaving)));
        Set<ObjectRef> refs = new HashSet<>(objects.keySet());
        if (before != null) {
            refs.addAll(before.objects().keySet());
        }
        for (ObjectRef ref : refs) {
            Resource now = objects.get(ref);
            TreeMap<Path, Resource> files = definitions.computeIfAbsent(ref, _ -> new TreeMap<>());
            if (now == null) {
                files.remove(file);
            } else {
                files.put(file, now);
            }
            touched.add(ref);
        }
    }

    /** All objects of a file are leaving, or none is. */
    void leave(Path file, boolean leaving) {
        Definitions before = byFile.get(file);
        if (before != null && before.leaving().isEmpty() == leaving) {
            Set<ObjectRef> refs = leaving ? before.objects().keySet() : Set.of();
            byFile.put(file, new Definitions(before.objects(), refs));
            touched.addAll(before.objects().keySet());
        }
    }

    /** What is to be said of something now; nothing takes back what was said. */
    void say(String subject, List<Finding> remarks) {
        List<Finding> before =
                remarks.isEmpty() ? said.remove(subject) : said.put(subject, List.copyOf(remarks));
        if (!remarks.equals(before == null ? List.of() : before)) {
            findings.put(subject, List.copyOf(remarks));
        }
    }

    /** What changed since the last call. */
    SourceUpdate drain() {
        List<ResourceChange> changes = new ArrayList<>();
        for (ObjectRef ref : touched) {
            TreeMap<Path, Resource> files = definitions.get(ref);
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
            if (files.size() == 1) {
                say(duplicates(ref), List.of());
            } else if (!isLeaving(ref, files.keySet())) {
                say(duplicates(ref), losers(ref, files.values()));
            }
        }
        var update = new SourceUpdate(changes, findings);
        touched = new LinkedHashSet<>(); // clearing costs what it once held
        findings = new LinkedHashMap<>();
        return update;
    }

    private boolean isLeaving(ObjectRef ref, Collection<Path> files) {
        return files.stream()
                .anyMatch(file -> byFile.getOrDefault(file, NOTHING).leaving().contains(ref));
    }

    private static String duplicates(ObjectRef ref) {
        return "duplicates of " + ref;
    }

    private static List<Finding> losers(ObjectRef ref, Collection<Resource> inOrder) {
        if (ref.kind().equals("ConfigMap")) {
            return List.of(); // hardly one is ours
        }
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

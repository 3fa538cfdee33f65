package dev.sallyport.control.resource;

import dev.sallyport.model.finding.Location;
import java.util.Map;
import java.util.Optional;

/**
 * Where an object was written.
 *
 * @param file the path as the user would type it; empty for objects of an API server
 * @param line of the object's first key, from 1
 * @param fields lines of the fields that findings point at, by path: {@code spec.rules[0]}
 */
public record Origin(String file, int line, Map<String, Integer> fields) {

    /** Of objects that no file holds. */
    public static final Origin API_SERVER = new Origin("", 0, Map.of());

    public Origin {
        fields = Map.copyOf(fields);
    }

    /** The object's own place. */
    public Optional<Location> location() {
        return file.isEmpty() ? Optional.empty() : Optional.of(new Location(file, line));
    }

    /** The place of a field, or of the nearest field around it that is known. */
    public Optional<Location> at(String field) {
        if (file.isEmpty()) {
            return Optional.empty();
        }
        String known = field;
        while (!known.isEmpty()) {
            Integer found = fields.get(known);
            if (found != null) {
                return Optional.of(new Location(file, found));
            }
            known = known.substring(0, Math.max(0, lastStep(known)));
        }
        return location();
    }

    private static int lastStep(String path) {
        return Math.max(path.lastIndexOf('.'), path.lastIndexOf('['));
    }
}

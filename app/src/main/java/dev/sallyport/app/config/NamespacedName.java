package dev.sallyport.app.config;

import dev.sallyport.model.name.ObjectRef;

/**
 * Names an object whose kind is understood.
 *
 * @param namespace its namespace
 * @param name its name
 */
public record NamespacedName(String namespace, String name) {

    /**
     * Reads {@code namespace/name}.
     *
     * @throws IllegalArgumentException with the expected form
     */
    static NamespacedName parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 1 || slash == text.length() - 1 || text.indexOf('/', slash + 1) >= 0) {
            throw new IllegalArgumentException("namespace/name");
        }
        return new NamespacedName(text.substring(0, slash), text.substring(slash + 1));
    }

    /** The object of that name. */
    public ObjectRef of(String kind) {
        return new ObjectRef(kind, namespace, name);
    }

    /** {@code namespace/name}. */
    @Override
    public String toString() {
        return namespace + "/" + name;
    }
}

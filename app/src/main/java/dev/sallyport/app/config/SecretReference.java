package dev.sallyport.app.config;

import dev.sallyport.model.name.ObjectRef;

/**
 * Names a Secret.
 *
 * @param namespace its namespace
 * @param name its name
 */
public record SecretReference(String namespace, String name) {

    /**
     * Reads {@code namespace/name}.
     *
     * @throws IllegalArgumentException with the expected form
     */
    static SecretReference parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 1 || slash == text.length() - 1 || text.indexOf('/', slash + 1) >= 0) {
            throw new IllegalArgumentException("namespace/name");
        }
        return new SecretReference(text.substring(0, slash), text.substring(slash + 1));
    }

    /** The object. */
    ObjectRef toObjectRef() {
        return new ObjectRef("Secret", namespace, name);
    }

    /** {@code namespace/name}. */
    @Override
    public String toString() {
        return namespace + "/" + name;
    }
}

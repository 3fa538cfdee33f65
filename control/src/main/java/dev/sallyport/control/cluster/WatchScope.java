package dev.sallyport.control.cluster;

import java.util.Optional;

/**
 * Which objects of a kind are watched together.
 *
 * @param namespace those of one namespace; empty for those of all, and for kinds without namespaces
 * @param name one object only
 * @param type those of a type, for Secrets
 */
record WatchScope(Optional<String> namespace, Optional<String> name, Optional<String> type) {

    /** All there are. */
    static final WatchScope EVERYWHERE =
            new WatchScope(Optional.empty(), Optional.empty(), Optional.empty());

    /** Those of a namespace. */
    static WatchScope in(String namespace) {
        return new WatchScope(Optional.of(namespace), Optional.empty(), Optional.empty());
    }

    /** One object of a kind without namespaces. */
    static WatchScope named(String name) {
        return new WatchScope(Optional.empty(), Optional.of(name), Optional.empty());
    }

    /** One object. */
    static WatchScope of(String namespace, String name) {
        return new WatchScope(Optional.of(namespace), Optional.of(name), Optional.empty());
    }

    /** The same, but only those of a type. */
    WatchScope withType(String only) {
        return new WatchScope(namespace, name, Optional.of(only));
    }

    /** As requests have it. */
    String fieldSelector() {
        return name.map(it -> "metadata.name=" + it)
                .or(() -> type.map(it -> "type=" + it))
                .orElse("");
    }
}

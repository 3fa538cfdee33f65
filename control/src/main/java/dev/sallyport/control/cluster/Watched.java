package dev.sallyport.control.cluster;

import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.HasMetadata;

/**
 * What one watch is of.
 *
 * @param <T> the model of its objects
 */
record Watched<T extends HasMetadata>(WatchedKind<T> kind, WatchScope scope) {

    /**
     * By what connections know it.
     *
     * @param base the path of the API server's own address; mostly empty
     */
    WatchedPath path(String base) {
        return new WatchedPath(base + kind.path(scope.namespace()), scope.fieldSelector());
    }

    /** Whether a list of this would show the object, if it exists. */
    boolean covers(ObjectRef ref) {
        return ref.kind().equals(kind.kind())
                && scope.namespace().filter(name -> !name.equals(ref.namespace())).isEmpty()
                && scope.name().filter(name -> !name.equals(ref.name())).isEmpty();
    }

    /** {@code ingresses in all namespaces}, {@code Secret shop/tls}. */
    @Override
    public String toString() {
        if (scope.name().isPresent()) {
            return kind.kind()
                    + " "
                    + scope.namespace().map(namespace -> namespace + "/").orElse("")
                    + scope.name().get();
        }
        return kind.plural()
                + scope.type().map(type -> " of type " + type).orElse("")
                + (kind.namespaced()
                        ? scope.namespace()
                                .map(name -> " in namespace " + name)
                                .orElse(" in all namespaces")
                        : "");
    }
}

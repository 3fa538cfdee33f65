package dev.sallyport.model.name;

import java.util.Comparator;

/**
 * The Kubernetes object that something came from.
 *
 * @param kind for instance {@code Ingress}
 * @param namespace empty for objects without one, and for the gateway's own
 * @param name the object's name
 */
public record ObjectRef(String kind, String namespace, String name) {

    /** By kind, then namespace, then name. */
    public static final Comparator<ObjectRef> ORDER =
            Comparator.comparing(ObjectRef::kind)
                    .thenComparing(ObjectRef::namespace)
                    .thenComparing(ObjectRef::name);

    /** Something that the gateway made or was configured with itself. */
    public static ObjectRef gateway(String name) {
        return new ObjectRef("Gateway", "", name);
    }

    /** {@code Secret default/shop-tls}, as messages and tables show it. */
    @Override
    public String toString() {
        return namespace.isEmpty() ? kind + " " + name : kind + " " + namespace + "/" + name;
    }
}

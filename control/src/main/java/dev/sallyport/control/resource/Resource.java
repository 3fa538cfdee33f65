package dev.sallyport.control.resource;

import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.SecretMaterial;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClass;

/**
 * An object of a kind that can matter, with the place it came from. The objects are the API's own
 * model and never changed.
 */
public sealed interface Resource {

    /** Kind, namespace and name. */
    ObjectRef ref();

    /** Where it was written. */
    Origin origin();

    /** An Ingress. */
    record OfIngress(ObjectRef ref, Ingress ingress, Origin origin) implements Resource {}

    /** An IngressClass. */
    record OfIngressClass(ObjectRef ref, IngressClass ingressClass, Origin origin)
            implements Resource {}

    /** A Service. */
    record OfService(ObjectRef ref, Service service, Origin origin) implements Resource {}

    /** An EndpointSlice. */
    record OfEndpointSlice(ObjectRef ref, EndpointSlice slice, Origin origin) implements Resource {}

    /** A Namespace. */
    record OfNamespace(ObjectRef ref, Namespace namespace, Origin origin) implements Resource {}

    /** A Secret; without its contents, once they were parsed. */
    record OfSecret(SecretMaterial material, Origin origin) implements Resource {
        @Override
        public ObjectRef ref() {
            return material.secret();
        }
    }
}

package dev.sallyport.control.cluster;

import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.SecretMaterial;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClass;
import java.util.Optional;
import java.util.function.BiFunction;

/**
 * A kind as the API server knows it.
 *
 * @param <T> its model
 * @param type the model's class
 * @param kind for instance {@code Ingress}
 * @param group the API group; empty for the core
 * @param plural for instance {@code ingresses}
 * @param namespaced whether its objects are in namespaces
 * @param read from an object to what the control side takes; empty where it cannot matter
 */
record WatchedKind<T extends HasMetadata>(
        Class<T> type,
        String kind,
        String group,
        String plural,
        boolean namespaced,
        BiFunction<ObjectRef, T, Optional<Resource>> read) {

    /** Routes. */
    static final WatchedKind<Ingress> INGRESS =
            new WatchedKind<>(
                    Ingress.class,
                    "Ingress",
                    "networking.k8s.io",
                    "ingresses",
                    true,
                    (ref, it) -> Optional.of(new Resource.OfIngress(ref, it, Origin.API_SERVER)));

    /** Which Ingresses are ours. */
    static final WatchedKind<IngressClass> INGRESS_CLASS =
            new WatchedKind<>(
                    IngressClass.class,
                    "IngressClass",
                    "networking.k8s.io",
                    "ingressclasses",
                    false,
                    (ref, it) ->
                            Optional.of(new Resource.OfIngressClass(ref, it, Origin.API_SERVER)));

    /** What classes say of their Ingresses. */
    static final WatchedKind<ConfigMap> CONFIG_MAP =
            new WatchedKind<>(
                    ConfigMap.class,
                    "ConfigMap",
                    "",
                    "configmaps",
                    true,
                    (ref, it) -> Optional.of(Resource.OfConfigMap.of(ref, it, Origin.API_SERVER)));

    /** Ports of backends. */
    static final WatchedKind<Service> SERVICE =
            new WatchedKind<>(
                    Service.class,
                    "Service",
                    "",
                    "services",
                    true,
                    (ref, it) -> Optional.of(new Resource.OfService(ref, it, Origin.API_SERVER)));

    /** Addresses of backends. */
    static final WatchedKind<EndpointSlice> ENDPOINT_SLICE =
            new WatchedKind<>(
                    EndpointSlice.class,
                    "EndpointSlice",
                    "discovery.k8s.io",
                    "endpointslices",
                    true,
                    (ref, it) ->
                            Optional.of(new Resource.OfEndpointSlice(ref, it, Origin.API_SERVER)));

    /** Certificates. */
    static final WatchedKind<Secret> SECRET =
            new WatchedKind<>(Secret.class, "Secret", "", "secrets", true, WatchedKind::readSecret);

    /** Namespaces. */
    static final WatchedKind<Namespace> NAMESPACE =
            new WatchedKind<>(
                    Namespace.class,
                    "Namespace",
                    "",
                    "namespaces",
                    false,
                    (ref, it) -> Optional.of(new Resource.OfNamespace(ref, it, Origin.API_SERVER)));

    /** The name of an object of this kind. */
    ObjectRef ref(HasMetadata object) {
        ObjectMeta metadata = object.getMetadata();
        String namespace = metadata.getNamespace();
        return new ObjectRef(kind, namespace == null ? "" : namespace, metadata.getName());
    }

    /** Where the API server has them, below its own address. */
    String path(Optional<String> namespace) {
        return (group.isEmpty() ? "/api/v1" : "/apis/" + group + "/v1")
                + namespace.map(name -> "/namespaces/" + name).orElse("")
                + "/"
                + plural;
    }

    private static Optional<Resource> readSecret(ObjectRef ref, Secret secret) {
        if (!SecretMaterial.matters(secret)) {
            return Optional.empty();
        }
        return switch (SecretMaterial.of(ref, Optional.empty(), secret)) {
            case Parsed.Usable<SecretMaterial>(SecretMaterial material, _) ->
                    Optional.of(new Resource.OfSecret(material, Origin.API_SERVER));
            case Parsed.Rejected<SecretMaterial> _ -> Optional.empty(); // no API server sends it
        };
    }
}

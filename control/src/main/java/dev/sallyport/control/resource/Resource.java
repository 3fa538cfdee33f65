package dev.sallyport.control.resource;

import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import dev.sallyport.secretsync.SecretMaterial;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClass;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An object of a kind that can matter, with the place it came from. The objects are the API's own
 * model and never changed.
 */
public sealed interface Resource {

    /** Kind, namespace and name. */
    ObjectRef ref();

    /** Where it was written. */
    Origin origin();

    /** Which object of an API server it is, and which version of it. */
    ObjectVersion version();

    /** An Ingress. */
    record OfIngress(ObjectRef ref, Ingress ingress, Origin origin) implements Resource {
        @Override
        public ObjectVersion version() {
            return versionOf(ingress, origin);
        }
    }

    /** An IngressClass. */
    record OfIngressClass(ObjectRef ref, IngressClass ingressClass, Origin origin)
            implements Resource {
        @Override
        public ObjectVersion version() {
            return versionOf(ingressClass, origin);
        }
    }

    /** A Service. */
    record OfService(ObjectRef ref, Service service, Origin origin) implements Resource {
        @Override
        public ObjectVersion version() {
            return versionOf(service, origin);
        }
    }

    /**
     * An EndpointSlice.
     *
     * @param doubted addresses in it that are said not to be ready, where that may be a mistake:
     *     better than none
     */
    record OfEndpointSlice(ObjectRef ref, EndpointSlice slice, Origin origin, Set<String> doubted)
            implements Resource {
        public OfEndpointSlice {
            doubted = Set.copyOf(doubted);
        }

        /** Of which nothing is in doubt. */
        public OfEndpointSlice(ObjectRef ref, EndpointSlice slice, Origin origin) {
            this(ref, slice, origin, Set.of());
        }

        /**
         * Whether an endpoint of one is ready, as it says itself: "A nil value indicates an unknown
         * state. ... consumers should interpret it as ready."
         */
        public static boolean isReady(Endpoint endpoint) {
            EndpointConditions conditions = endpoint.getConditions();
            return conditions == null || !Boolean.FALSE.equals(conditions.getReady());
        }

        /** The endpoints of one: the API server writes null where there is none. */
        public static Stream<Endpoint> endpoints(EndpointSlice slice) {
            return present(slice.getEndpoints());
        }

        /** The addresses of an endpoint. */
        public static Stream<String> addresses(Endpoint endpoint) {
            return present(endpoint.getAddresses());
        }

        private static <T> Stream<T> present(@Nullable List<T> listed) {
            return listed == null ? Stream.empty() : listed.stream().filter(Objects::nonNull);
        }

        /** The same with these addresses in doubt, and no others. */
        public OfEndpointSlice doubting(Set<String> addresses) {
            return addresses.equals(doubted)
                    ? this
                    : new OfEndpointSlice(ref, slice, origin, addresses);
        }

        @Override
        public ObjectVersion version() {
            return versionOf(slice, origin);
        }
    }

    /** A Namespace. */
    record OfNamespace(ObjectRef ref, Namespace namespace, Origin origin) implements Resource {
        @Override
        public ObjectVersion version() {
            return versionOf(namespace, origin);
        }
    }

    /** A ConfigMap, which an IngressClass may name as its parameters. */
    record OfConfigMap(ObjectRef ref, ConfigMap configMap, Origin origin) implements Resource {
        private static final int LONGEST_VALUE = 256;

        /**
         * Of whatever is in it no more than could be a parameter: it may be as large as any object,
         * and others keep files in theirs.
         */
        public static OfConfigMap of(ObjectRef ref, ConfigMap configMap, Origin origin) {
            Map<String, String> data = new TreeMap<>();
            if (configMap.getData() != null) {
                configMap
                        .getData()
                        .forEach((key, value) -> {
                            if (key != null && value != null) {
                                data.put(
                                        key,
                                        value.length() > LONGEST_VALUE
                                                ? value.substring(0, LONGEST_VALUE)
                                                : value);
                            }
                        });
            }
            ObjectMeta written = configMap.getMetadata();
            ObjectMeta metadata =
                    new ObjectMetaBuilder()
                            .withNamespace(ref.namespace())
                            .withName(ref.name())
                            .withUid(written == null ? null : written.getUid())
                            .withResourceVersion(
                                    written == null ? null : written.getResourceVersion())
                            .build();
            return new OfConfigMap(
                    ref,
                    new ConfigMapBuilder().withMetadata(metadata).withData(data).build(),
                    origin);
        }

        /** What a key says, without blanks around it; empty where it is not there. */
        public String text(String key) {
            Map<String, String> data = configMap.getData();
            return data == null ? "" : data.getOrDefault(key, "").strip();
        }

        @Override
        public ObjectVersion version() {
            return versionOf(configMap, origin);
        }
    }

    /** A Secret; without its contents, once they were parsed. */
    record OfSecret(SecretMaterial material, Origin origin) implements Resource {
        @Override
        public ObjectRef ref() {
            return material.secret();
        }

        @Override
        public ObjectVersion version() {
            return material.version();
        }
    }

    /**
     * What the gateway itself has to show to CAs at the moment: all of it.
     *
     * @param ref {@link #ACME_CHALLENGES}, whatever object it came from: there is one
     */
    record OfAcmeChallenges(ObjectRef ref, List<AcmeAnswer> answers, ObjectVersion version)
            implements Resource {
        /** Of whatever source. */
        public static final ObjectRef ACME_CHALLENGES = ObjectRef.gateway("acme-challenges");

        public OfAcmeChallenges {
            answers = List.copyOf(answers);
        }

        /** With its one name. */
        public static OfAcmeChallenges of(List<AcmeAnswer> answers, ObjectVersion version) {
            return new OfAcmeChallenges(ACME_CHALLENGES, answers, version);
        }

        @Override
        public Origin origin() {
            return Origin.API_SERVER;
        }
    }

    /** A file may hold what an API server once said; it counts for nothing. */
    private static ObjectVersion versionOf(HasMetadata object, Origin origin) {
        ObjectMeta metadata = object.getMetadata();
        return metadata == null || origin.location().isPresent()
                ? ObjectVersion.NONE
                : new ObjectVersion(
                        Objects.requireNonNullElse(metadata.getUid(), ""),
                        Objects.requireNonNullElse(metadata.getResourceVersion(), ""));
    }
}

package dev.sallyport.control.stored;

import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClass;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Objects as the API's own JSON, one on a line behind its kind. Safe from any thread. */
final class ObjectJson {
    private static final JsonMapper MAPPER =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    private ObjectJson() {}

    /**
     * Appends the line of an object, without what says nothing of what is served. Nothing for a
     * Secret, whose certificate is stored as such.
     */
    static void append(Resource resource, ByteArrayOutputStream lines) {
        HasMetadata object =
                switch (resource) {
                    case Resource.OfIngress it -> it.ingress();
                    case Resource.OfIngressClass it -> it.ingressClass();
                    case Resource.OfConfigMap it -> it.configMap();
                    case Resource.OfService it -> it.service();
                    case Resource.OfEndpointSlice it -> it.slice();
                    case Resource.OfNamespace it -> it.namespace();
                    case Resource.OfAcmeChallenges _ -> null;
                    case Resource.OfSecret _ -> null;
                };
        if (object == null) {
            return;
        }
        ObjectNode json = MAPPER.valueToTree(object);
        json.remove("status");
        if (json.get("metadata") instanceof ObjectNode metadata) {
            metadata.remove("managedFields");
        }
        lines.writeBytes(resource.ref().kind().getBytes(StandardCharsets.UTF_8));
        lines.write(' ');
        lines.writeBytes(MAPPER.writeValueAsBytes(json)); // which escapes line ends
        lines.write('\n');
    }

    /** The object of a line, without its end; empty where this version cannot read it. */
    static Optional<Resource> read(byte[] lines, int from, int to) {
        int blank = from;
        while (blank < to && lines[blank] != ' ') {
            blank++;
        }
        String kind = new String(lines, from, blank - from, StandardCharsets.UTF_8);
        try {
            return switch (kind) {
                case "Ingress" ->
                        object(lines, blank, to, Ingress.class)
                                .map(it ->
                                        new Resource.OfIngress(
                                                ref(kind, it), it, Origin.API_SERVER));
                case "IngressClass" ->
                        object(lines, blank, to, IngressClass.class)
                                .map(it ->
                                        new Resource.OfIngressClass(
                                                ref(kind, it), it, Origin.API_SERVER));
                case "ConfigMap" ->
                        object(lines, blank, to, ConfigMap.class)
                                .map(it ->
                                        Resource.OfConfigMap.of(
                                                ref(kind, it), it, Origin.API_SERVER));
                case "Service" ->
                        object(lines, blank, to, Service.class)
                                .map(it ->
                                        new Resource.OfService(
                                                ref(kind, it), it, Origin.API_SERVER));
                case "EndpointSlice" ->
                        object(lines, blank, to, EndpointSlice.class)
                                .map(it ->
                                        new Resource.OfEndpointSlice(
                                                ref(kind, it), it, Origin.API_SERVER));
                case "Namespace" ->
                        object(lines, blank, to, Namespace.class)
                                .map(it ->
                                        new Resource.OfNamespace(
                                                ref(kind, it), it, Origin.API_SERVER));
                default -> Optional.empty();
            };
        } catch (JacksonException ofAnotherVersion) {
            return Optional.empty();
        }
    }

    private static <T extends HasMetadata> Optional<T> object(
            byte[] lines, int from, int to, Class<T> type) {
        T object = MAPPER.readValue(lines, from, to - from, type);
        ObjectMeta metadata = object == null ? null : object.getMetadata();
        return metadata == null || metadata.getName() == null
                ? Optional.empty()
                : Optional.of(object);
    }

    private static ObjectRef ref(String kind, HasMetadata object) {
        ObjectMeta metadata = object.getMetadata();
        return new ObjectRef(
                kind, Objects.requireNonNullElse(metadata.getNamespace(), ""), metadata.getName());
    }
}

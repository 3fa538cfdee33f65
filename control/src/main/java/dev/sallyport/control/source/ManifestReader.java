package dev.sallyport.control.source;

import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.SecretMaterial;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClass;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.type.LogicalType;

/**
 * From the bytes of a file to the objects in it. Total: a file that is not YAML or JSON is
 * malformed as a whole, an object that does not fit its kind is a finding and leaves the others
 * alone. Kinds that do not matter, and fields that nobody reads, are passed over in silence.
 */
final class ManifestReader {
    private static final JsonMapper MAPPER = mapper();
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int MOST_PARAMETERS = 20; // other ConfigMaps may have many
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?");
    private static final Pattern NAMESPACE = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

    /** The kinds that matter, with the one version of each. */
    private enum Kind {
        INGRESS("Ingress", "networking.k8s.io/v1", "(networking\\.k8s\\.io|extensions)/.*", true),
        INGRESS_CLASS("IngressClass", "networking.k8s.io/v1", "networking\\.k8s\\.io/.*", false),
        CONFIG_MAP("ConfigMap", "v1", "v[0-9][^/]*", true),
        SERVICE("Service", "v1", "v[0-9][^/]*", true),
        ENDPOINT_SLICE("EndpointSlice", "discovery.k8s.io/v1", "discovery\\.k8s\\.io/.*", true),
        SECRET("Secret", "v1", "v[0-9][^/]*", true),
        NAMESPACE("Namespace", "v1", "v[0-9][^/]*", false);

        final String text;
        final String apiVersion;
        final Pattern family; // other versions of the same kind
        final boolean namespaced;

        Kind(String text, String apiVersion, String family, boolean namespaced) {
            this.text = text;
            this.apiVersion = apiVersion;
            this.family = Pattern.compile(family);
            this.namespaced = namespaced;
        }

        static @Nullable Kind of(String text) {
            for (Kind kind : values()) {
                if (kind.text.equals(text)) {
                    return kind;
                }
            }
            return null;
        }
    }

    private final String file;
    private final Map<ObjectRef, Resource> objects = new LinkedHashMap<>();
    private final Set<ObjectRef> invalid = new HashSet<>();
    private final List<Finding> findings = new ArrayList<>();

    private ManifestReader(String file) {
        this.file = file;
    }

    /**
     * Reads a file.
     *
     * @param file its path, for findings and to tell JSON by its ending
     * @throws Tree.Malformed where the file as a whole cannot be read
     */
    static ManifestFile read(String file, byte[] bytes) throws Tree.Malformed {
        var reader = new ManifestReader(file);
        int values = 0;
        for (Tree document : documents(file, decode(bytes))) {
            reader.addDocument(document, "", "");
            values += document.size();
        }
        return new ManifestFile(
                reader.objects, reader.invalid, List.copyOf(reader.findings), values);
    }

    private static String decode(byte[] bytes) throws Tree.Malformed {
        try {
            String text =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException notUtf8) {
            throw new Tree.Malformed(0, "not UTF-8");
        }
    }

    private static List<Tree> documents(String file, String text) throws Tree.Malformed {
        String start = text.stripLeading();
        boolean json = file.toLowerCase(Locale.ROOT).endsWith(".json");
        if (json || start.startsWith("{") || start.startsWith("[")) {
            try {
                return JsonReader.read(text);
            } catch (Tree.Malformed notJson) {
                if (json) {
                    throw notJson;
                }
            }
        }
        return YamlReader.read(text);
    }

    private void addDocument(Tree document, String listKind, String listVersion) {
        switch (document) {
            case Tree.Mapping mapping -> addMapping(mapping, listKind, listVersion);
            case Tree.Scalar(_, Object value) when value == null -> {} // an empty document
            case Tree.Scalar scalar -> notAnObject(scalar.line(), "a single value");
            case Tree.Sequence sequence -> notAnObject(sequence.line(), "a list");
        }
    }

    private void notAnObject(int line, String what) {
        findings.add(
                Finding.of(
                                Reason.OBJECT_INVALID,
                                fileRef(file),
                                "the document is " + what + " (expected: an object)",
                                "Write an object with apiVersion, kind and metadata.")
                        .at(new Location(file, line)));
    }

    /** The file itself, where no object of it can be named. */
    static ObjectRef fileRef(String file) {
        return new ObjectRef("File", "", file);
    }

    private void addMapping(Tree.Mapping document, String listKind, String listVersion) {
        String kind = textOr(document, "kind", listKind);
        String apiVersion = textOr(document, "apiVersion", listVersion);
        String itemKind = itemKind(kind);
        if (itemKind != null && document.get("items") instanceof Tree.Sequence items) {
            for (Tree item : items.items()) {
                addDocument(item, itemKind, itemKind.isEmpty() ? "" : apiVersion);
            }
            return;
        }
        Kind known = Kind.of(kind);
        if (kind.isEmpty() || apiVersion.isEmpty()) {
            addUnnamed(document, kind);
            if (known != null) {
                invalid.add(refOf(document, known));
            }
        } else if (known != null && known.apiVersion.equals(apiVersion)) {
            addObject(document, known);
        } else if (known != null && known.family.matcher(apiVersion).matches()) {
            ObjectRef ref = refOf(document, known);
            invalid.add(ref);
            report(
                    ref,
                    lineOf(document, "apiVersion"),
                    "apiVersion: " + apiVersion + " (expected: " + known.apiVersion + ")",
                    "Convert the object to " + known.apiVersion + ".");
        }
    }

    /** The kind of the items of a list, empty where they have to say; null where it is no list. */
    private static @Nullable String itemKind(String kind) {
        if (kind.equals("List")) {
            return "";
        }
        for (Kind known : Kind.values()) {
            if (kind.equals(known.text + "List")) {
                return known.text;
            }
        }
        return null;
    }

    private static String textOr(Tree.Mapping document, String key, String otherwise) {
        String text = document.text(key);
        return text == null ? otherwise : text;
    }

    /** Files of other tools lie beside manifests; what looks like an object is one gone wrong. */
    private void addUnnamed(Tree.Mapping document, String kind) {
        if (document.get("apiVersion") != null
                || (document.get("metadata") != null
                        && (!kind.isEmpty() || document.get("spec") != null))) {
            findings.add(
                    Finding.of(
                                    Reason.OBJECT_INVALID,
                                    fileRef(file),
                                    (kind.isEmpty() ? "kind" : "apiVersion")
                                            + ": missing (expected: text)",
                                    "Add it; the object is left out.")
                            .at(new Location(file, document.line())));
        }
    }

    private ObjectRef refOf(Tree.Mapping document, Kind kind) {
        String name = "";
        String namespace = "";
        if (document.get("metadata") instanceof Tree.Mapping metadata) {
            name = textOr(metadata, "name", "");
            namespace = textOr(metadata, "namespace", "");
        }
        if (!kind.namespaced) {
            namespace = "";
        } else if (namespace.isEmpty()) {
            namespace = "default";
        }
        return new ObjectRef(kind.text, namespace, name);
    }

    private void addObject(Tree.Mapping document, Kind kind) {
        ObjectRef ref = refOf(document, kind);
        Optional<String> problem = nameProblem(document, ref);
        if (problem.isPresent()) {
            report(
                    NAME.matcher(ref.name()).matches()
                            ? new ObjectRef(ref.kind(), "", ref.name())
                            : fileRef(file),
                    lineOf(document, "metadata"),
                    kind.text + ": " + problem.get(),
                    "Correct the name; the object is left out.");
            return;
        }
        try {
            Resource resource = convert(document, kind, ref);
            if (resource == null) {
                return;
            }
            Resource first = objects.putIfAbsent(ref, resource);
            if (first != null && kind != Kind.CONFIG_MAP) {
                reportDuplicate(ref, resource.origin(), first.origin());
            }
        } catch (JacksonException wrongType) {
            reportWrongType(document, ref, wrongType);
        }
    }

    private static Optional<String> nameProblem(Tree.Mapping document, ObjectRef ref) {
        if (!(document.get("metadata") instanceof Tree.Mapping)) {
            return Optional.of("metadata: missing (expected: at least a name)");
        }
        if (ref.name().isEmpty()) {
            return Optional.of("metadata.name: missing (expected: text)");
        }
        if (!NAME.matcher(ref.name()).matches()) {
            return Optional.of(
                    "metadata.name: "
                            + printable(ref.name())
                            + " (expected: lower-case letters, digits, '-' and '.')");
        }
        if (!ref.namespace().isEmpty() && !NAMESPACE.matcher(ref.namespace()).matches()) {
            return Optional.of(
                    "metadata.namespace: "
                            + printable(ref.namespace())
                            + " (expected: lower-case letters, digits and '-')");
        }
        return Optional.empty();
    }

    private @Nullable Resource convert(Tree.Mapping document, Kind kind, ObjectRef ref) {
        Origin origin = new Origin(file, document.line(), lines(document, kind));
        ObjectNode json = toJson(document);
        json.remove("status"); // nobody reads it, and dumps of a cluster are full of it
        if (json.get("metadata") instanceof ObjectNode metadata) {
            metadata.remove("managedFields");
        }
        return switch (kind) {
            case INGRESS ->
                    new Resource.OfIngress(ref, MAPPER.treeToValue(json, Ingress.class), origin);
            case INGRESS_CLASS ->
                    new Resource.OfIngressClass(
                            ref, MAPPER.treeToValue(json, IngressClass.class), origin);
            case CONFIG_MAP ->
                    Resource.OfConfigMap.of(
                            ref,
                            new ConfigMapBuilder().withData(texts(document.get("data"))).build(),
                            origin);
            case SERVICE ->
                    new Resource.OfService(ref, MAPPER.treeToValue(json, Service.class), origin);
            case ENDPOINT_SLICE ->
                    new Resource.OfEndpointSlice(
                            ref, MAPPER.treeToValue(json, EndpointSlice.class), origin);
            case NAMESPACE ->
                    new Resource.OfNamespace(
                            ref, MAPPER.treeToValue(json, Namespace.class), origin);
            case SECRET -> secret(ref, MAPPER.treeToValue(json, Secret.class), origin, document);
        };
    }

    /** Of most ConfigMaps nothing is wanted: what is no text in one is nobody's mistake here. */
    private static Map<String, String> texts(@Nullable Tree data) {
        Map<String, String> texts = new HashMap<>();
        if (data instanceof Tree.Mapping mapping) {
            mapping.entries()
                    .forEach((key, value) ->
                            texts.put(
                                    key,
                                    value instanceof Tree.Scalar(_, Object scalar)
                                            ? String.valueOf(scalar)
                                            : "(no text)"));
        }
        return texts;
    }

    private @Nullable Resource secret(
            ObjectRef ref, Secret secret, Origin origin, Tree.Mapping document) {
        if (!SecretMaterial.matters(secret)) {
            return null;
        }
        return switch (SecretMaterial.of(ref, origin.location(), secret)) {
            case Parsed.Usable<SecretMaterial>(SecretMaterial material, _) ->
                    new Resource.OfSecret(material, origin);
            case Parsed.Rejected<SecretMaterial>(List<Finding> why) -> {
                invalid.add(ref);
                int line = lineOf(document, "data");
                why.forEach(finding -> findings.add(finding.at(new Location(file, line))));
                yield null;
            }
        };
    }

    private void reportDuplicate(ObjectRef ref, Origin loser, Origin winner) {
        findings.add(
                new Finding(
                        Reason.OBJECT_DUPLICATE,
                        ref,
                        loser.location(),
                        "defined a second time; "
                                + winner.location().map(Location::toString).orElse("")
                                + " counts",
                        "Remove one of them, or rename it."));
    }

    private void reportWrongType(Tree.Mapping document, ObjectRef ref, JacksonException wrong) {
        invalid.add(ref);
        Tree at = document;
        var path = new StringBuilder();
        for (JacksonException.Reference step : wrong.getPath()) {
            Tree next = null;
            if (step.getPropertyName() != null) {
                path.append(path.isEmpty() ? "" : ".").append(step.getPropertyName());
                next =
                        at instanceof Tree.Mapping mapping
                                ? mapping.get(step.getPropertyName())
                                : null;
            } else {
                path.append('[').append(step.getIndex()).append(']');
                next =
                        at instanceof Tree.Sequence(_, List<Tree> items)
                                        && step.getIndex() >= 0
                                        && step.getIndex() < items.size()
                                ? items.get(step.getIndex())
                                : null;
            }
            if (next == null) {
                break;
            }
            at = next;
        }
        Class<?> target =
                wrong instanceof MismatchedInputException mismatch
                        ? mismatch.getTargetType()
                        : null;
        boolean confidential = ref.kind().equals("Secret");
        report(
                ref,
                at.line(),
                (path.isEmpty() ? "the object" : path)
                        + ": "
                        + describe(at, confidential)
                        + " (expected: "
                        + describe(target)
                        + ")",
                "Correct the field; until then the object is as it was before, if there was one.");
    }

    private static String describe(Tree tree, boolean confidential) {
        return switch (tree) {
            case Tree.Mapping _ -> "a mapping";
            case Tree.Sequence _ -> "a list";
            case Tree.Scalar(_, Object value) when value == null -> "null";
            case Tree.Scalar(_, String text) -> confidential ? "text" : '"' + printable(text) + '"';
            case Tree.Scalar(_, Object value) -> confidential ? "a value" : String.valueOf(value);
        };
    }

    private static String describe(@Nullable Class<?> type) {
        if (type == null) {
            return "a value that fits";
        }
        if (type == String.class) {
            return "text";
        }
        if (type == Integer.class || type == Long.class || type == int.class) {
            return "a number";
        }
        if (type == Boolean.class || type == boolean.class) {
            return "true or false";
        }
        if (Iterable.class.isAssignableFrom(type)) {
            return "a list";
        }
        return type.getSimpleName().equals("IntOrString") ? "a number or text" : "a mapping";
    }

    private static String printable(String text) {
        String shown = text.length() > 80 ? text.substring(0, 80) + "…" : text;
        return shown.replaceAll("[\\p{Cntrl}]", "?");
    }

    private void report(ObjectRef ref, int line, String message, String advice) {
        findings.add(
                new Finding(
                        Reason.OBJECT_INVALID,
                        ref,
                        Optional.of(new Location(file, line)),
                        message,
                        advice));
    }

    private static int lineOf(Tree.Mapping document, String key) {
        Tree found = document.get(key);
        return found == null ? document.line() : found.line();
    }

    /** The lines that findings of translators point at; few, since there may be 100,000 objects. */
    private static Map<String, Integer> lines(Tree.Mapping document, Kind kind) {
        Map<String, Integer> lines = new HashMap<>();
        switch (kind) {
            case INGRESS -> {
                if (document.get("spec") instanceof Tree.Mapping spec) {
                    addLines(spec, "spec", lines, "ingressClassName", "defaultBackend", "tls");
                    addRuleLines(spec.get("rules"), lines);
                }
            }
            case INGRESS_CLASS -> {
                addLines(document, "", lines, "metadata", "spec");
                if (document.get("spec") instanceof Tree.Mapping spec) {
                    addLines(spec, "spec", lines, "parameters");
                }
            }
            case CONFIG_MAP -> {
                addLines(document, "", lines, "data");
                if (document.get("data") instanceof Tree.Mapping data
                        && data.entries().size() <= MOST_PARAMETERS) {
                    addLines(data, "data", lines, data.entries().keySet().toArray(String[]::new));
                }
            }
            case SERVICE -> {
                if (document.get("spec") instanceof Tree.Mapping spec) {
                    addLines(spec, "spec", lines, "externalName");
                }
            }
            case ENDPOINT_SLICE -> addLines(document, "", lines, "addressType", "endpoints");
            case SECRET, NAMESPACE -> {}
        }
        return lines;
    }

    private static void addRuleLines(@Nullable Tree rules, Map<String, Integer> lines) {
        if (!(rules instanceof Tree.Sequence(_, List<Tree> items))) {
            return;
        }
        for (int i = 0; i < items.size(); i++) {
            String field = "spec.rules[" + i + "]";
            lines.put(field.intern(), items.get(i).line());
            if (items.get(i) instanceof Tree.Mapping rule
                    && rule.get("http") instanceof Tree.Mapping http) {
                addLines(http, field + ".http", lines, "paths");
            }
        }
    }

    private static void addLines(
            Tree.Mapping parent, String path, Map<String, Integer> lines, String... keys) {
        for (String key : keys) {
            String field = path.isEmpty() ? key : path + "." + key;
            switch (parent.get(key)) {
                case null -> {}
                case Tree.Sequence(_, List<Tree> items) -> {
                    for (int i = 0; i < items.size(); i++) {
                        lines.put((field + "[" + i + "]").intern(), items.get(i).line());
                    }
                }
                case Tree.Mapping mapping -> lines.put(field.intern(), mapping.line());
                case Tree.Scalar scalar -> lines.put(field.intern(), scalar.line());
            }
        }
    }

    private static ObjectNode toJson(Tree.Mapping mapping) {
        ObjectNode node = JSON.objectNode();
        mapping.entries().forEach((key, value) -> node.set(key, toJson(value)));
        return node;
    }

    private static JsonNode toJson(Tree tree) {
        return switch (tree) {
            case Tree.Mapping mapping -> toJson(mapping);
            case Tree.Sequence(_, List<Tree> items) -> {
                ArrayNode node = JSON.arrayNode(items.size());
                items.forEach(item -> node.add(toJson(item)));
                yield node;
            }
            case Tree.Scalar(_, Object value) -> toJson(value);
        };
    }

    private static JsonNode toJson(@Nullable Object value) {
        return switch (value) {
            case null -> JSON.nullNode();
            case String text -> JSON.stringNode(text);
            case Boolean flag -> JSON.booleanNode(flag);
            case Long number when number == number.intValue() -> JSON.numberNode(number.intValue());
            case Long number -> JSON.numberNode(number);
            case BigInteger number -> JSON.numberNode(number);
            case Double number -> JSON.numberNode(number);
            default -> JSON.stringNode(String.valueOf(value));
        };
    }

    /** As strict about types as an API server: no number for text, no text for a number. */
    private static JsonMapper mapper() {
        return JsonMapper.builder()
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .withCoercionConfig(
                        LogicalType.Textual,
                        config ->
                                config.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                                        .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                                        .setCoercion(
                                                CoercionInputShape.Boolean, CoercionAction.Fail))
                .build();
    }
}

package dev.sallyport.app.takeover;

import dev.sallyport.acme.issuer.KnownDirectory;
import dev.sallyport.acme.issuer.Origin;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.net.URI;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads what other programs wrote as JSON. */
final class ForeignJson {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private ForeignJson() {}

    /** The document; empty where it is none. What is wrong is not said: it might quote a key. */
    static Optional<JsonNode> read(byte[] text) {
        try {
            return Optional.ofNullable(MAPPER.readTree(text)).filter(JsonNode::isObject);
        } catch (JacksonException malformed) {
            return Optional.empty();
        }
    }

    /** What has no fields. */
    static JsonNode nothing() {
        return MAPPER.createObjectNode();
    }

    /** A text field; empty where there is none, or it is blank. */
    static Optional<String> text(JsonNode node, String field) {
        JsonNode value = node.path(field);
        return value.isString() && !value.asString().isBlank()
                ? Optional.of(value.asString())
                : Optional.empty();
    }

    /** An HTTPS URL; empty where there is none. */
    static Optional<URI> url(JsonNode node, String field) {
        return text(node, field).flatMap(ForeignJson::https);
    }

    private static Optional<URI> https(String text) {
        try {
            URI url = URI.create(text);
            return Origin.of(url).map(_ -> url);
        } catch (IllegalArgumentException notAUrl) {
            return Optional.empty();
        }
    }

    /** The directory of a CA that everybody knows, by one of its URLs. */
    static Optional<URI> directoryOf(URI url) {
        for (KnownDirectory known : KnownDirectory.values()) {
            if (Origin.of(known.url()).equals(Origin.of(url))) {
                return Optional.of(known.url());
            }
        }
        return Optional.empty();
    }

    /** What cannot be taken over. */
    static Finding unreadable(String entry, String what) {
        return Finding.of(
                Reason.OBJECT_INVALID,
                new ObjectRef("Entry", "", entry),
                entry + ": " + what,
                "It is left out; its host has a certificate ordered anew.");
    }
}

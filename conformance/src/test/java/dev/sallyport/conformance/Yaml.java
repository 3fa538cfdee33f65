package dev.sallyport.conformance;

import java.util.ArrayList;
import java.util.List;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** YAML, as the trees that JSON makes. */
final class Yaml {

    private static final JsonMapper JSON = JsonMapper.shared();

    private Yaml() {}

    /** The documents of a text, without empty ones. */
    static List<JsonNode> documents(String text) {
        List<JsonNode> documents = new ArrayList<>();
        for (Object document : new Load(LoadSettings.builder().build()).loadAllFromString(text)) {
            if (document != null) {
                documents.add(JSON.valueToTree(document));
            }
        }
        return documents;
    }

    /** The only document of a text. */
    static JsonNode document(String text) {
        List<JsonNode> documents = documents(text);
        if (documents.size() != 1) {
            throw new AssertionError(documents.size() + " documents (expected: 1)");
        }
        return documents.getFirst();
    }
}

package dev.sallyport.conformance;

import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;

/** Looking into JSON documents. */
final class Json {

    private Json() {}

    /**
     * The elements of an array; of an object with one array in it, that array's. None of a null, as
     * Kubernetes writes a list that is empty.
     */
    static Stream<JsonNode> items(JsonNode node) {
        if (node.isNull()) {
            return Stream.empty();
        }
        if (node.isArray()) {
            return StreamSupport.stream(node.spliterator(), false);
        }
        return StreamSupport.stream(node.spliterator(), false)
                .filter(JsonNode::isArray)
                .findFirst()
                .map(array -> StreamSupport.stream(array.spliterator(), false))
                .orElseThrow(() -> new AssertionError("no array in " + node));
    }
}

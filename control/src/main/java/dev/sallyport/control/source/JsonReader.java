package dev.sallyport.control.source;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/** Reads JSON, one value after the other. Iterative and bounded in depth. */
final class JsonReader {
    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(100)
                                    .maxStringLength(16 << 20)
                                    .maxNumberLength(64)
                                    .build())
                    .build();

    private JsonReader() {}

    /** A collection whose end was not seen yet. */
    private static final class Open {
        final int line;
        final boolean mapping;
        final Map<String, Tree> entries = new LinkedHashMap<>();
        final List<Tree> items = new ArrayList<>();
        String key = "";

        Open(int line, boolean mapping) {
            this.line = line;
            this.mapping = mapping;
        }

        void add(Tree value) {
            if (mapping) {
                entries.put(key, value);
            } else {
                items.add(value);
            }
        }

        Tree tree() {
            return mapping ? new Tree.Mapping(line, entries) : new Tree.Sequence(line, items);
        }
    }

    /** The values of a file. */
    static List<Tree> read(String text) throws Tree.Malformed {
        List<Tree> documents = new ArrayList<>();
        List<Open> stack = new ArrayList<>();
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                int line = parser.currentTokenLocation().getLineNr();
                Tree done = null;
                if (token == JsonToken.PROPERTY_NAME) {
                    stack.getLast().key = parser.currentName();
                } else if (token.isStructStart()) {
                    stack.add(new Open(line, token == JsonToken.START_OBJECT));
                } else if (token.isStructEnd()) {
                    done = stack.removeLast().tree();
                } else {
                    done = new Tree.Scalar(line, value(parser, token));
                }
                if (done != null && stack.isEmpty()) {
                    documents.add(done);
                } else if (done != null) {
                    stack.getLast().add(done);
                }
            }
        } catch (JacksonException malformed) {
            int line = malformed.getLocation() == null ? 0 : malformed.getLocation().getLineNr();
            throw new Tree.Malformed(Math.max(0, line), firstLine(malformed.getOriginalMessage()));
        }
        return documents;
    }

    private static @Nullable Object value(JsonParser parser, JsonToken token) {
        if (token == JsonToken.VALUE_STRING) {
            return parser.getString();
        }
        if (token == JsonToken.VALUE_TRUE || token == JsonToken.VALUE_FALSE) {
            return token == JsonToken.VALUE_TRUE;
        }
        if (token == JsonToken.VALUE_NUMBER_INT) {
            BigInteger number = parser.getBigIntegerValue();
            return number.bitLength() < Long.SIZE ? (Object) number.longValue() : number;
        }
        return token == JsonToken.VALUE_NUMBER_FLOAT ? (Object) parser.getDoubleValue() : null;
    }

    private static String firstLine(@Nullable String message) {
        String text = String.valueOf(message);
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end);
    }
}

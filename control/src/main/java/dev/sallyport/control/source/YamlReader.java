package dev.sallyport.control.source;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.common.Anchor;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Reads YAML 1.2 (core schema) with merge keys, as people write manifests. Iterative, and bounded
 * in depth and in the size that aliases unfold to.
 */
final class YamlReader {
    private static final int MAX_DEPTH = 100;
    private static final int MAX_NODES = 2_000_000;
    private static final String TAG = "tag:yaml.org,2002:";
    private static final Pattern DECIMAL = Pattern.compile("[-+]?[0-9]+");
    private static final Pattern OCTAL = Pattern.compile("0o[0-7]+");
    private static final Pattern HEXADECIMAL = Pattern.compile("0x[0-9a-fA-F]+");
    private static final Pattern FLOAT =
            Pattern.compile("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");

    private final List<Tree> documents = new ArrayList<>();
    private final List<Open> stack = new ArrayList<>();
    private final Map<Anchor, Node> anchors = new HashMap<>();
    private long nodes;

    private YamlReader() {}

    /** A value with the number of values in it and their depth. */
    private record Node(Tree tree, long size, int depth) {}

    /** A collection whose end was not seen yet. */
    private static final class Open {
        final int line;
        final boolean mapping;
        final @Nullable Anchor anchor;
        final Map<String, Tree> entries = new LinkedHashMap<>();
        final List<Tree> items = new ArrayList<>();
        final List<Tree> merged = new ArrayList<>();
        @Nullable String key;
        boolean merging;
        long size = 1;
        int depth = 1;

        Open(int line, boolean mapping, @Nullable Anchor anchor) {
            this.line = line;
            this.mapping = mapping;
            this.anchor = anchor;
        }

        boolean awaitsKey() {
            return mapping && key == null && !merging;
        }
    }

    /** The documents of a file. */
    static List<Tree> read(String text) throws Tree.Malformed {
        var settings =
                LoadSettings.builder().setCodePointLimit(Integer.MAX_VALUE).setLabel("").build();
        var reader = new YamlReader();
        try {
            for (Event event : new Parse(settings).parseString(text)) {
                reader.take(event);
            }
        } catch (MarkedYamlEngineException malformed) {
            int line = malformed.getProblemMark().map(mark -> mark.getLine() + 1).orElse(0);
            String context = malformed.getContext() == null ? "" : malformed.getContext() + ": ";
            throw new Tree.Malformed(line, oneLine(context + malformed.getProblem()));
        } catch (YamlEngineException malformed) {
            throw new Tree.Malformed(0, oneLine(String.valueOf(malformed.getMessage())));
        }
        return reader.documents;
    }

    private static String oneLine(String text) {
        String plain = text.replaceAll("\\s+", " ").strip();
        return plain.length() > 200 ? plain.substring(0, 200) + "…" : plain;
    }

    private void take(Event event) throws Tree.Malformed {
        switch (event.getEventId()) {
            case Scalar -> takeScalar((ScalarEvent) event);
            case MappingStart, SequenceStart -> takeStart((CollectionStartEvent) event);
            case MappingEnd, SequenceEnd -> takeEnd();
            case Alias -> takeAlias((AliasEvent) event);
            case DocumentStart -> anchors.clear();
            case DocumentEnd, StreamStart, StreamEnd, Comment -> {}
        }
    }

    private void takeScalar(ScalarEvent event) throws Tree.Malformed {
        int line = line(event);
        if (!stack.isEmpty() && stack.getLast().awaitsKey()) {
            Open open = stack.getLast();
            if (event.isPlain() && event.getValue().equals("<<")) {
                open.merging = true;
            } else if (open.entries.containsKey(event.getValue())) {
                throw new Tree.Malformed(line, "key " + event.getValue() + " is there twice");
            } else {
                open.key = event.getValue();
            }
            return;
        }
        var node = new Node(new Tree.Scalar(line, value(event, line)), 1, 1);
        event.getAnchor().ifPresent(anchor -> anchors.put(anchor, node));
        add(node, line);
    }

    private void takeStart(CollectionStartEvent event) throws Tree.Malformed {
        int line = line(event);
        if (!stack.isEmpty() && stack.getLast().awaitsKey()) {
            throw new Tree.Malformed(line, "a key is a collection (expected: text)");
        }
        if (stack.size() >= MAX_DEPTH) {
            throw new Tree.Malformed(line, "nested more than " + MAX_DEPTH + " deep");
        }
        boolean mapping = event instanceof MappingStartEvent;
        String expected = TAG + (mapping ? "map" : "seq");
        String tag = event.getTag().orElse(expected);
        if (!tag.equals(expected) && !tag.equals("!")) {
            throw new Tree.Malformed(line, "tag " + tag + " (expected: none)");
        }
        stack.add(new Open(line, mapping, event.getAnchor().orElse(null)));
    }

    private void takeEnd() throws Tree.Malformed {
        Open open = stack.removeLast();
        Tree tree;
        if (open.mapping) {
            merge(open);
            tree = new Tree.Mapping(open.line, open.entries);
        } else {
            tree = new Tree.Sequence(open.line, open.items);
        }
        var node = new Node(tree, open.size, open.depth);
        if (open.anchor != null) {
            anchors.put(open.anchor, node);
        }
        add(node, open.line);
    }

    /** A key written out wins over a merged one, an earlier merged one over a later. */
    private static void merge(Open open) throws Tree.Malformed {
        for (Tree source : open.merged) {
            switch (source) {
                case Tree.Mapping mapping -> mapping.entries().forEach(open.entries::putIfAbsent);
                case Tree.Sequence(int line, List<Tree> items) -> {
                    for (Tree item : items) {
                        if (!(item instanceof Tree.Mapping mapping)) {
                            throw new Tree.Malformed(line, "'<<' merges mappings only");
                        }
                        mapping.entries().forEach(open.entries::putIfAbsent);
                    }
                }
                case Tree.Scalar scalar ->
                        throw new Tree.Malformed(scalar.line(), "'<<' merges mappings only");
            }
        }
    }

    private void takeAlias(AliasEvent event) throws Tree.Malformed {
        int line = line(event);
        Node node = anchors.get(event.getAlias());
        if (node == null) {
            throw new Tree.Malformed(
                    line, "alias *" + event.getAlias() + " names nothing before it");
        }
        if (!stack.isEmpty() && stack.getLast().awaitsKey()) {
            throw new Tree.Malformed(line, "a key is an alias (expected: text)");
        }
        add(node, line);
    }

    private void add(Node node, int line) throws Tree.Malformed {
        nodes += node.size();
        if (nodes > MAX_NODES) {
            throw new Tree.Malformed(line, "more than " + MAX_NODES + " values, aliases unfolded");
        }
        if (stack.isEmpty()) {
            documents.add(node.tree());
            return;
        }
        Open open = stack.getLast();
        open.size += node.size();
        open.depth = Math.max(open.depth, node.depth() + 1);
        if (stack.size() + node.depth() > MAX_DEPTH) {
            throw new Tree.Malformed(line, "nested more than " + MAX_DEPTH + " deep");
        }
        if (!open.mapping) {
            open.items.add(node.tree());
        } else if (open.merging) {
            open.merged.add(node.tree());
            open.merging = false;
        } else if (open.key != null) {
            open.entries.put(open.key, node.tree());
            open.key = null;
        }
    }

    private static int line(NodeEvent event) {
        return event.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
    }

    private static @Nullable Object value(ScalarEvent event, int line) throws Tree.Malformed {
        String tag = event.getTag().orElse(event.isPlain() ? "?" : "!");
        return switch (tag) {
            case "?" -> resolve(event.getValue());
            case "!", TAG + "str", TAG + "binary" -> event.getValue();
            case TAG + "int", TAG + "float", TAG + "bool", TAG + "null" ->
                    resolve(event.getValue());
            default -> throw new Tree.Malformed(line, "tag " + tag + " (expected: none)");
        };
    }

    /** YAML 1.2, section 10.3.2. */
    private static @Nullable Object resolve(String text) {
        switch (text) {
            case "", "~", "null", "Null", "NULL" -> {
                return null;
            }
            case "true", "True", "TRUE" -> {
                return true;
            }
            case "false", "False", "FALSE" -> {
                return false;
            }
            default -> {
                if (text.length() > 64) {
                    return text;
                }
            }
        }
        if (DECIMAL.matcher(text).matches()) {
            return integer(text.startsWith("+") ? text.substring(1) : text, 10);
        }
        if (OCTAL.matcher(text).matches()) {
            return integer(text.substring(2), 8);
        }
        if (HEXADECIMAL.matcher(text).matches()) {
            return integer(text.substring(2), 16);
        }
        return FLOAT.matcher(text).matches() ? (Object) Double.valueOf(text) : text;
    }

    private static Object integer(String digits, int radix) {
        var number = new BigInteger(digits, radix);
        return number.bitLength() < Long.SIZE ? (Object) number.longValue() : number;
    }
}

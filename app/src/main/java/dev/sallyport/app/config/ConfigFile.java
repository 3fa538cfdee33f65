package dev.sallyport.app.config;

import dev.sallyport.model.finding.Location;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Reads the configuration file, keeping the line of everything. */
final class ConfigFile {
    /** A configuration has a few hundred lines; this is someone's mistake. */
    private static final long LARGEST = 1 << 20;

    /** The deepest key is at three; what nests deeper is unknown anyway. */
    private static final int DEEPEST = 16;

    private final Path file;
    private final List<Problem> problems;

    private ConfigFile(Path file, List<Problem> problems) {
        this.file = file;
        this.problems = problems;
    }

    /** What {@code file} says; nothing where it is empty, or where a problem was added. */
    static Raw read(Path file, List<Problem> problems) {
        return new ConfigFile(file, problems).read();
    }

    private Raw read() {
        try {
            if (Files.size(file) > LARGEST) {
                return failed(0, "larger than 1MiB (expected: a configuration)");
            }
            var settings = LoadSettings.builder().setLabel(file.toString()).build();
            Optional<Node> root = new Compose(settings).composeString(Files.readString(file));
            return root.isEmpty() ? new Raw.Nothing(at(0)) : raw(root.get(), 0);
        } catch (NoSuchFileException missing) {
            return failed(0, "no such file");
        } catch (CharacterCodingException notText) {
            return failed(0, "not UTF-8 text");
        } catch (IOException unreadable) {
            return failed(0, "cannot be read: " + unreadable);
        } catch (MarkedYamlEngineException malformed) {
            return failed(
                    malformed.getProblemMark().map(mark -> mark.getLine() + 1).orElse(0),
                    "not YAML: " + malformed.getProblem());
        } catch (YamlEngineException malformed) {
            return failed(0, "not YAML: " + malformed.getMessage());
        }
    }

    private Raw raw(Node node, int depth) {
        Source place = at(line(node));
        if (depth > DEEPEST) {
            problems.add(new Problem(place, "", "nested too deep"));
            return new Raw.Nothing(place);
        }
        return switch (node) {
            case MappingNode mapping -> fields(mapping, place, depth);
            case SequenceNode sequence ->
                    new Raw.Many(
                            sequence.getValue().stream().map(item -> raw(item, depth + 1)).toList(),
                            place);
            case ScalarNode scalar when scalar.getTag().equals(Tag.NULL) -> new Raw.Nothing(place);
            case ScalarNode scalar -> new Raw.Text(scalar.getValue(), place);
            default -> new Raw.Nothing(place);
        };
    }

    private Raw fields(MappingNode mapping, Source place, int depth) {
        List<Raw.Field> fields = new ArrayList<>();
        for (NodeTuple tuple : mapping.getValue()) {
            Source keyPlace = at(line(tuple.getKeyNode()));
            if (tuple.getKeyNode() instanceof ScalarNode key) {
                fields.add(
                        new Raw.Field(
                                key.getValue(), raw(tuple.getValueNode(), depth + 1), keyPlace));
            } else {
                problems.add(new Problem(keyPlace, "", "a key that is not text"));
            }
        }
        return new Raw.Fields(fields, place);
    }

    private Raw failed(int line, String message) {
        problems.add(new Problem(at(line), "", message));
        return new Raw.Nothing(at(line));
    }

    private Source at(int line) {
        return new Source.File(new Location(file.toString(), line));
    }

    private static int line(Node node) {
        return node.getStartMark().map(Mark::getLine).map(line -> line + 1).orElse(0);
    }
}

package dev.sallyport.conformance;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Prometheus' text format, version 0.0.4, read as strictly as promtool does.
 *
 * @param samples in the order of the text
 */
record Metrics(List<Sample> samples) {

    private static final String LABEL =
            "[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\"";
    private static final Pattern SAMPLE =
            Pattern.compile(
                    "([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{((?:"
                            + LABEL
                            + "(?:,"
                            + LABEL
                            + ")*,?)?)})? (\\S+)(?: (-?[0-9]+))?");
    private static final Pattern LABELS =
            Pattern.compile("([a-zA-Z_]\\w*)=\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final Pattern HELP = Pattern.compile("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
    private static final Pattern TYPE =
            Pattern.compile(
                    "# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)");

    /** One line of measurement. */
    record Sample(String name, Map<String, String> labels, double value) {}

    Metrics {
        samples = List.copyOf(samples);
    }

    /**
     * Reads a scrape.
     *
     * @throws AssertionError naming the first line that is not as the format wants it, or breaks
     *     what promtool checks: help and type before the samples, one family in one place, no
     *     sample twice, counters ending in {@code _total} and not negative
     */
    static Metrics parse(String text) {
        if (!text.endsWith("\n")) {
            throw new AssertionError("the last line has no end");
        }
        List<Sample> samples = new ArrayList<>();
        Map<String, String> types = new HashMap<>();
        Set<String> helped = new HashSet<>();
        Set<String> closed = new HashSet<>();
        Set<String> seen = new HashSet<>();
        String family = "";
        for (String line : text.lines().toList()) {
            Matcher help = HELP.matcher(line);
            Matcher type = TYPE.matcher(line);
            if (help.matches()) {
                require(helped.add(help.group(1)), "help twice", line);
            } else if (type.matches()) {
                require(types.put(type.group(1), type.group(2)) == null, "type twice", line);
                require(!closed.contains(type.group(1)), "type after samples", line);
                closed.add(family);
                family = type.group(1);
            } else if (!line.isBlank() && !line.equals("# EOF")) {
                require(!line.startsWith("#"), "neither help nor type", line);
                Sample sample = sample(line);
                require(belongs(sample.name(), family, types), "outside its family", line);
                require(!closed.contains(family), "family in two places", line);
                require(helped.contains(family), "no help", line);
                require(seen.add(sample.name() + sample.labels()), "sample twice", line);
                if ("counter".equals(types.get(family))) {
                    require(family.endsWith("_total"), "counter without _total", line);
                    require(sample.value() >= 0, "negative counter", line);
                }
                samples.add(sample);
            }
        }
        return new Metrics(samples);
    }

    private static Sample sample(String line) {
        Matcher sample = SAMPLE.matcher(line);
        require(sample.matches(), "not a sample", line);
        Map<String, String> labels = new HashMap<>();
        String list = sample.group(2);
        if (list != null) {
            Matcher each = LABELS.matcher(list);
            while (each.find()) {
                require(labels.put(each.group(1), each.group(2)) == null, "label twice", line);
            }
        }
        return new Sample(sample.group(1), Map.copyOf(labels), number(sample.group(3), line));
    }

    private static double number(String text, String line) {
        return switch (text) {
            case "+Inf" -> Double.POSITIVE_INFINITY;
            case "-Inf" -> Double.NEGATIVE_INFINITY;
            case "NaN" -> Double.NaN;
            default -> {
                try {
                    yield Double.parseDouble(text);
                } catch (NumberFormatException e) {
                    throw new AssertionError("not a number: " + line, e);
                }
            }
        };
    }

    private static boolean belongs(String sample, String family, Map<String, String> types) {
        if (sample.equals(family)) {
            return true;
        }
        return switch (types.getOrDefault(family, "untyped")) {
            case "histogram" ->
                    sample.equals(family + "_bucket")
                            || sample.equals(family + "_sum")
                            || sample.equals(family + "_count");
            case "summary" -> sample.equals(family + "_sum") || sample.equals(family + "_count");
            default -> false;
        };
    }

    private static void require(boolean holds, String what, String line) {
        if (!holds) {
            throw new AssertionError(what + ": " + line);
        }
    }

    /** The sum of all samples of this name; 0 without any. */
    double sum(String name) {
        return samples.stream()
                .filter(sample -> sample.name().equals(name))
                .mapToDouble(Sample::value)
                .sum();
    }

    /** All samples of this name. */
    List<Sample> of(String name) {
        return samples.stream().filter(sample -> sample.name().equals(name)).toList();
    }
}

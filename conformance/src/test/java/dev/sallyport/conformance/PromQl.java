package dev.sallyport.conformance;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A PromQL expression, read as far as is needed to know what it asks for. Whether it is sound is
 * for promtool to say ({@code promtool check rules}).
 *
 * @param text the expression
 * @param selectors what it asks for, in order
 * @param grouping the labels after {@code by} and {@code on}
 * @param aggregated whether the result has no labels but those it is grouped by
 */
record PromQl(String text, List<Selector> selectors, Set<String> grouping, boolean aggregated) {

    private static final Set<String> AGGREGATIONS =
            Set.of("sum", "min", "max", "avg", "count", "group", "topk", "bottomk", "quantile");
    private static final Set<String> LABEL_LISTS = Set.of("by", "on", "group_left", "group_right");
    private static final Set<String> OPERATORS = Set.of("and", "or", "unless", "bool");
    private static final Set<String> UNKNOWN = Set.of("without", "ignoring", "offset", "atan2");
    private static final Pattern TOKEN =
            Pattern.compile(
                    "\\s+|(?<string>\"(?:[^\"\\\\]|\\\\.)*\")|(?<range>\\[[^\\]]*\\])"
                            + "|(?<word>[a-zA-Z_:][a-zA-Z0-9_:]*)|(?<number>[0-9][0-9.eE]*)"
                            + "|(?<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){},])");

    /**
     * Some samples.
     *
     * @param metric the name
     * @param matchers what is asked of labels
     * @param ranged whether it asks for a span of time
     * @param within the functions and aggregations around it, the nearest first
     */
    record Selector(
            String metric, List<LabelMatcher> matchers, boolean ranged, List<String> within) {
        Selector {
            matchers = List.copyOf(matchers);
            within = List.copyOf(within);
        }

        /** The function that is applied to it, if one is. */
        Optional<String> function() {
            return within.stream().findFirst();
        }
    }

    /** What is asked of one label. */
    record LabelMatcher(String label, String operator, String value) {

        /** The values it names, of alternatives each; none where it only gives a pattern. */
        List<String> values() {
            if (value.startsWith("$") || value.isEmpty()) {
                return List.of();
            }
            return operator.endsWith("~")
                    ? Stream.of(value.split("\\|", -1)).toList()
                    : List.of(value);
        }
    }

    PromQl {
        selectors = List.copyOf(selectors);
        grouping = Set.copyOf(grouping);
    }

    /**
     * Reads an expression.
     *
     * @throws AssertionError naming what is not understood: it is for this class to learn, then
     */
    static PromQl parse(String text) {
        return new Reader(text, tokens(text)).read();
    }

    private static List<String> tokens(String text) {
        List<String> tokens = new ArrayList<>();
        Matcher matcher = TOKEN.matcher(text);
        int end = 0;
        while (matcher.find() && matcher.start() == end) {
            end = matcher.end();
            if (!matcher.group().isBlank()) {
                tokens.add(matcher.group());
            }
        }
        if (end != text.length()) {
            throw new AssertionError("not understood: " + text.substring(end) + " in: " + text);
        }
        return tokens;
    }

    /** Goes through the tokens once. */
    private static final class Reader {
        private final String text;
        private final List<String> tokens;
        private final List<Selector> selectors = new ArrayList<>();
        private final Set<String> grouping = new LinkedHashSet<>();
        private final Deque<String> within = new ArrayDeque<>(); // "" for plain parentheses
        private String opening = "";
        private boolean aggregated;
        private boolean joined; // many to one: the result has the labels of the many
        private int next;

        Reader(String text, List<String> tokens) {
            this.text = text;
            this.tokens = tokens;
        }

        PromQl read() {
            while (next < tokens.size()) {
                String token = tokens.get(next++);
                switch (token) {
                    case "(" -> {
                        within.push(opening);
                        opening = "";
                    }
                    case ")" -> within.pop();
                    default -> {
                        if (Character.isLetter(token.charAt(0))) {
                            word(token);
                        }
                    }
                }
            }
            if (!within.isEmpty()) {
                throw new AssertionError("a parenthesis is not closed: " + text);
            }
            return new PromQl(text, selectors, grouping, aggregated && !joined);
        }

        private void word(String word) {
            if (UNKNOWN.contains(word)) {
                throw new AssertionError("not understood: " + word + " in: " + text);
            }
            if (OPERATORS.contains(word)) {
                return;
            }
            if (LABEL_LISTS.contains(word)) {
                joined |= word.startsWith("group_");
                labels();
            } else if (AGGREGATIONS.contains(word)) {
                // topk keeps the labels of what it chooses from.
                aggregated |= !word.endsWith("topk") && !word.endsWith("bottomk");
                opening = word;
            } else if (at("(")) {
                opening = word;
            } else {
                selector(word);
            }
        }

        private void labels() {
            expect("(");
            while (!at(")")) {
                if (!at(",")) {
                    grouping.add(tokens.get(next));
                }
                next++;
            }
            next++;
        }

        private void selector(String metric) {
            List<LabelMatcher> matchers = new ArrayList<>();
            if (at("{")) {
                next++;
                while (!at("}")) {
                    if (at(",")) {
                        next++;
                    }
                    String value = tokens.get(next + 2);
                    matchers.add(
                            new LabelMatcher(
                                    tokens.get(next),
                                    tokens.get(next + 1),
                                    value.substring(1, value.length() - 1)));
                    next += 3;
                }
                next++;
            }
            boolean ranged = next < tokens.size() && tokens.get(next).startsWith("[");
            if (ranged) {
                next++;
            }
            selectors.add(
                    new Selector(
                            metric,
                            matchers,
                            ranged,
                            within.stream().filter(name -> !name.isEmpty()).toList()));
        }

        private boolean at(String token) {
            return next < tokens.size() && tokens.get(next).equals(token);
        }

        private void expect(String token) {
            if (!at(token)) {
                throw new AssertionError("expected " + token + " in: " + text);
            }
            next++;
        }
    }
}

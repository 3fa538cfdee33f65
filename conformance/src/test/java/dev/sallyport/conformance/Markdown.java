package dev.sallyport.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A page of the documentation. */
record Markdown(Path page, List<String> lines) {

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    private static final String FENCE = "```";

    Markdown {
        lines = List.copyOf(lines);
    }

    /** Reads it, without what is code. */
    static Markdown read(Path page) {
        try {
            List<String> lines = new ArrayList<>();
            boolean code = false;
            for (String line : Files.readAllLines(page)) {
                if (line.startsWith(FENCE)) {
                    code = !code;
                } else if (!code && !line.startsWith("    ")) {
                    lines.add(line);
                }
            }
            return new Markdown(page, lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The anchors of its headings, as those who render Markdown make them. */
    Set<String> anchors() {
        return lines.stream()
                .filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("#+ +", "").toLowerCase(Locale.ROOT))
                .map(line -> line.replaceAll("[^\\p{L}0-9 _-]", "").replace(' ', '-'))
                .collect(Collectors.toSet());
    }

    /** Where it leads within the repository. */
    List<String> links() {
        return lines.stream()
                .flatMap(line -> LINK.matcher(line).results())
                .map(found -> found.group(1))
                .filter(link -> !link.contains("://"))
                .toList();
    }
}

package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The pages of the repository. */
final class MarkdownTest {

    static List<Path> pages() throws IOException {
        Path home = Distribution.home();
        try (Stream<Path> top = Files.list(home);
                Stream<Path> docs = Files.walk(home.resolve("docs"));
                Stream<Path> deploy = Files.walk(home.resolve("deploy"));
                Stream<Path> bench = Files.list(home.resolve("bench"))) {
            return Stream.of(top, docs, deploy, bench)
                    .flatMap(pages -> pages)
                    .filter(page -> page.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyLinkLeadsSomewhere(Path page) {
        Markdown markdown = Markdown.read(page);
        for (String link : markdown.links()) {
            String[] parts = link.split("#", 2);
            Path folder = Objects.requireNonNull(page.getParent());
            Path target = parts[0].isEmpty() ? page : folder.resolve(parts[0]).normalize();
            assertThat(target).as("%s in %s", link, page).exists();
            if (parts.length == 2) {
                assertThat(Markdown.read(target).anchors())
                        .as("%s in %s", link, page)
                        .contains(parts[1]);
            }
        }
    }
}

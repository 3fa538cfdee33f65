package dev.sallyport.app.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Holds {@code docs/configuration.md} at the records; {@code -Ddocs.update} rewrites it. */
final class ConfigurationDocumentTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "configuration.md");
    private static final String BEGIN = "<!-- generated from GatewayConfig -->\n";
    private static final String END = "<!-- end -->\n";

    @Test
    void theDocumentSaysWhatTheRecordsSay() throws Exception {
        String document = Files.readString(DOCUMENT);
        int begin = document.indexOf(BEGIN) + BEGIN.length();
        String expected =
                document.substring(0, begin)
                        + "\n"
                        + ConfigurationDocument.markdown()
                        + "\n"
                        + document.substring(document.indexOf(END));
        if (System.getProperty("docs.update") != null) {
            Files.writeString(DOCUMENT, expected);
        }
        assertThat(Files.readString(DOCUMENT)).isEqualTo(expected);
    }
}

package dev.sallyport.app.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Holds {@code docs/defaults.md} at the records: each key with its real default and a reason. */
final class DefaultsDocumentTest {
    private static final Pattern ROW =
            Pattern.compile("(?m)^\\| `([a-z0-9.-]+)` \\| (.*?) \\| (.*) \\|$");

    @Test
    void everyKeyHasItsDefaultAndAReason() throws Exception {
        Map<String, String> documented = new LinkedHashMap<>();
        Matcher row = ROW.matcher(Files.readString(Path.of("..", "docs", "defaults.md")));
        while (row.find()) {
            assertThat(documented.put(row.group(1), row.group(2).strip()))
                    .as(row.group(1) + ": twice")
                    .isNull();
            assertThat(row.group(3)).as(row.group(1) + ": reason").hasSizeGreaterThan(8);
        }
        Map<String, String> real = new LinkedHashMap<>();
        for (Schema.Entry entry : Schema.entries()) {
            real.put(entry.key(), entry.defaults());
        }
        assertThat(documented).containsExactlyInAnyOrderEntriesOf(real);
    }
}

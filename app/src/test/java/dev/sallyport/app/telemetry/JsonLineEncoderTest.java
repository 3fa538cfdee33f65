package dev.sallyport.app.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class JsonLineEncoderTest {
    private final JsonLineEncoder encoder = new JsonLineEncoder();

    @Test
    void aMessageIsAFlatObject() {
        assertThat(line("listening", null, pair("listener", "http"), pair("port", 8080)))
                .isEqualTo(
                        """
                        {"time":"2026-06-01T12:00:00.250Z","level":"WARN","message":"listening",\
                        "listener":"http","port":8080,"logger":"dev.sallyport.Test"}
                        """);
    }

    @Test
    void valuesKeepTheirKind() {
        JsonNode line =
                read(
                        line(
                                "m",
                                null,
                                pair("long", Long.MIN_VALUE),
                                pair("truth", true),
                                pair("nothing", null),
                                pair("map", new TreeMap<>(Map.of("Ingress", 1)))));

        assertThat(line.get("long").asLong()).isEqualTo(Long.MIN_VALUE);
        assertThat(line.get("truth").isBoolean()).isTrue();
        assertThat(line.get("nothing").isNull()).isTrue();
        assertThat(line.get("map").asString()).isEqualTo("{Ingress=1}");
    }

    @Test
    void whateverStrangersWriteIsOneLineThatReadsBack() {
        String nasty = "a\"b\\c\n\r\t\u0000\u001b[2J\u007f\u2028\u2029\u202eé€\ud83d\ude80{},:";

        String line = line(nasty, null, pair(nasty, nasty));

        assertThat(line).endsWith("}\n");
        assertThat(line.substring(0, line.length() - 1))
                .doesNotContainPattern("[\\p{Cc}\\u2028\\u2029]");
        assertThat(read(line).get("message").asString()).isEqualTo(nasty);
        assertThat(read(line).get(nasty).asString()).isEqualTo(nasty);
    }

    @Test
    void halfACharacterIsStillJson() {
        assertThat(read(line("a\ud83d b\ude80", null)).get("message").asString())
                .isEqualTo("a\ud83d b\ude80");
    }

    @Test
    void aKeyOfOursIsNotTakenTwice() {
        assertThat(read(line("m", null, pair("level", "high"))).get("level_").asString())
                .isEqualTo("high");
    }

    @Test
    void aStackTraceIsOneMember() {
        JsonNode line = read(line("m", new IllegalStateException("broken")));

        assertThat(line.get("error").asString())
                .startsWith("java.lang.IllegalStateException: broken")
                .contains("JsonLineEncoderTest");
    }

    private String line(String message, @Nullable Throwable thrown, KeyValuePair... pairs) {
        var context = new LoggerContext();
        var event =
                new LoggingEvent(
                        "",
                        context.getLogger("dev.sallyport.Test"),
                        Level.WARN,
                        message,
                        thrown,
                        new Object[0]);
        event.setInstant(Instant.parse("2026-06-01T12:00:00.250Z"));
        event.setKeyValuePairs(List.of(pairs));
        return new String(encoder.encode(event), UTF_8);
    }

    private static KeyValuePair pair(String key, @Nullable Object value) {
        return new KeyValuePair(key, value);
    }

    private static JsonNode read(String line) {
        return JsonMapper.shared().readTree(line);
    }
}

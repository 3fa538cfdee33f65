package dev.sallyport.app.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ScalarFormsTest {

    @Test
    void durationsAreReadAndWrittenAlike() {
        for (String text : List.of("0", "500ms", "10s", "90s", "5m", "1h", "36h", "365d")) {
            assertThat(DurationText.format(DurationText.parse(text))).isEqualTo(text);
        }
    }

    @Test
    void durationsNeedAUnit() {
        for (String text : List.of("10", "1.5s", "-1s", "s", "", "10 s", "9999999999s")) {
            assertThatThrownBy(() -> DurationText.parse(text))
                    .as(text)
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(DurationText.parse("999999999d")).isEqualTo(Duration.ofDays(999_999_999));
    }

    @Test
    void sizesAreReadAndWrittenAlike() {
        for (String text : List.of("0", "1000B", "64KiB", "1MiB", "3GiB")) {
            assertThat(ByteSize.parse(text)).hasToString(text);
        }
        assertThat(ByteSize.parse("65536")).isEqualTo(new ByteSize(65_536));
    }

    @Test
    void sizesHaveBinaryUnits() {
        for (String text : List.of("64KB", "64k", "-1", "1.5MiB", "", "999999999999999GiB")) {
            assertThatThrownBy(() -> ByteSize.parse(text))
                    .as(text)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void addressesAreReadAndWrittenAlike() {
        for (String text : List.of("0.0.0.0:8080", "[::]:8443", "[::1]:0", "127.0.0.1:65535")) {
            assertThat(BindAddress.parse(text)).hasToString(text);
        }
    }

    @Test
    void addressesNeedBracketsAndAPort() {
        for (String text :
                List.of(
                        "8080",
                        ":8080",
                        "::1:8080",
                        "[::1]",
                        "[127.0.0.1]:1",
                        "example.com:1",
                        "0.0.0.0:65536",
                        "0.0.0.0:-1",
                        "0.0.0.0:",
                        "")) {
            assertThatThrownBy(() -> BindAddress.parse(text))
                    .as(text)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void blocksHaveAPrefixThatFits() {
        assertThat(Cidr.parse("10.0.0.0/8")).hasToString("10.0.0.0/8");
        assertThat(Cidr.parse("::1")).hasToString("::1/128");
        for (String text : List.of("10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "host/8", "")) {
            assertThatThrownBy(() -> Cidr.parse(text))
                    .as(text)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aTypingErrorIsRecognised() {
        assertThat(Words.nearest("heder", List.of("header", "handshake"))).contains("header");
        assertThat(Words.nearest("nonsense", List.of("header", "handshake"))).isEmpty();
    }
}

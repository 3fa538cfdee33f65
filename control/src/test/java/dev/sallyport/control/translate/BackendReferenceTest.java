package dev.sallyport.control.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BackendReferenceTest {

    @Test
    void portsAreNumbersOrNames() {
        assertThat(BackendReference.parse("a/b:80").port())
                .isEqualTo(new PortReference.ByNumber(80));
        assertThat(BackendReference.parse("a/b:http").port())
                .isEqualTo(new PortReference.ByName("http"));
        assertThat(BackendReference.parse("a/b:http")).hasToString("a/b:http");
    }

    @Test
    void whatIsNoneIsRefused() {
        String[] wrong = {
            "", "a", "a/b", "/b:80", "a/:80", "a/b:", "a/b:0", "a/b:70000", "a/b:999999"
        };
        for (String written : wrong) {
            assertThatThrownBy(() -> BackendReference.parse(written))
                    .as(written)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected: ");
        }
    }
}

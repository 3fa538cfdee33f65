package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MetricsTest {

    private static final String HEAD = "# HELP a_total Things.\n# TYPE a_total counter\n";

    @Test
    void samplesHaveLabelsAndValues() {
        Metrics metrics = Metrics.parse(HEAD + "a_total{x=\"1\",y=\"q\\\"\"} 2.5\na_total 1\n");

        assertThat(metrics.sum("a_total")).isEqualTo(3.5);
        assertThat(metrics.of("a_total").getFirst().labels()).containsEntry("x", "1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a_total 1\n",
                HEAD + "a_total 1",
                HEAD + "a_total one\n",
                HEAD + "a_total -1\n",
                HEAD + "a_total 1\na_total 2\n",
                HEAD + "b 1\n",
                HEAD + "a_total{x=1} 1\n",
                HEAD + "a_total{x=\"1\",x=\"2\"} 1\n",
                HEAD + HEAD + "a_total 1\n",
                "# TYPE a_total counter\na_total 1\n",
                "# HELP a A.\n# TYPE a counter\na 1\n",
            })
    void whatPromtoolWouldRefuseIsRefused(String text) {
        assertThatThrownBy(() -> Metrics.parse(text)).isInstanceOf(AssertionError.class);
    }
}

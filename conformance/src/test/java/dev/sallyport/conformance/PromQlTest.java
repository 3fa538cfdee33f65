package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.conformance.PromQl.LabelMatcher;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PromQlTest {

    @Test
    void selectorsAreFoundWithWhatIsAround() {
        PromQl read =
                PromQl.parse(
                        "histogram_quantile(0.99, sum by (le, pod) (rate(d_seconds_bucket{a=\"x\",b=~\"y|z\"}[5m])))");

        assertThat(read.selectors()).hasSize(1);
        PromQl.Selector selector = read.selectors().getFirst();
        assertThat(selector.metric()).isEqualTo("d_seconds_bucket");
        assertThat(selector.ranged()).isTrue();
        assertThat(selector.within()).containsExactly("rate", "sum", "histogram_quantile");
        assertThat(selector.matchers())
                .containsExactly(
                        new LabelMatcher("a", "=", "x"), new LabelMatcher("b", "=~", "y|z"));
        assertThat(selector.matchers().getLast().values()).containsExactly("y", "z");
        assertThat(read.grouping()).containsExactlyInAnyOrder("le", "pod");
        assertThat(read.aggregated()).isTrue();
    }

    @Test
    void wordsBetweenOperandsAreNoMetrics() {
        PromQl read = PromQl.parse("a - time() < 86400 and on (job) b unless c or vector(0)");

        assertThat(read.selectors())
                .extracting(PromQl.Selector::metric)
                .containsExactly("a", "b", "c");
        assertThat(read.aggregated()).isFalse();
    }

    @Test
    void theSideWithManyKeepsItsLabels() {
        assertThat(PromQl.parse("max by (x) (a) > on (x) group_right () b").aggregated()).isFalse();
    }

    @Test
    void whatIsChosenFromKeepsItsGroups() {
        PromQl read = PromQl.parse("topk(10, sum by (x) (rate(a_total[5m])))");

        assertThat(read.selectors().getFirst().within()).isEqualTo(List.of("rate", "sum", "topk"));
        assertThat(read.grouping()).containsExactly("x");
    }

    @Test
    void whatIsNotUnderstoodIsSaid() {
        assertThatThrownBy(() -> PromQl.parse("a ~ b"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("~ b");
        assertThatThrownBy(() -> PromQl.parse("sum without (x) (a)"))
                .isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> PromQl.parse("sum(a")).isInstanceOf(AssertionError.class);
    }
}

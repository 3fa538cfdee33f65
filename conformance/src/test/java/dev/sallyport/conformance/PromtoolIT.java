package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.conformance.Monitoring.Question;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/**
 * Alert rules and dashboard by the word of Prometheus. Tagged since promtool comes with the test
 * bed.
 */
@Tag("cluster")
final class PromtoolIT {

    @TempDir private Path work;

    @Test
    void everyRuleIsTaken() {
        assertThatRulesAreTaken(Monitoring.file("alerts.yaml"), Monitoring.alerts().size());
    }

    /** Each alert fires when it should, for whom it should, and not before. */
    @Test
    void everyUnitTestOfTheRulesHolds() {
        Promtool.ok("", "test", "rules", Monitoring.file("alerts.test.yaml").toString());
    }

    /** Each as a rule, in a group that says which it is. */
    @Test
    void everyQueryOfTheDashboardIsTaken() throws IOException {
        List<Map<String, Object>> groups = new ArrayList<>();
        for (Question question : Monitoring.questions()) {
            int number = groups.size(); // titles of panels may be the same
            Object rule = Map.of("record", "answer_" + number, "expr", question.query().text());
            String name = number + " " + question.where();
            groups.add(Map.of("name", name, "rules", List.of(rule)));
        }
        Path rules = work.resolve("rules.yaml");
        Files.writeString(
                rules, JsonMapper.shared().writeValueAsString(Map.of("groups", groups)), UTF_8);
        assertThatRulesAreTaken(rules, groups.size());
    }

    private static void assertThatRulesAreTaken(Path rules, int expected) {
        assertThat(Promtool.ok("", "check", "rules", "--lint-fatal", rules.toString()))
                .contains("SUCCESS: " + expected + " rules found");
    }
}

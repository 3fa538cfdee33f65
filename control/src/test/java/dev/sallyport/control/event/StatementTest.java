package dev.sallyport.control.event;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StatementTest {
    private static final ObjectRef SECRET = new ObjectRef("Secret", "default", "shop-tls");
    private static final Finding MISMATCH =
            Finding.of(Reason.KEY_MISMATCH, SECRET, "tls.key: of another", "Issue it anew.");

    @Test
    void aFindingIsAWarningWithWhatIsWrongAndWhatToDo() {
        Statement said = Statement.of(MISMATCH, "uid");
        assertThat(said.warning()).isTrue();
        assertThat(said.reason()).isEqualTo("KeyMismatch");
        assertThat(said.note()).isEqualTo("tls.key: of another. Issue it anew.");
        Statement resolved = Statement.resolved(MISMATCH, "uid");
        assertThat(resolved.warning()).isFalse();
        assertThat(resolved.reason()).isEqualTo("KeyMismatchResolved");
        assertThat(resolved.note()).isEqualTo("no longer so: tls.key: of another");
    }

    @Test
    void whatIsOnlyWorthKnowingIsNormal() {
        Finding temporary = Finding.of(Reason.CERTIFICATE_TEMPORARY, SECRET, "temporary", "");
        assertThat(Statement.of(temporary, "uid").warning()).isFalse();
        assertThat(Statement.of(temporary, "uid").note()).isEqualTo("temporary");
    }

    @Test
    void theSameHasTheSameNameAndAnythingElseAnother() {
        Statement said = Statement.of(MISMATCH, "uid");
        assertThat(said.name()).isEqualTo(Statement.of(MISMATCH, "uid").name());
        assertThat(said.name()).matches("shop-tls\\.[0-9a-f]{16}");
        assertThat(Statement.of(MISMATCH, "uid of a later one").name()).isNotEqualTo(said.name());
        assertThat(Statement.resolved(MISMATCH, "uid").name()).isNotEqualTo(said.name());
        Finding other = Finding.of(Reason.KEY_MISMATCH, SECRET, "tls.key: other", "Issue it anew.");
        assertThat(Statement.of(other, "uid").name()).isNotEqualTo(said.name());
    }

    @Test
    void namesStayNamesHoweverLongTheObjects() {
        String name = "a".repeat(229) + "." + "b".repeat(23);
        Finding finding =
                Finding.of(Reason.KEY_MISMATCH, new ObjectRef("Secret", "default", name), "m", "");
        String event = Statement.of(finding, "uid").name();
        assertThat(event).hasSizeLessThanOrEqualTo(253).matches("a{229}\\.[0-9a-f]{16}");
    }

    @Test
    void eventsOfObjectsWithoutANamespaceAreInDefault() {
        Finding finding =
                Finding.of(
                        Reason.CLASS_PARAMETERS_UNSUPPORTED,
                        new ObjectRef("IngressClass", "", "sallyport"),
                        "m",
                        "");
        assertThat(Statement.of(finding, "uid").namespace()).isEqualTo("default");
        assertThat(Statement.of(MISMATCH, "uid").namespace()).isEqualTo("default");
    }

    @Test
    void notesAreCutBetweenCharacters() {
        for (String letter : new String[] {"x", "ü", "€", "😀"}) {
            Finding finding = Finding.of(Reason.KEY_MISMATCH, SECRET, letter.repeat(2_000), "");
            String note = Statement.of(finding, "uid").note();
            int bytes = note.getBytes(StandardCharsets.UTF_8).length;
            assertThat(bytes).isBetween(990, 1_000);
            assertThat(note).endsWith("…").startsWith(letter).doesNotContain("\ufffd");
            assertThat(new String(note.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8))
                    .isEqualTo(note);
        }
    }
}

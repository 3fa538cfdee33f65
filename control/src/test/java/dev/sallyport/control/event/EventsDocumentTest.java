package dev.sallyport.control.event;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.finding.Severity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Holds {@code docs/events.md} at the reasons that there are. */
class EventsDocumentTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "events.md");

    /** Of what is no object of an API server: files, ports, watches. */
    private static final Set<Reason> NEVER =
            EnumSet.of(
                    Reason.FILE_UNREADABLE,
                    Reason.OBJECT_DUPLICATE,
                    Reason.CLASS_OF_ANOTHER_CONTROLLER,
                    Reason.LISTENER_NOT_BOUND,
                    Reason.API_SERVER_UNREACHABLE,
                    Reason.WATCH_INTERRUPTED,
                    Reason.WATCH_FORBIDDEN,
                    Reason.WATCH_LIMITED,
                    Reason.LIST_HELD_BACK,
                    Reason.NAMESPACE_MISSING,
                    Reason.SECRETS_READ_IN_TURN,
                    Reason.STATE_STALE,
                    Reason.ISSUER_INVALID,
                    Reason.ACME_NOT_WORKING,
                    Reason.STORED_STATE_REFUSED,
                    Reason.STORED_STATE_NOT_WRITTEN);

    /** What is told once, and is no finding. */
    private static final Set<String> NEWS =
            Set.of(
                    "`" + Statement.CERTIFICATE_SERVED + "`",
                    "`AcmeOrdered`",
                    "`AcmeChallenged`",
                    "`AcmeValidated`",
                    "`AcmeIssued`");

    @Test
    void theDocumentSaysOfEachReasonWhatItMeansAndWhatToDo() throws Exception {
        List<String> lines = Files.readAllLines(DOCUMENT);
        for (Reason reason : Reason.values()) {
            String begin = "| `" + reason.camelCase() + "` | ";
            assertThat(lines.stream().filter(line -> line.startsWith(begin)))
                    .as("rows of %s", begin)
                    .singleElement()
                    .satisfies(line -> {
                        List<String> cells = List.of(line.split("\\|", -1));
                        assertThat(cells).as(line).hasSize(6);
                        assertThat(cells.get(2).strip()).as(line).isEqualTo(type(reason));
                        assertThat(cells.get(3)).as(line).isNotBlank();
                        assertThat(cells.get(4).isBlank())
                                .as(line)
                                .isEqualTo(NEVER.contains(reason));
                    });
        }
    }

    @Test
    void theDocumentNamesNoReasonThatIsNone() throws Exception {
        List<String> known =
                EnumSet.allOf(Reason.class).stream()
                        .map(reason -> "`" + reason.camelCase() + "`")
                        .toList();
        List<String> named =
                Files.readAllLines(DOCUMENT).stream()
                        .dropWhile(line -> !line.startsWith("| reason |"))
                        .skip(2)
                        .takeWhile(line -> line.startsWith("|"))
                        .map(line -> line.split("\\|", -1)[1].strip())
                        .filter(cell -> !NEWS.contains(cell))
                        .toList();
        assertThat(named).containsExactlyElementsOf(known);
    }

    private static String type(Reason reason) {
        if (NEVER.contains(reason)) {
            return "–";
        }
        return reason.severity() == Severity.INFO ? "Normal" : "Warning";
    }
}

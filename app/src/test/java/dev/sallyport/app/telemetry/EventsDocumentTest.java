package dev.sallyport.app.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.finding.Severity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Holds {@code docs/events.md} at the reasons there are, in the words of their own comments; {@code
 * -Ddocs.update} rewrites it.
 */
class EventsDocumentTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "events.md");
    private static final Path REASONS =
            Path.of("..", "model/src/main/java/dev/sallyport/model/finding/Reason.java");
    private static final Pattern REASON =
            Pattern.compile(
                    "/\\*\\*((?:(?!\\*/).)*)\\*/\\s*([A-Z_]+)\\((?:ERROR|WARNING|INFO)\\)",
                    Pattern.DOTALL);

    @Test
    void theDocumentNamesEveryReason() throws Exception {
        String expected = render(comments());
        if (System.getProperty("docs.update") != null) {
            Files.writeString(DOCUMENT, expected);
        }
        assertThat(Files.readString(DOCUMENT)).isEqualTo(expected);
    }

    private static Map<Reason, String> comments() throws Exception {
        Map<Reason, String> comments = new EnumMap<>(Reason.class);
        Matcher matcher = REASON.matcher(Files.readString(REASONS));
        while (matcher.find()) {
            comments.put(
                    Reason.valueOf(matcher.group(2)),
                    matcher.group(1)
                            .replaceAll("\\s*\\n\\s*\\*\\s?", " ")
                            .replaceAll("\\{@code ([^}]*)\\}", "`$1`")
                            .strip());
        }
        assertThat(comments).containsOnlyKeys(Reason.values());
        return comments;
    }

    private static String render(Map<Reason, String> comments) {
        var rows = new StringBuilder();
        comments.forEach((reason, comment) ->
                rows.append("| `")
                        .append(reason.camelCase())
                        .append("` | ")
                        .append(reason.severity().name().toLowerCase(Locale.ROOT))
                        .append(" | ")
                        .append(reason.severity() == Severity.INFO ? "Normal" : "Warning")
                        .append(" | ")
                        .append(comment)
                        .append(" |\n"));
        return """
        # Findings and Events

        Whatever is wrong or worth knowing about an object is a finding: in `/api/findings` of the admin port, in the log, counted
        by reason in `sallyport_findings`, and, in a cluster, an Event (`events.k8s.io/v1`) on the object. A test holds this page
        at the reasons there are.

            kubectl describe ingress shop
            kubectl get events -A --field-selector reportingComponent=sallyport.dev/gateway

        An Event is written once for each change of state, by the replica that leads: when something has been so for a second, and
        when it is no longer so (Normal, the reason with `Resolved`, for instance `KeyMismatchResolved`). What comes and goes faster
        is one Event. There are at most ten about one object at once and one a minute then, and twenty a second in all; more are
        dropped and counted (`sallyport_events_dropped_total`). Each names the field, what was expected and what to do.

        `CertificateServed` (Normal, on a Secret) says that a certificate went into service, with its serial. Findings about the gateway
        itself (a port that is taken, a watch that is refused) have no object to be written on: they are in the log and in
        `/api/findings`.

        | reason | severity | Event | what it is |
        |---|---|---|---|
        """
                + rows;
    }
}

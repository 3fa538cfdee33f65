package dev.sallyport.app.command;

import dev.sallyport.app.admin.CertificateView;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code certs}: which host is served with which certificate. */
@Command(
        name = "certs",
        description = {
            "Asks a running gateway which host is served with which certificate.",
            "What is printed is in service; it may differ from what is in the folder."
        })
final class CertsCommand implements Callable<Integer> {
    private final CommandLineProgram.Surroundings surroundings;

    @Mixin private AdminQuery query = new AdminQuery();

    CertsCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** {@code /api/certificates}. */
    record Rows(List<CertificateView> certificates) {
        Rows {
            certificates = List.copyOf(certificates);
        }
    }

    @Override
    public Integer call() throws Failed {
        AdminQuery.Page<Rows> page =
                query.ask("/api/certificates", Rows.class, surroundings.environment());
        switch (query.output()) {
            case TEXT ->
                    print(
                            page.rows().certificates(),
                            surroundings.time().instant(),
                            surroundings.out());
            case JSON -> surroundings.out().println(page.json());
        }
        return ExitCode.OK.number();
    }

    static void print(List<CertificateView> rows, Instant now, PrintWriter out) {
        var table = new Table("HOST", "SERIAL", "NAMES", "ISSUER", "NOT AFTER", "SOURCE", "SINCE");
        for (CertificateView row : rows) {
            table.row(
                    row.fallback() ? "(default)" : row.host(),
                    row.serial(),
                    String.join(",", row.names()),
                    row.issuer(),
                    seconds(row.notAfter()) + remaining(row.notAfter(), now),
                    source(row),
                    seconds(row.firstServed() == null ? row.since() : row.firstServed()));
        }
        table.print(out);
    }

    /** {@code Secret default/shop-tls at 4711 (temporary; its contents by now: KeyMismatch)}. */
    private static String source(CertificateView row) {
        String at = row.resourceVersion().isEmpty() ? "" : " at " + row.resourceVersion();
        List<String> remarks = new ArrayList<>();
        if (row.temporary()) {
            remarks.add("temporary");
        }
        if (!row.unserved().isEmpty()) {
            remarks.add("its contents by now: " + row.unserved());
        }
        return row.source()
                + at
                + (remarks.isEmpty() ? "" : " (" + String.join("; ", remarks) + ")");
    }

    private static String remaining(Instant notAfter, Instant now) {
        Duration left = Duration.between(now, notAfter);
        if (left.isNegative()) {
            return " (expired)";
        }
        return left.toDays() > 0
                ? " (" + left.toDays() + "d)"
                : " (" + left.toHours() + "h" + left.toMinutesPart() + "m)";
    }

    private static String seconds(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }
}

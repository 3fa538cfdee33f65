package dev.sallyport.app.command;

import dev.sallyport.app.admin.AcmeView;
import dev.sallyport.app.admin.AcmeView.CertificateRow;
import dev.sallyport.app.admin.AcmeView.FailureView;
import dev.sallyport.app.admin.AcmeView.IssuerRow;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code acme}: the certificates that the gateway has issued for itself. */
@Command(
        name = "acme",
        synopsisSubcommandLabel = "[COMMAND]",
        description = {
            "Asks a running gateway for the certificates that it has issued for itself.",
            "Without a command: for each host, what is done next, when, and why."
        })
final class AcmeCommand implements Callable<Integer> {
    private static final String PAGE = "/api/acme";

    private final CommandLineProgram.Surroundings surroundings;

    @Mixin private AdminQuery query = new AdminQuery();

    private AcmeCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** With all its commands. */
    static CommandLine with(CommandLineProgram.Surroundings surroundings) {
        return new CommandLine(new AcmeCommand(surroundings))
                .addSubcommand(new Orders(surroundings))
                .addSubcommand(new Accounts(surroundings))
                .addSubcommand(new Certificates(surroundings))
                .addSubcommand(new AcmeRenewCommand(surroundings))
                .addSubcommand(new AcmeRevokeCommand(surroundings))
                .addSubcommand(new AcmeRollOverCommand(surroundings))
                .addSubcommand(new AcmeImportCommand(surroundings));
    }

    @Override
    public Integer call() throws Failed {
        return ask(query, surroundings, AcmeCommand::print);
    }

    /** Prints a page for people. */
    @FunctionalInterface
    private interface Form {
        void print(AcmeView view, Instant now, PrintWriter out);
    }

    private static int ask(
            AdminQuery query, CommandLineProgram.Surroundings surroundings, Form form)
            throws Failed {
        AdminQuery.Page<AcmeView> page =
                query.ask(PAGE, AcmeView.class, surroundings.environment());
        PrintWriter out = surroundings.out();
        switch (query.output()) {
            case TEXT -> {
                AcmeView view = page.rows();
                if (!view.trouble().isEmpty()) {
                    out.println("Nothing can be issued now: " + view.trouble());
                }
                if (!view.leads()) {
                    out.println("Another replica orders, and knows more.");
                }
                form.print(view, surroundings.time().instant(), out);
            }
            case JSON -> out.println(page.json());
        }
        return ExitCode.OK.number();
    }

    static void print(AcmeView view, Instant now, PrintWriter out) {
        var table = new Table("HOST", "ISSUER", "EXPIRES", "NEXT", "WHEN", "WHY");
        for (CertificateRow row : view.certificates()) {
            table.row(
                    row.host(),
                    row.issuer().isEmpty() ? "-" : row.issuer(),
                    row.notAfter() == null
                            ? "-"
                            : seconds(row.notAfter()) + " (" + until(row.notAfter(), now) + ")",
                    row.next().equals("look") ? "look again" : row.next(),
                    row.station().isEmpty() ? when(row.at(), now) : "under way",
                    why(row));
        }
        table.print(out);
    }

    private static String why(CertificateRow row) {
        String why = row.purpose().isEmpty() ? row.why() : row.why() + "; " + row.purpose();
        return row.station().isEmpty()
                ? why
                : why + " (" + row.station() + ", at " + row.orderedAt() + ")";
    }

    static void printOrders(AcmeView view, Instant now, PrintWriter out) {
        var table =
                new Table("HOST", "ISSUER", "STATE", "FAILED", "LAST", "NEXT", "CAUSE", "DETAIL");
        for (CertificateRow row : view.certificates()) {
            if (!row.next().equals("order") && !row.next().equals("renew")) {
                continue;
            }
            boolean pending = row.at() == null || !row.purpose().isEmpty();
            if (row.station().isEmpty() && row.failed() == 0 && !pending) {
                continue; // nothing is under way, nothing went wrong
            }
            @Nullable FailureView last =
                    row.failures().isEmpty() ? null : row.failures().getFirst();
            table.row(
                    row.host(),
                    row.station().isEmpty() ? last == null ? "-" : last.issuer() : row.orderedAt(),
                    state(row),
                    String.valueOf(row.failed()),
                    last == null ? "-" : seconds(last.at()),
                    row.station().isEmpty() ? when(row.at(), now) : "under way",
                    last == null ? "-" : last.cause(),
                    last == null
                            ? row.why()
                            : last.visit().isEmpty()
                                    ? last.detail()
                                    : last.detail() + " (see " + last.visit() + ")");
        }
        table.print(out);
    }

    private static String state(CertificateRow row) {
        if (!row.station().isEmpty()) {
            return row.station();
        }
        if (row.givenUp()) {
            return "given up";
        }
        return row.at() == null ? "queued" : row.failed() == 0 ? "held back" : "failed";
    }

    static void printAccounts(AcmeView view, Instant now, PrintWriter out) {
        var table = new Table("ISSUER", "REQUESTS", "DIRECTORY", "ACCOUNT");
        for (IssuerRow row : view.issuers()) {
            table.row(
                    row.name(),
                    String.valueOf(row.requests()),
                    row.directory(),
                    row.account().isEmpty() ? "none yet" : row.account());
        }
        table.print(out);
    }

    static void printCertificates(AcmeView view, Instant now, PrintWriter out) {
        var table =
                new Table(
                        "HOST",
                        "ISSUER",
                        "SERIAL",
                        "KEY",
                        "NOT BEFORE",
                        "NOT AFTER",
                        "THE CA SUGGESTS");
        for (CertificateRow row : view.certificates()) {
            if (row.notBefore() == null || row.notAfter() == null) {
                continue;
            }
            AcmeView.@Nullable WindowView window = row.window();
            table.row(
                    row.host(),
                    row.issuer(),
                    row.serial(),
                    row.key().isEmpty() ? "-" : row.key(),
                    seconds(row.notBefore()),
                    seconds(row.notAfter()) + " (" + until(row.notAfter(), now) + ")",
                    window == null
                            ? "nothing"
                            : seconds(window.start())
                                    + " to "
                                    + seconds(window.end())
                                    + (window.explanation().isEmpty()
                                            ? ""
                                            : " (see " + window.explanation() + ")"));
        }
        table.print(out);
    }

    private static String when(@Nullable Instant at, Instant now) {
        return at == null ? "now" : seconds(at) + " (" + until(at, now) + ")";
    }

    private static String until(Instant moment, Instant now) {
        Duration left = Duration.between(now, moment);
        if (left.isNegative()) {
            return "past";
        }
        if (left.toDays() > 0) {
            return left.toDays() + "d";
        }
        return left.toHours() > 0
                ? left.toHours() + "h" + left.toMinutesPart() + "m"
                : left.toMinutes() + "m" + left.toSecondsPart() + "s";
    }

    private static String seconds(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /** {@code acme orders}. */
    @Command(
            name = "orders",
            description = {
                "Prints the orders that are under way, wait or failed, and when each is tried again."
            })
    private static final class Orders implements Callable<Integer> {
        private final CommandLineProgram.Surroundings surroundings;

        @Mixin private AdminQuery query = new AdminQuery();

        Orders(CommandLineProgram.Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws Failed {
            return ask(query, surroundings, AcmeCommand::printOrders);
        }
    }

    /** {@code acme accounts}. */
    @Command(
            name = "accounts",
            description = {"Prints the issuers, and the gateway's account at each."})
    private static final class Accounts implements Callable<Integer> {
        private final CommandLineProgram.Surroundings surroundings;

        @Mixin private AdminQuery query = new AdminQuery();

        Accounts(CommandLineProgram.Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws Failed {
            return ask(query, surroundings, AcmeCommand::printAccounts);
        }
    }

    /** {@code acme certificates}. */
    @Command(
            name = "certificates",
            description = {
                "Prints the certificates that were issued, and when the CA suggests to renew."
            })
    private static final class Certificates implements Callable<Integer> {
        private final CommandLineProgram.Surroundings surroundings;

        @Mixin private AdminQuery query = new AdminQuery();

        Certificates(CommandLineProgram.Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws Failed {
            return ask(query, surroundings, AcmeCommand::printCertificates);
        }
    }
}

package dev.sallyport.app.command;

import dev.sallyport.app.admin.RouteView;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code routes}: what requests are answered with. */
@Command(
        name = "routes",
        description = {
            "Asks a running gateway what requests are answered with.",
            "Routes of one host are printed in the order in which they are tried."
        })
final class RoutesCommand implements Callable<Integer> {
    private final CommandLineProgram.Surroundings surroundings;

    @Mixin private AdminQuery query = new AdminQuery();

    RoutesCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** {@code /api/routes}. */
    record Rows(List<RouteView> routes) {
        Rows {
            routes = List.copyOf(routes);
        }
    }

    @Override
    public Integer call() throws Failed {
        AdminQuery.Page<Rows> page =
                query.ask("/api/routes", Rows.class, surroundings.environment());
        switch (query.output()) {
            case TEXT -> print(page.rows().routes(), surroundings.out());
            case JSON -> surroundings.out().println(page.json());
        }
        return ExitCode.OK.number();
    }

    static void print(List<RouteView> rows, PrintWriter out) {
        var table = new Table("HOST", "PATH", "TYPE", "ACTION", "BACKENDS", "PLAIN HTTP", "ORIGIN");
        for (RouteView row : rows) {
            table.row(
                    row.host(),
                    row.path().isEmpty() ? "-" : row.path(),
                    row.pathType().isEmpty() ? "-" : row.pathType(),
                    row.action(),
                    row.backends().isEmpty()
                            ? "-"
                            : row.backends().stream()
                                    .map(it -> backend(it, row.backends().size() > 1))
                                    .collect(Collectors.joining(", ")),
                    row.redirect() == null
                            ? "served"
                            : row.redirect().status() + " to port " + row.redirect().port(),
                    row.origin().isEmpty() ? "-" : row.origin());
        }
        table.print(out);
    }

    private static String backend(RouteView.BackendView backend, boolean weighted) {
        String endpoints =
                switch (backend.endpoints().size()) {
                    case 0 -> "no endpoints";
                    case 1, 2, 3 -> String.join(" ", backend.endpoints());
                    default -> backend.endpoints().size() + " endpoints";
                };
        return backend.service()
                + ":"
                + backend.port()
                + (weighted ? " weight " + backend.weight() : "")
                + " ("
                + endpoints
                + ")";
    }
}

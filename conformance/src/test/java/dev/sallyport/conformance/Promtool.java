package dev.sallyport.conformance;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Prometheus' own command, which comes with the test bed. */
final class Promtool {

    private static final Duration LIMIT = Duration.ofMinutes(2);

    private Promtool() {}

    /** Runs it to a good end, with a text as its standard input. */
    static String ok(String input, String... arguments) {
        List<String> command = new ArrayList<>(List.of(TestBed.program("promtool", "promtool")));
        command.addAll(List.of(arguments));
        Ran ran = Ran.run(input, LIMIT, command);
        if (ran.exit() != 0) {
            throw new AssertionError(String.join(" ", command) + ": " + ran.all());
        }
        return ran.out();
    }
}

package dev.sallyport.app.command;

import dev.sallyport.app.wire.Version;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code version}: which program this is, and on which Java it runs. */
@Command(name = "version", description = "Prints the version of the program and of its Java.")
final class VersionCommand implements Callable<Integer> {
    private final CommandLineProgram.Surroundings surroundings;

    VersionCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        surroundings.out().println(text());
        return ExitCode.OK.number();
    }

    static String text() {
        return "sallyport " + Version.current() + ", Java " + Runtime.version();
    }
}

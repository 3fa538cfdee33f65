package dev.sallyport.app.command;

import dev.sallyport.app.wire.Version;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** All commands. */
public final class CommandLineProgram {
    private final CommandLine commands;
    private final PrintWriter err;

    /** What commands need from outside. */
    record Surroundings(
            Map<String, String> environment,
            InstantSource time,
            PrintWriter out,
            PrintWriter err) {}

    @Command(
            name = "sallyport",
            synopsisSubcommandLabel = "COMMAND",
            description = "A TLS-terminating gateway for Kubernetes Ingress.",
            footer = {
                "",
                "Start with `sallyport demo`. `sallyport COMMAND --help` says more of a command."
            })
    private static final class Root implements Runnable {
        @Spec private CommandSpec spec = CommandSpec.create();

        @Override
        public void run() {
            throw new ParameterException(spec.commandLine(), "no command given");
        }
    }

    CommandLineProgram(Surroundings surroundings) {
        err = surroundings.err();
        commands =
                new CommandLine(new Root())
                        .addSubcommand(new RunCommand(surroundings))
                        .addSubcommand(new CheckCommand(surroundings))
                        .addSubcommand(new CertsCommand(surroundings))
                        .addSubcommand(new RoutesCommand(surroundings))
                        .addSubcommand(AcmeCommand.with(surroundings))
                        .addSubcommand(new ConfigCommand(surroundings))
                        .addSubcommand(new DemoCommand(surroundings))
                        .addSubcommand(new TrainCommand(surroundings))
                        .addSubcommand(new VersionCommand(surroundings))
                        .setOut(surroundings.out())
                        .setErr(surroundings.err())
                        .setCaseInsensitiveEnumValuesAllowed(true)
                        .setUsageHelpAutoWidth(false)
                        .setUsageHelpWidth(100)
                        .setParameterExceptionHandler((wrong, _) -> usage(wrong))
                        .setExecutionExceptionHandler((thrown, _, _) -> failed(thrown));
        addHelp(commands);
        commands.getCommandSpec()
                .version(VersionCommand.text())
                .addOption(
                        OptionSpec.builder("-V", "--version")
                                .versionHelp(true)
                                .description("Prints the version.")
                                .build());
    }

    private static void addHelp(CommandLine command) {
        command.getCommandSpec()
                .addOption(
                        OptionSpec.builder("-h", "--help")
                                .usageHelp(true)
                                .description("Prints this.")
                                .build());
        command.getSubcommands().values().forEach(CommandLineProgram::addHelp);
    }

    /** Writes to standard output and standard error in UTF-8, whatever the locale. */
    public static CommandLineProgram onConsole(Map<String, String> environment) {
        return new CommandLineProgram(
                new Surroundings(
                        environment,
                        Clock.system(ZoneOffset.UTC),
                        console(FileDescriptor.out),
                        console(FileDescriptor.err)));
    }

    /** Runs one command; returns what the process should end with. */
    public int run(String... arguments) {
        int exit = commands.execute(arguments);
        commands.getOut().flush();
        err.flush();
        return exit;
    }

    private int usage(ParameterException wrong) {
        err.println("sallyport: " + wrong.getMessage());
        UnmatchedArgumentException.printSuggestions(wrong, err);
        wrong.getCommandLine().usage(err);
        return ExitCode.USAGE.number();
    }

    private int failed(Exception thrown) {
        if (thrown instanceof Failed expected) {
            err.println("sallyport: " + expected.getMessage());
            return expected.exit().number();
        }
        err.println("sallyport " + Version.current() + ": a bug; please report it with this:");
        thrown.printStackTrace(err);
        return ExitCode.BUG.number();
    }

    private static PrintWriter console(FileDescriptor descriptor) {
        return new PrintWriter(new FileOutputStream(descriptor), false, StandardCharsets.UTF_8);
    }
}

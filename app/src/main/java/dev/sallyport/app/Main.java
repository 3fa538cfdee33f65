package dev.sallyport.app;

import dev.sallyport.app.command.CommandLineProgram;

/** The entry of the program. */
public final class Main {
    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String... arguments) {
        System.exit(CommandLineProgram.onConsole(System.getenv()).run(arguments));
    }
}

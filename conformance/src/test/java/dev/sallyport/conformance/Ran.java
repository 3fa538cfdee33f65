package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * A command that ran to its end.
 *
 * @param command the words it was started with
 * @param exit its exit code
 * @param out what it wrote to standard output
 * @param err what it wrote to standard error
 */
record Ran(List<String> command, int exit, String out, String err) {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** Runs a command without input; a minute is its limit. */
    static Ran run(String... command) {
        return run("", LIMIT, List.of(command));
    }

    /** Runs a command without input. */
    static Ran run(Duration limit, List<String> command) {
        return run("", limit, command);
    }

    /**
     * Runs a command with a text as its standard input.
     *
     * @throws AssertionError if the program is missing, or does not end within the limit
     */
    static Ran run(String input, Duration limit, List<String> command) {
        try {
            Path out = Files.createTempFile("conformance", ".out");
            Path err = Files.createTempFile("conformance", ".err");
            Path in = Files.writeString(Files.createTempFile("conformance", ".in"), input);
            try {
                Process process =
                        start(
                                new ProcessBuilder(command)
                                        .redirectInput(in.toFile())
                                        .redirectOutput(out.toFile())
                                        .redirectError(err.toFile()));
                if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    process.destroyForcibly();
                    throw new AssertionError(
                            String.format(
                                    Locale.ROOT,
                                    "did not end within %s: %s%n%s%n%s",
                                    limit,
                                    command,
                                    text(out),
                                    text(err)));
                }
                return new Ran(command, process.exitValue(), text(out), text(err));
            } finally {
                Files.delete(in);
                Files.delete(out);
                Files.delete(err);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** Starts a process; a program that is not installed is a failure with advice. */
    static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException e) {
            throw new AssertionError(
                    String.format(
                            Locale.ROOT,
                            "cannot start %s; ./verify installs what the tests need",
                            builder.command().getFirst()),
                    e);
        }
    }

    /** Output and errors, for messages. */
    String all() {
        return "exit " + exit + "\n" + out + err;
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), UTF_8);
    }
}

package dev.sallyport.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The packaged gateway: jars in a folder, JVM options in a file, one main class. */
final class Distribution {

    private static final Path HOME =
            Path.of(
                    Objects.requireNonNull(
                            System.getProperty("sallyport.home"),
                            "sallyport.home: not set (expected: the repository's folder)"));
    private static final Path JARS = HOME.resolve("app/target/lib");
    private static final String MAIN = "dev.sallyport.app.Main";

    private Distribution() {}

    /** The repository's folder. */
    static Path home() {
        return HOME;
    }

    /** The words that start the packaged program with these arguments, and JVM options of ours. */
    static List<String> command(List<String> jvmOptions, List<String> arguments) {
        return command(classPath(), jvmOptions, arguments);
    }

    /** As {@link #command(List, List)}, with another class path. */
    static List<String> command(String classPath, List<String> jvmOptions, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + HOME.resolve("config/jvm.options"));
        command.addAll(jvmOptions);
        command.add("-cp");
        command.add(classPath);
        command.add(MAIN);
        command.addAll(arguments);
        return command;
    }

    /** Runs the packaged program to its end. */
    static Ran run(String... arguments) {
        return Ran.run(Duration.ofMinutes(1), command(List.of(), List.of(arguments)));
    }

    /** The packaged jars. */
    static List<Path> jars() {
        try (Stream<Path> files = Files.list(JARS)) {
            return files.filter(file -> file.getFileName().toString().endsWith(".jar")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String classPath() {
        if (!Files.isDirectory(JARS)) {
            throw new AssertionError(
                    "no packaged gateway in " + JARS + "; run ./verify, which packages it first");
        }
        if (jars().isEmpty()) {
            throw new AssertionError("no jar in " + JARS);
        }
        return JARS + "/*";
    }
}

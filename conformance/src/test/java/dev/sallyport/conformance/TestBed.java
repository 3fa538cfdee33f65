package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The project's own cluster (conformance/cluster): an instance of it that nobody else uses as long
 * as this JVM lives. It is fresh, and forgotten afterwards; only one that somebody chose
 * (TESTBED_INSTANCE) is taken as it is and, if it was up, left up.
 */
final class TestBed implements AutoCloseable {

    private static final String FOLDER = "sallyport.testbed";
    private static final String CHOICE = "TESTBED_INSTANCE";
    private static final Path SCRIPTS = Distribution.home().resolve("conformance/cluster");
    private static final Duration PATIENCE = Duration.ofMinutes(45);
    private static final Duration UP = Duration.ofMinutes(6);
    private static final Duration DOWN = Duration.ofMinutes(2);

    private final Path folder;
    private final String instance;
    private final Process holder;
    private final List<String> end;
    private final Thread atExit = new Thread(this::takeDown, "test bed down");

    private TestBed(Path folder, String instance, Process holder, List<String> end) {
        this.folder = folder;
        this.instance = instance;
        this.holder = holder;
        this.end = end;
    }

    /** Waits for an instance and brings it up, with cert-manager, Pebble and a DNS server. */
    static TestBed hold() {
        Path folder = place();
        Ran built = Ran.run(words(folder, Optional.empty(), "build", "--check"));
        if (built.exit() != 0) {
            throw new AssertionError(
                    "the test bed in "
                            + folder
                            + " is not built, or of other versions (expected: as root, run"
                            + " conformance/cluster/build; or ./verify --without-cluster)\n"
                            + built.err());
        }
        Optional<String> chosen = Optional.ofNullable(System.getenv(CHOICE));
        Process holder = Ran.start(new ProcessBuilder(words(folder, chosen, "hold")));
        try {
            String instance = firstLine(holder);
            Optional<String> held = Optional.of(instance);
            boolean up = running(Ran.run(words(folder, held, "program", "list")).out());
            List<String> end = new ArrayList<>();
            if (chosen.isEmpty()) {
                end.addAll(List.of("down", "--force", "--wipe"));
            } else if (!up) {
                end.addAll(List.of("down", "--force"));
            }
            var bed = new TestBed(folder, instance, holder, List.copyOf(end));
            Runtime.getRuntime().addShutdownHook(bed.atExit);
            bed.up(chosen.isEmpty() ? List.of("--fresh") : List.of());
            return bed;
        } catch (RuntimeException | Error e) {
            holder.destroyForcibly();
            throw e;
        }
    }

    /** The folder of programs and state, as it was told. */
    static Path place() {
        Path folder = Path.of(System.getProperty(FOLDER, ""));
        if (!folder.isAbsolute()) {
            throw new AssertionError(
                    FOLDER
                            + ": "
                            + folder
                            + " (expected: the test bed's folder; ./verify gives it)");
        }
        return folder;
    }

    /**
     * A program that {@code conformance/cluster/build} makes.
     *
     * @param target what is to be built where it is missing
     */
    static String program(String name, String target) {
        Path program = place().resolve("bin").resolve(name);
        if (!Files.isExecutable(program)) {
            throw new AssertionError(
                    program
                            + ": not there (expected: run conformance/cluster/build "
                            + target
                            + ", or ./verify --without-cluster)");
        }
        return program.toString();
    }

    private static boolean running(String programs) {
        return programs.lines().anyMatch(line -> line.matches("apiserver +[0-9]+"));
    }

    private static String firstLine(Process holder) {
        BufferedReader out = holder.inputReader(UTF_8);
        var line =
                CompletableFuture.supplyAsync(() -> {
                    try {
                        return Objects.requireNonNullElse(out.readLine(), "");
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
        try {
            String instance = line.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            if (instance.isEmpty()) {
                throw new AssertionError(
                        "no instance to be had: "
                                + new String(holder.getErrorStream().readAllBytes(), UTF_8));
            }
            return instance;
        } catch (TimeoutException | ExecutionException | IOException e) {
            throw new AssertionError("no instance of the test bed within " + PATIENCE, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private static String[] words(Path folder, Optional<String> instance, String... command) {
        List<String> words = new ArrayList<>(List.of("env", "TESTBED_FOLDER=" + folder));
        instance.ifPresent(number -> words.add(CHOICE + "=" + number));
        words.add(SCRIPTS.resolve(command[0]).toString());
        words.addAll(List.of(command).subList(1, command.length));
        return words.toArray(String[]::new);
    }

    /** The words that run a command of conformance/cluster on this instance. */
    List<String> command(String... command) {
        return List.of(words(folder, Optional.of(instance), command));
    }

    /** Runs a command of conformance/cluster to a good end. */
    String ok(Duration limit, String... command) {
        Ran ran = Ran.run(limit, command(command));
        if (ran.exit() != 0) {
            throw new AssertionError(String.join(" ", command) + ": " + ran.all());
        }
        return ran.out();
    }

    private void up(List<String> more) {
        List<String> command = new ArrayList<>(List.of("up", "--acme"));
        command.addAll(more);
        ok(UP, command.toArray(String[]::new));
    }

    /** Takes it down and brings it up again; its state stays. */
    void restart() {
        ok(DOWN, "down", "--force");
        up(List.of());
    }

    /** The words that name an instance that nobody holds, and let go of it at once. */
    List<String> freeInstance() {
        return List.of(
                "env",
                "-u",
                CHOICE,
                "TESTBED_FOLDER=" + folder,
                SCRIPTS.resolve("hold").toString());
    }

    /** The folder of programs and state. */
    Path folder() {
        return folder;
    }

    /** Folder of the state: logs, certificates. */
    Path state() {
        return folder.resolve("run").resolve(instance);
    }

    /** Which instance it is. */
    String instance() {
        return instance;
    }

    /** The node's address. */
    String node() {
        return "10.200." + instance + ".1";
    }

    /** This machine's address in the node's network. */
    InetAddress host() {
        try {
            return InetAddress.getByName("10.200." + instance + ".254");
        } catch (UnknownHostException e) {
            throw new AssertionError("an address is no name", e);
        }
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(atExit);
        takeDown();
    }

    private void takeDown() {
        try {
            if (!end.isEmpty()) {
                ok(DOWN, end.toArray(String[]::new));
            }
        } finally {
            holder.destroyForcibly();
        }
    }
}

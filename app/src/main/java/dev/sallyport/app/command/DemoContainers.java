package dev.sallyport.app.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Pebble's two programs as containers of this machine's Docker. They are in the machine's network,
 * so that they find the gateway, see one folder of it, and are gone once these are closed, or this
 * process is in whatever way. Safe from any thread.
 */
final class DemoContainers implements AutoCloseable {
    /** Those of Docker Hub end with 2.3.1. */
    private static final String IMAGES = "ghcr.io/letsencrypt/";

    /**
     * Reads until nobody writes any more, then has the containers removed, whoever is signalled.
     */
    private static final String GUARD =
            "trap '' HUP INT TERM; while read -r _; do :; done; exec \"$@\"";

    private static final int MOST_LINES = 3;
    private static final int REMOVAL_SECONDS = 15;

    private final Path docker;
    private final Path folder;
    private final Bounds bounds;
    private final DemoProcesses processes;
    private @Nullable Process guard; // guarded by this
    private boolean closed; // guarded by this

    /**
     * How long Docker is waited for.
     *
     * @param answer until it says whether it runs
     * @param pull until an image is there
     */
    record Bounds(Duration answer, Duration pull) {
        static final Bounds DEFAULT = new Bounds(Duration.ofSeconds(15), Duration.ofMinutes(5));
    }

    /** What a command ended with, and its last words. */
    private record Said(int exit, String words) {}

    /**
     * None yet.
     *
     * @param docker the client
     * @param folder what they may read, at the same place; the name of the one above is part of
     *     theirs
     */
    DemoContainers(Path docker, Path folder, Bounds bounds, DemoProcesses processes) {
        this.docker = docker;
        this.folder = folder;
        this.bounds = bounds;
        this.processes = processes;
    }

    /**
     * Has their images fetched where they are not there, and says so.
     *
     * @throws Failed where Docker does not run, or cannot fetch them in time
     */
    void prepare(PrintWriter out) throws Failed, IOException, InterruptedException {
        Said info = say(bounds.answer(), "info");
        if (info.exit() != 0) {
            throw unavailable(
                    "Docker (" + docker + ") does not answer: " + info.words(),
                    "Start its daemon, and see that `docker info` works for this user");
        }
        for (String program : DemoPebble.PROGRAMS) {
            String image = image(program);
            if (say(bounds.answer(), "image", "inspect", image).exit() != 0) {
                out.println("Docker fetches " + image + " …");
                out.flush();
                Said pull = say(bounds.pull(), "pull", image);
                if (pull.exit() != 0) {
                    throw unavailable(
                            "Docker cannot fetch " + image + ": " + pull.words(),
                            "See that `docker pull " + image + "` works");
                }
            }
        }
        guard();
    }

    private static Failed unavailable(String what, String advice) {
        return new Failed(
                ExitCode.UNAVAILABLE,
                "demo --acme needs Pebble, an ACME CA for tests. "
                        + what
                        + "\n  "
                        + advice
                        + "; or without Docker: "
                        + DemoPebble.ADVICE);
    }

    private Said say(Duration bound, String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(docker.toString()));
        command.addAll(List.of(words));
        Path said = Files.createTempFile(folder, "docker", ".log");
        try {
            Process process =
                    processes.start(
                            new ProcessBuilder(command)
                                    .redirectInput(Path.of("/dev/null").toFile())
                                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                                    .redirectError(said.toFile()));
            if (!process.waitFor(bound.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroy();
                return new Said(-1, "nothing for " + bound.toSeconds() + " s");
            }
            return new Said(process.exitValue(), DemoPebble.lastWords(said, MOST_LINES));
        } finally {
            Files.deleteIfExists(said);
        }
    }

    private synchronized void guard() throws IOException {
        if (closed) {
            throw new IOException("told to stop");
        }
        List<String> command =
                new ArrayList<>(
                        List.of("/bin/sh", "-c", GUARD, "guard", docker.toString(), "rm", "-f"));
        DemoPebble.PROGRAMS.forEach(program -> command.add(name(program)));
        guard =
                new ProcessBuilder(command)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
    }

    /** Whose folder it is can be seen, and no two demonstrations have one. */
    private String name(String program) {
        Path above = folder.getParent();
        return (above == null ? folder : above).getFileName() + "-" + program;
    }

    /** Whole, so that it is that of no other registry. */
    static String image(String program) {
        return IMAGES + program + ":" + DemoPebble.VERSION;
    }

    /**
     * The words that run one, before those for it: the program is the image's entry point. It ends
     * with the process that they start, or that with it.
     */
    List<String> command(String program) {
        return List.of(
                docker.toString(),
                "run",
                "--rm",
                "--pull",
                "never",
                "--name",
                name(program),
                "--network",
                "host",
                "--security-opt",
                "label=disable", // else SELinux hides the folder
                "--env",
                DemoPebble.AT_ONCE + "=1",
                "--mount", // unlike a volume, it is refused where the daemon does not see the
                // folder
                "type=bind,source=" + folder + ",target=" + folder + ",readonly",
                image(program));
    }

    /** Removes them; whoever started them was ended before. */
    @Override
    public synchronized void close() {
        closed = true;
        if (guard == null) {
            return;
        }
        try {
            guard.getOutputStream().close(); // lets it go on
            boolean _ = guard.waitFor(REMOVAL_SECONDS, TimeUnit.SECONDS);
        } catch (IOException _) {
            // It went on already.
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt(); // it goes on without us
        }
    }
}

package dev.sallyport.acme.order;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.output.OutputFrame;
import org.testcontainers.images.builder.ImageFromDockerfile;
import org.testcontainers.utility.MountableFile;

/**
 * One of Pebble's programs while it runs: in a container on this machine's network where there is
 * Docker, as a process else. Both ways it is the binary that conformance/cluster/build makes, so
 * that no image is asked of anybody; without it tests fail and say what to do.
 */
sealed interface PebbleProgram {
    /** Where Docker is reached on Linux, unless the environment says otherwise. */
    Path DOCKER = Path.of("/var/run/docker.sock");

    boolean isAlive();

    /** Without notice. */
    void end();

    /**
     * Starts one; it writes to {@code name.log}.
     *
     * @param folder with all the files that it reads
     */
    static PebbleProgram start(
            String name, Path folder, Map<String, String> environment, List<String> arguments) {
        Path binary = binary(name);
        Path log = folder.resolve(name + ".log");
        try {
            return isDockerThere()
                    ? InContainer.start(binary, folder, log, environment, arguments)
                    : AsProcess.start(binary, log, environment, arguments);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static boolean isDockerThere() {
        return System.getenv("DOCKER_HOST") != null || Files.isWritable(DOCKER);
    }

    private static Path binary(String name) {
        Path program = Path.of(System.getProperty("sallyport.testbed", ""), "bin", name);
        if (!Files.isExecutable(program)) {
            throw new AssertionError(
                    program
                            + " is missing: make it with conformance/cluster/build pebble, and name its"
                            + " folder with -Dsallyport.testbed=FOLDER (./verify does both); or leave"
                            + " these tests out with ./verify --without-pebble");
        }
        return program;
    }

    /** On this machine. */
    record AsProcess(Process process) implements PebbleProgram {

        static AsProcess start(
                Path binary, Path log, Map<String, String> environment, List<String> arguments)
                throws IOException {
            List<String> command = new ArrayList<>();
            command.add(binary.toString());
            command.addAll(arguments);
            var builder = new ProcessBuilder(command);
            builder.environment().putAll(environment);
            Process started =
                    builder.redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                            .start();
            // A test run that is cut off leaves nothing behind.
            Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
            return new AsProcess(started);
        }

        @Override
        public boolean isAlive() {
            return process.isAlive();
        }

        @Override
        public void end() {
            process.destroyForcibly();
            try {
                process.waitFor(30, TimeUnit.SECONDS);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** In a container of nothing but the binary. */
    record InContainer(GenericContainer<?> container) implements PebbleProgram {

        static InContainer start(
                Path binary,
                Path folder,
                Path log,
                Map<String, String> environment,
                List<String> arguments) {
            String name = binary.getFileName().toString();
            var image =
                    new ImageFromDockerfile("sallyport-" + name.toLowerCase(Locale.ROOT), false)
                            .withFileFromPath("program", binary)
                            .withFileFromString(
                                    "Dockerfile",
                                    "FROM scratch\nCOPY program /program\nENTRYPOINT [\"/program\"]\n");
            var container =
                    new GenericContainer<>(image)
                            .withNetworkMode("host")
                            .withEnv(environment)
                            .withCopyToContainer(
                                    MountableFile.forHostPath(folder), folder.toString())
                            .withCommand(arguments.toArray(String[]::new))
                            .withLogConsumer(frame -> append(log, frame));
            container.start();
            return new InContainer(container);
        }

        private static void append(Path log, OutputFrame frame) {
            byte[] bytes = frame.getBytes();
            if (bytes == null) {
                return; // the end
            }
            try {
                Files.write(log, bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }

        @Override
        public boolean isAlive() {
            return container.isRunning();
        }

        @Override
        public void end() {
            container.stop();
        }
    }
}

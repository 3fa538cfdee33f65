package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The demonstration with a CA: every line that it prints is run as a reader would, in its order.
 */
@Tag("pebble")
final class AcmeDemoIT {
    private static final Pattern FOLDER = Pattern.compile("Everything is in (.+)\\. Ctrl-C");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /**
     * In the place of Docker's client: a container is the process that it becomes. Its name is
     * known by a file with the process's number.
     */
    private static final String DOCKER =
            """
            #!/bin/sh
            case $1 in
            run)
              while case $1 in */letsencrypt/*) false ;; esac; do
                case $1 in --name) echo $$ >"$CONTAINERS/$2" ;; esac
                shift
              done
              program=${1##*/}
              shift
              exec "$PROGRAMS/${program%:*}" "$@"
              ;;
            rm)
              shift 2
              for name in "$@"; do
                kill "$(cat "$CONTAINERS/$name")"
                mv "$CONTAINERS/$name" "$CONTAINERS/$name.removed"
              done
              ;;
            esac
            """;

    private static final Path PROGRAMS =
            Path.of(System.getProperty("sallyport.testbed", ""), "bin");

    @TempDir private Path work;
    private Path out;
    private @Nullable Process demo;
    private List<ProcessHandle> programs = List.of(); // that it started

    @BeforeEach
    void make() {
        out = work.resolve("demo.out");
    }

    private Process start(String path) throws IOException {
        // What a shell would take for two words, and for the end of a quotation.
        Path temporary = Files.createDirectory(work.resolve("it's temporary"));
        String program =
                String.join(
                        " ",
                        Distribution.command(List.of(), List.of()).stream()
                                .map(word -> "'" + word + "'")
                                .toList());
        var builder =
                new ProcessBuilder(
                                Distribution.command(
                                        List.of(
                                                "-Dsallyport.command=" + program,
                                                "-Djava.io.tmpdir=" + temporary),
                                        List.of("demo", "--acme")))
                        .redirectOutput(out.toFile())
                        .redirectError(work.resolve("demo.err").toFile());
        builder.environment()
                .putAll(
                        Map.of(
                                "PATH",
                                path + ":/usr/bin:/bin",
                                "PROGRAMS",
                                PROGRAMS.toString(),
                                "CONTAINERS",
                                work.toString()));
        Process started = Ran.start(builder);
        demo = started;
        await().atMost(PATIENCE)
                .until(() -> !started.isAlive() || text().contains("is served with certificate"));
        programs = started.descendants().toList();
        assertThat(started.isAlive())
                .as(text() + Files.readString(work.resolve("demo.err")))
                .isTrue();
        return started;
    }

    /** Where Docker is, but no Pebble. */
    private Process startInDocker() throws IOException {
        Path bin = Files.createDirectory(work.resolve("bin"));
        Path docker = Files.writeString(bin.resolve("docker"), DOCKER);
        Files.setPosixFilePermissions(docker, PosixFilePermissions.fromString("rwx------"));
        return start(bin.toString());
    }

    @AfterEach
    void stop() {
        if (demo != null) {
            demo.destroyForcibly();
        }
        programs.forEach(ProcessHandle::destroyForcibly);
    }

    private String text() throws IOException {
        return Files.readString(out);
    }

    @Test
    void everyLineWorksVerbatimAndNothingIsLeft() throws Exception {
        Process demo = start(PROGRAMS.toString());
        assertThat(text()).contains("has just issued").doesNotContain("Not all certificates");
        List<String> lines =
                text().lines().filter(line -> line.startsWith("  ")).map(String::strip).toList();
        assertThat(lines).hasSize(8);
        for (String line : lines) {
            Ran ran = Ran.run("bash", "-c", line);
            assertThat(ran.exit()).as(line + ": " + ran.all()).isZero();
        }
        await().atMost(PATIENCE).until(() -> text().contains("is now served with certificate"));
        Matcher found = FOLDER.matcher(text());
        assertThat(found.find()).isTrue();
        assertThat(Path.of(found.group(1))).isDirectory();
        assertThat(programs).hasSize(2);

        demo.destroy();

        assertThat(demo.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(demo.exitValue()).isZero();
        assertThat(Path.of(found.group(1))).doesNotExist();
        assertThat(programs).noneMatch(ProcessHandle::isAlive);
    }

    @Test
    void inDockerItIsTheSameAndNoContainerIsLeft() throws Exception {
        Process demo = startInDocker();
        assertThat(text())
                .contains("(Docker), has just issued")
                .doesNotContain("Not all certificates");

        demo.destroy();

        assertThat(demo.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(demo.exitValue()).isZero();
        assertThat(programs).noneMatch(ProcessHandle::isAlive);
        assertThat(containers()).hasSize(2).allMatch(name -> name.endsWith(".removed"));
    }

    @Test
    void noContainerIsLeftEvenIfItIsKilled() throws Exception {
        Process demo = startInDocker();
        assertThat(containers()).hasSize(2).noneMatch(name -> name.endsWith(".removed"));

        demo.destroyForcibly();

        await().atMost(PATIENCE).until(() -> programs.stream().noneMatch(ProcessHandle::isAlive));
        assertThat(containers()).hasSize(2).allMatch(name -> name.endsWith(".removed"));
    }

    private List<String> containers() throws IOException {
        try (Stream<Path> files = Files.list(work)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("sallyport-demo-"))
                    .toList();
        }
    }
}

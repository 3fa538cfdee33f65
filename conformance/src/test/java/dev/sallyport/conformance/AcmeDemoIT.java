package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

    @TempDir private Path work;
    private Path out;
    private Process demo;

    @BeforeEach
    void start() throws IOException {
        // What a shell would take for two words, and for the end of a quotation.
        Path temporary = Files.createDirectory(work.resolve("it's temporary"));
        out = work.resolve("demo.out");
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
                .merge(
                        "PATH",
                        Path.of(System.getProperty("sallyport.testbed", ""), "bin").toString(),
                        (path, bin) -> bin + ":" + path);
        demo = Ran.start(builder);
        await().atMost(PATIENCE)
                .until(() -> !demo.isAlive() || text().contains("is served with certificate"));
        assertThat(demo.isAlive()).as(text() + Files.readString(work.resolve("demo.err"))).isTrue();
    }

    @AfterEach
    void stop() {
        demo.destroyForcibly();
        demo.descendants().forEach(ProcessHandle::destroyForcibly);
    }

    private String text() throws IOException {
        return Files.readString(out);
    }

    @Test
    void everyLineWorksVerbatimAndNothingIsLeft() throws Exception {
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
        List<ProcessHandle> started = demo.descendants().toList();
        assertThat(started).hasSize(2);

        demo.destroy();

        assertThat(demo.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(demo.exitValue()).isZero();
        assertThat(Path.of(found.group(1))).doesNotExist();
        assertThat(started).noneMatch(ProcessHandle::isAlive);
    }
}

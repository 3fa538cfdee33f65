package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** The demonstration: every line that it prints is run as a reader would, in its order. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class DemoIT {

    private static final Pattern FOLDER = Pattern.compile("Everything is in (.+)\\. Ctrl-C");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir private static Path work;
    private static Path out;
    private static Process demo;

    @BeforeAll
    static void start() throws IOException {
        // What a shell would take for two words, and for the end of a quotation.
        Path temporary = Files.createDirectory(work.resolve("it's temporary"));
        out = work.resolve("demo.out");
        String program =
                String.join(
                        " ",
                        Distribution.command(List.of(), List.of()).stream()
                                .map(word -> "'" + word + "'")
                                .toList());
        // What a shell without job control starts in the background ignores Ctrl-C, and all that it
        // starts does too.
        List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT"));
        command.addAll(
                Distribution.command(
                        List.of("-Dsallyport.command=" + program, "-Djava.io.tmpdir=" + temporary),
                        List.of("demo")));
        demo =
                Ran.start(
                        new ProcessBuilder(command)
                                .redirectOutput(out.toFile())
                                .redirectError(work.resolve("demo.err").toFile()));
        await().atMost(PATIENCE)
                .until(() -> !demo.isAlive() || text().contains("is served with certificate"));
        assertThat(demo.isAlive()).as(text() + Files.readString(work.resolve("demo.err"))).isTrue();
    }

    @AfterAll
    static void stop() {
        demo.destroyForcibly();
    }

    private static String text() throws IOException {
        return Files.readString(out);
    }

    /** The printed commands that begin so. */
    private static List<String> commands(String start) throws IOException {
        return text().lines()
                .filter(line -> line.startsWith("  "))
                .map(String::strip)
                .filter(line -> line.startsWith(start))
                .toList();
    }

    private static Ran shell(String line) {
        return Ran.run("bash", "-c", line);
    }

    private static Path folder() throws IOException {
        Matcher found = FOLDER.matcher(text());
        assertThat(found.find()).as(text()).isTrue();
        return Path.of(found.group(1));
    }

    @Test
    @Order(1)
    void theCurlLinesWorkVerbatim() throws IOException {
        List<String> lines = commands("curl");

        assertThat(lines).hasSizeGreaterThanOrEqualTo(3);
        for (String line : lines) {
            Ran curl = shell(line);
            assertThat(curl.exit()).as(line + ": " + curl.all()).isZero();
        }
        assertThat(shell(lines.getFirst()).out()).contains("shop");
    }

    @Test
    @Order(2)
    void theRedirectIsShown() throws IOException {
        assertThat(commands("curl -i"))
                .singleElement()
                .satisfies(line -> assertThat(shell(line).out()).startsWith("HTTP/1.1 308 "));
    }

    @Test
    @Order(3)
    void theLinesThatAskTheGatewayWorkVerbatim() throws IOException {
        List<String> lines =
                commands("'").stream()
                        .filter(line -> line.contains(" certs") || line.contains(" routes"))
                        .toList();

        assertThat(lines).hasSize(2);
        for (String line : lines) {
            Ran ran = shell(line);
            assertThat(ran.exit()).as(line + ": " + ran.all()).isZero();
            assertThat(ran.out()).contains("shop.example", "blog.example");
        }
    }

    @Test
    @Order(4)
    void theRotationAdviceWorksVerbatim() throws IOException {
        String shop = commands("curl --cacert").getFirst().replace("curl ", "curl -sv ");
        assertThat(shell(shop).exit()).isZero();

        assertThat(commands("cp ")).singleElement().satisfies(line -> shell(line));

        await().atMost(PATIENCE)
                .until(() -> text().contains("shop.example is now served with certificate"));
        assertThat(shell(shop).exit()).isZero();
    }

    @Test
    @Order(5)
    void aBrokenFileIsReportedAndTheLastGoodCertificateStays() throws IOException {
        for (String line : commands("echo")) {
            assertThat(shell(line).exit()).isZero();
        }

        String findings = commands("curl -s ").getLast();
        await().atMost(PATIENCE).until(() -> shell(findings).out().contains("FileUnreadable"));
        assertThat(
                        commands("'").stream()
                                .filter(line -> line.contains(" check "))
                                .map(line -> shell(line).exit()))
                .containsExactly(1);
        assertThat(shell(commands("curl --cacert").getFirst()).exit()).isZero();
    }

    @Test
    @Order(6)
    void controlCEndsItAndRemovesTheFolder() throws Exception {
        Path folder = folder();
        assertThat(folder).exists();

        assertThat(Ran.run("kill", "-INT", Long.toString(demo.pid())).exit()).isZero();

        assertThat(demo.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(demo.exitValue()).isZero();
        assertThat(folder).doesNotExist();
    }

    @Test
    @Order(7)
    void aSignalDuringTheSetUpLeavesNoKeysBehind(@TempDir Path parent) throws Exception {
        Path temporary = Files.createDirectory(parent.resolve("tmp"));
        Process early =
                Ran.start(
                        new ProcessBuilder(
                                        Distribution.command(
                                                List.of("-Djava.io.tmpdir=" + temporary),
                                                List.of("demo")))
                                .redirectOutput(parent.resolve("out").toFile())
                                .redirectError(parent.resolve("err").toFile()));
        try {
            await().pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(1))
                    .atMost(PATIENCE)
                    .until(() -> !early.isAlive() || holdsAFolder(temporary));

            early.destroy();

            assertThat(early.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(early.exitValue()).isZero();
            assertThat(holdsAFolder(temporary)).isFalse();
        } finally {
            early.destroyForcibly();
        }
    }

    private static boolean holdsAFolder(Path temporary) throws IOException {
        try (Stream<Path> files = Files.list(temporary)) {
            return files.anyMatch(file -> file.getFileName().toString().startsWith("sallyport-"));
        }
    }
}

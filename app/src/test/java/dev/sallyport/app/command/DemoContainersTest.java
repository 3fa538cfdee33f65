package dev.sallyport.app.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a script in the place of Docker's client, which notes what it is told. */
final class DemoContainersTest {
    private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
    private static final String PEBBLE = DemoContainers.image("pebble");
    private static final String DNS = DemoContainers.image("pebble-challtestsrv");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    @TempDir private Path folder;
    private Path bin;
    private Path calls;

    @BeforeEach
    void make() throws IOException {
        bin = Files.createDirectory(folder.resolve("bin"));
        calls = Files.createFile(folder.resolve("calls"));
    }

    /** Words of a call are separated by {@code |}. */
    private Path docker(String... cases) throws IOException {
        Path script =
                Files.writeString(
                        bin.resolve("docker"),
                        "#!/bin/sh\n(IFS='|'; echo \"$*\" >>'"
                                + calls
                                + "')\ncase $1 in\n"
                                + String.join("\n", cases)
                                + "\nesac\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
        return script;
    }

    private List<String> calls() throws IOException {
        return Files.readAllLines(calls, StandardCharsets.UTF_8);
    }

    private int demo() {
        var surroundings =
                new CommandLineProgram.Surroundings(
                        Map.of("PATH", bin.toString()),
                        () -> NOW,
                        new PrintWriter(out),
                        new PrintWriter(err));
        return new CommandLineProgram(surroundings).run("demo", "--acme");
    }

    @Test
    void aDaemonThatDoesNotRunIsSaidWithWhatToDo() throws Exception {
        docker("info) echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1 ;;");

        assertThat(demo()).isEqualTo(69);
        assertThat(err.toString())
                .contains(
                        "does not answer: Cannot connect to the Docker daemon at unix:///x\n",
                        "`docker info`",
                        "go install github.com/letsencrypt/pebble/v2/cmd/...@v2.10.1",
                        "demo without --acme");
        assertThat(calls()).containsExactly("info");
    }

    @Test
    void anImageThatCannotBeFetchedIsSaidWithWhatToDo() throws Exception {
        docker("image) exit 1 ;;", "pull) echo 'dial tcp: no such host' >&2; exit 1 ;;");

        assertThat(demo()).isEqualTo(69);
        assertThat(out.toString()).contains("Docker fetches " + PEBBLE);
        assertThat(err.toString())
                .contains(
                        "cannot fetch " + PEBBLE + ": dial tcp: no such host\n",
                        "`docker pull " + PEBBLE + "`",
                        "go install");
        assertThat(calls()).containsExactly("info", "image|inspect|" + PEBBLE, "pull|" + PEBBLE);
    }

    @Test
    void imagesThatAreThereAreNotFetchedAndGetArgumentsButNoProgram() throws Exception {
        docker("run) echo 'cannot run: no room' >&2; exit 125 ;;");

        assertThat(demo()).isEqualTo(69);
        assertThat(err.toString())
                .contains("Pebble (Docker) does not come up; it says: ", "cannot run: no room");
        assertThat(out.toString()).doesNotContain("fetches");
        List<String> calls = calls();
        assertThat(calls.subList(0, 3))
                .containsExactly("info", "image|inspect|" + PEBBLE, "image|inspect|" + DNS);
        // Both start at once.
        assertThat(PEBBLE).endsWith("/letsencrypt/pebble:2.10.1");
        String dns = one(calls, "\\|" + DNS + "\\|");
        String pebble = one(calls, "\\|" + PEBBLE + "\\|");
        String of = "run\\|--rm\\|--pull\\|never\\|--name\\|(sallyport-demo-[0-9]+)-";
        String seen = ".*/sallyport-demo-[0-9]+/acme";
        String common =
                "\\|--network\\|host\\|--security-opt\\|label=disable\\|--env\\|PEBBLE_VA_NOSLEEP=1"
                        + "\\|--mount\\|type=bind,source="
                        + seen
                        + ",target="
                        + seen
                        + ",readonly\\|";
        String port = "127\\.0\\.0\\.1:[0-9]+";
        assertThat(dns)
                .matches(
                        of
                                + "pebble-challtestsrv"
                                + common
                                + DNS
                                + "\\|-dnsserver\\|"
                                + port
                                + "\\|-defaultIPv4\\|127\\.0\\.0\\.1\\|-defaultIPv6\\|\\|-http01\\|"
                                + "\\|-https01\\|\\|-tlsalpn01\\|\\|-doh\\|\\|-management\\|"
                                + port);
        assertThat(pebble)
                .matches(
                        of
                                + "pebble"
                                + common
                                + PEBBLE
                                + "\\|-config\\|"
                                + seen
                                + "/pebble\\.json\\|-dnsserver\\|"
                                + port);
        String name = dns.replaceFirst(".*--name\\|(.*)-pebble-challtestsrv\\|--network.*", "$1");
        assertThat(calls.getLast())
                .isEqualTo("rm|-f|" + name + "-pebble|" + name + "-pebble-challtestsrv");
    }

    private static String one(List<String> calls, String containing) {
        return calls.stream()
                .filter(call -> call.matches("run\\|.*" + containing + ".*"))
                .reduce((one, other) -> one + " and " + other)
                .orElseThrow(() -> new AssertionError(containing + " is not in " + calls));
    }

    @Test
    void dockerIsNotWaitedForLongerThanTold() throws Exception {
        Duration soon = Duration.ofMillis(100);
        Duration late = Duration.ofMinutes(5);
        Path mute = docker("info) exec sleep 600 ;;");
        unavailable(mute, new DemoContainers.Bounds(soon, late), "does not answer: nothing for ");
        Path slow = docker("image) exit 1 ;;", "pull) exec sleep 600 ;;");
        unavailable(slow, new DemoContainers.Bounds(late, soon), "cannot fetch " + PEBBLE);
        assertThat(calls().getLast()).isEqualTo("pull|" + PEBBLE);
    }

    private void unavailable(Path docker, DemoContainers.Bounds bounds, String why) {
        try (var processes = new DemoProcesses();
                var containers = new DemoContainers(docker, folder, bounds, processes)) {
            assertThatThrownBy(() -> containers.prepare(new PrintWriter(out)))
                    .isInstanceOfSatisfying(
                            Failed.class,
                            failed -> assertThat(failed.exit()).isEqualTo(ExitCode.UNAVAILABLE))
                    .hasMessageContaining(why);
        }
    }

    /** Another process, which is killed in the midst of a demonstration. */
    static final class Demonstrator {
        private Demonstrator() {}

        public static void main(String[] arguments) throws Exception {
            var containers =
                    new DemoContainers(
                            Path.of(arguments[0]),
                            Path.of(arguments[1]),
                            DemoContainers.Bounds.DEFAULT,
                            new DemoProcesses());
            try (var ready = new FileOutputStream(FileDescriptor.out)) {
                containers.prepare(new PrintWriter(ready, false, StandardCharsets.UTF_8));
                ready.write('.');
                Thread.currentThread().join();
            }
        }
    }

    @Test
    void theyAreRemovedEvenIfTheDemonstrationIsKilled() throws Exception {
        Path seen = Files.createDirectories(folder.resolve("sallyport-demo-1/acme"));
        Process killed =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Demonstrator.class.getName(),
                                docker().toString(),
                                seen.toString())
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        ProcessHandle guard;
        try {
            assertThat(killed.getInputStream().read()).isEqualTo('.');
            guard = killed.children().findFirst().orElseThrow();
            assertThat(calls()).noneMatch(call -> call.startsWith("rm"));
        } finally {
            killed.destroyForcibly();
        }
        guard.onExit().get(60, TimeUnit.SECONDS);
        assertThat(calls().getLast())
                .isEqualTo("rm|-f|sallyport-demo-1-pebble|sallyport-demo-1-pebble-challtestsrv");
    }
}

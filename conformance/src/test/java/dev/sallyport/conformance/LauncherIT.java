package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./sallyport} and what it shares with {@code ./verify}, in a clone that is built. */
final class LauncherIT {

    private static final Duration LONG = Duration.ofMinutes(3);
    private static final int UNAVAILABLE = 69;
    private static final List<String> MODULES =
            List.of("model", "tls", "secret-sync", "control", "proxy", "app");

    @TempDir private Path work;
    private Path clone;

    @BeforeEach
    void cloneIt() throws IOException {
        clone = Files.createDirectories(work.resolve("a clone"));
        copy("sallyport");
        copy("config/jdk.sh");
        copy("config/jvm.options");
        Files.writeString(clone.resolve("pom.xml"), "<project/>");
        for (String module : MODULES) {
            Files.createDirectories(clone.resolve(module).resolve("src/main"));
        }
        Path jars = Files.createDirectories(clone.resolve("app/target/lib"));
        try (Stream<Path> built = Files.list(Distribution.home().resolve("app/target/lib"))) {
            for (Path jar : built.toList()) {
                Files.copy(jar, jars.resolve(jar.getFileName()));
            }
        }
        Files.createFile(clone.resolve("app/target/built"));
    }

    @Test
    void startsFromAnywhereThroughALink() throws IOException {
        Path link = Files.createSymbolicLink(work.resolve("sp"), clone.resolve("sallyport"));
        Ran ran = shell("cd / && '" + link + "' version");
        assertThat(ran.exit()).as(ran.all()).isZero();
        assertThat(ran.out()).startsWith("sallyport ");
        assertThat(ran.err()).isEmpty();
    }

    @Test
    void aSourceThatIsNewerIsBuiltFirst() throws IOException {
        Path bin = Files.createDirectories(work.resolve("bin"));
        executable(bin.resolve("mvn"), "#!/bin/sh\necho \"$@\" >\"" + work + "/mvn.called\"\n");
        Path source = Files.createFile(clone.resolve("proxy/src/main/New.java"));
        Instant built = Files.getLastModifiedTime(clone.resolve("app/target/built")).toInstant();
        Files.setLastModifiedTime(source, FileTime.from(built.plusSeconds(60)));
        Ran ran = shell("PATH='" + bin + "':\"$PATH\" ./sallyport version");
        assertThat(ran.exit()).as(ran.all()).isZero();
        assertThat(ran.err()).contains("building what changed");
        assertThat(work.resolve("mvn.called"))
                .content()
                .contains("-pl app -am")
                .contains("package");
    }

    @Test
    void whatWasBuiltAnewIsRun() throws IOException {
        Ran first = shell("./sallyport version");
        assertThat(first.exit()).as(first.all()).isZero();
        String before = Files.readString(clone.resolve("app/target/programs/current"));
        // A training that ends later touches the folder of the program before.
        Path old = clone.resolve("app/target/programs").resolve(before.strip());
        Path stamp = clone.resolve("app/target/built");
        Instant built = Files.getLastModifiedTime(stamp).toInstant();
        Files.setLastModifiedTime(stamp, FileTime.from(built.plusSeconds(60)));
        Files.setLastModifiedTime(old, FileTime.from(built.plusSeconds(120)));
        Ran second = shell("./sallyport version");
        assertThat(second.exit()).as(second.all()).isZero();
        assertThat(clone.resolve("app/target/programs/current")).content().isNotEqualTo(before);
    }

    @Test
    void aBuildThatFailsShowsWhy() throws IOException {
        Path bin = Files.createDirectories(work.resolve("bin"));
        executable(bin.resolve("mvn"), "#!/bin/sh\necho 'cannot find symbol'\nexit 1\n");
        Files.delete(clone.resolve("app/target/built"));
        Ran ran = shell("PATH='" + bin + "':\"$PATH\" ./sallyport version");
        assertThat(ran.exit()).isEqualTo(UNAVAILABLE);
        assertThat(ran.err()).contains("cannot find symbol").contains("build.log");
        assertThat(ran.out()).isEmpty();
    }

    @Test
    void aJdkIsFoundInJavaHomeUnderPipefail() {
        Ran ran = shell("set -euo pipefail; . config/jdk.sh; home=$(find_jdk test); echo $home");
        assertThat(ran.exit()).as(ran.all()).isZero();
        assertThat(ran.out()).isEqualToIgnoringNewLines(System.getProperty("java.home"));
    }

    @Test
    void withoutAJdkItSaysWhatToInstall() throws IOException {
        // A JDK that is too old, and a HOME without any; what the system has stays hidden.
        Path old = Files.createDirectories(work.resolve("jdk-17/bin"));
        executable(old.resolve("java"), "#!/bin/sh\n");
        executable(old.resolve("javac"), "#!/bin/sh\n");
        Files.writeString(work.resolve("jdk-17/release"), "JAVA_VERSION=\"17.0.15\"\n");
        Ran ran =
                shell(
                        "jdk_candidates() { echo '"
                                + work
                                + "/jdk-17'; }; eval \"$(sed 's/^jdk_candidates()/unused()/' config/jdk.sh)\";"
                                + " find_jdk sallyport");
        assertThat(ran.exit()).isEqualTo(1);
        assertThat(ran.err()).contains("no JDK 25").contains("JAVA_HOME");
    }

    @Test
    void theJvmLearnsFromATrainingRun() throws IOException {
        Ran first =
                shell("SALLYPORT_TRAINING_NICENESS=0 SALLYPORT_AOT_CACHE=yes ./sallyport version");
        assertThat(first.exit()).as(first.all()).isZero();
        await().atMost(LONG).until(() -> cache().isPresent());
        String log = "SALLYPORT_JVM_OPTIONS=-Xlog:aot=info:file=aot.log ";
        Ran second = shell(log + "SALLYPORT_AOT_CACHE=yes ./sallyport version");
        assertThat(second.exit()).as(second.all()).isZero();
        assertThat(second.out()).isEqualTo(first.out());
        assertThat(clone.resolve("aot.log"))
                .content()
                .contains("Opened AOT cache")
                .contains("sallyport.aot");
        aCacheThatDoesNotFitIsLeftAside(cache().orElseThrow());
    }

    @Test
    void aTrainingThatWasKilledIsBegunAgain() throws IOException {
        String train = "SALLYPORT_TRAINING_NICENESS=0 SALLYPORT_AOT_CACHE=yes ./sallyport version";
        Ran first = shell(train);
        assertThat(first.exit()).as(first.all()).isZero();
        Path program = program();
        String shell = Files.readString(program.resolve("training.pid")).strip();
        // Until they are gone the lock is theirs, and nobody begins again.
        String unlocked = "flock -w 60 '" + program.resolve("training.lock") + "' true";
        Ran killed = shell("pkill -KILL -P " + shell + "; kill -KILL " + shell + " && " + unlocked);
        assertThat(killed.exit()).as(killed.all()).isZero();
        assertThat(program.resolve("sallyport.aot")).doesNotExist();

        Ran second = shell(train);
        assertThat(second.exit()).as(second.all()).isZero();
        await().atMost(LONG).until(() -> cache().isPresent());
        assertThat(program()).isEqualTo(program);
    }

    private void aCacheThatDoesNotFitIsLeftAside(Path cache) throws IOException {
        Files.writeString(cache, "not a cache");
        Ran ran = shell("SALLYPORT_AOT_CACHE=yes ./sallyport version");
        assertThat(ran.exit()).as(ran.all()).isZero();
        assertThat(ran.out()).startsWith("sallyport ").hasLineCount(1);
        assertThat(ran.err()).isEmpty();
    }

    @Test
    void takesThePlaceOfTheShellSoThatSignalsArrive() throws Exception {
        Path resources = Files.createDirectories(work.resolve("resources"));
        Path log = work.resolve("gateway.log");
        Process gateway =
                Ran.start(
                        command(
                                        "exec ./sallyport run --resources '"
                                                + resources
                                                + "' --http 127.0.0.1:0 --https 127.0.0.1:0"
                                                + " --admin 127.0.0.1:0")
                                .redirectError(log.toFile()));
        try {
            await().atMost(LONG)
                    .until(() -> Files.readString(log).contains("ready") || !gateway.isAlive());
            assertThat(gateway.isAlive()).as(Files.readString(log)).isTrue();
            gateway.destroy();
            assertThat(gateway.waitFor(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(gateway.exitValue()).as(Files.readString(log)).isZero();
        } finally {
            gateway.destroyForcibly();
        }
    }

    private Optional<Path> cache() throws IOException {
        return Optional.of(program().resolve("sallyport.aot")).filter(Files::exists);
    }

    private Path program() throws IOException {
        Path programs = clone.resolve("app/target/programs");
        return programs.resolve(Files.readString(programs.resolve("current")).strip());
    }

    private void copy(String file) throws IOException {
        Path target = clone.resolve(file);
        Files.createDirectories(target.getParent());
        Files.copy(Distribution.home().resolve(file), target, StandardCopyOption.COPY_ATTRIBUTES);
    }

    private static void executable(Path file, String script) throws IOException {
        Files.writeString(file, script);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private ProcessBuilder command(String script) {
        var builder = new ProcessBuilder("bash", "-c", script).directory(clone.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("SALLYPORT_AOT_CACHE", "no");
        return builder;
    }

    private Ran shell(String script) {
        List<String> words = new ArrayList<>(List.of("env", "-C", clone.toString()));
        words.add("JAVA_HOME=" + System.getProperty("java.home"));
        words.add("SALLYPORT_AOT_CACHE=no");
        words.addAll(List.of("bash", "-c", script));
        return Ran.run(LONG, words);
    }
}

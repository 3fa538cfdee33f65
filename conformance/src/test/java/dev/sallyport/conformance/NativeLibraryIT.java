package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A gateway whose native TLS library was left out of the class path. */
final class NativeLibraryIT {
    private static final int UNAVAILABLE = 69; // sysexits.h, as docs/cli.md has it

    @Test
    void withoutTheNativeLibraryItDoesNotStartAndSaysWhatToDo(
            @TempDir Path lib, @TempDir Path resources) throws IOException {
        // Jars name each other by relative paths: only elsewhere is one really missing.
        int missing = 0;
        for (Path jar : Distribution.jars()) {
            String name = jar.getFileName().toString();
            if (name.startsWith("netty-tcnative-boringssl-static")) {
                missing++;
            } else {
                Files.copy(jar, lib.resolve(name));
            }
        }
        assertThat(missing).isPositive();

        Ran ran =
                Ran.run(
                        Duration.ofMinutes(1),
                        Distribution.command(
                                lib + "/*",
                                List.of(),
                                List.of("run", "--resources", resources.toString())));

        assertThat(ran.exit()).as(ran.all()).isEqualTo(UNAVAILABLE);
        assertThat(ran.err())
                .contains("the native TLS library does not load")
                .contains("Put netty-tcnative-boringssl-static for this system and processor")
                .doesNotContain("\tat "); // advice, not a stack
        assertThat(ran.out()).isEmpty();
    }
}

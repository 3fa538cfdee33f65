package dev.sallyport.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;

/**
 * The wall clock of a process that is started with it, set by whole days while it runs. The clock
 * that only goes forward stays the machine's, as it does where an operator or NTP sets the time.
 */
final class SettableClock {
    /** The machine's, by which certificates are made. */
    static final Clock REAL = Clock.system(ZoneOffset.UTC);

    private final Path offset;

    private SettableClock(Path offset) {
        this.offset = offset;
    }

    /** A clock that is right. */
    static SettableClock in(Path folder) {
        var clock = new SettableClock(folder.resolve("clock-offset"));
        clock.set(0);
        return clock;
    }

    /** From now on it is off by so many days; the process follows within a second. */
    void set(int days) {
        try {
            Path next = Files.writeString(offset.resolveSibling("clock-offset.next"), text(days));
            Files.move(next, offset, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(int days) {
        return (days < 0 ? "" : "+") + days + "d\n";
    }

    /** The real time, in so many days. */
    static Instant inDays(long days) {
        return REAL.instant().plusSeconds(days * 86_400);
    }

    /** What a command is to be put behind. */
    List<String> words() {
        return List.of(
                "env",
                "LD_PRELOAD=" + library(),
                "FAKETIME_TIMESTAMP_FILE=" + offset,
                "FAKETIME_CACHE_DURATION=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1",
                // Else waiting by the monotonic clock, as a JVM does, ends at once.
                "FAKETIME_FORCE_MONOTONIC_FIX=0");
    }

    private static Path library() {
        try (Stream<Path> folders = Files.list(Path.of("/usr/lib"))) {
            return folders.map(folder -> folder.resolve("faketime/libfaketime.so.1"))
                    .filter(Files::isReadable)
                    .findFirst()
                    .orElseThrow(() ->
                            new AssertionError(
                                    "no libfaketime; run ./verify as root, which installs it (on"
                                            + " Debian: apt-get install faketime)"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

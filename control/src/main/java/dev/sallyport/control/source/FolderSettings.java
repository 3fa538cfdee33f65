package dev.sallyport.control.source;

import java.time.Duration;

/**
 * How a folder is read.
 *
 * @param notifications whether the system's file notifications are used (inotify on Linux); without
 *     them only the poll sees changes
 * @param pollInterval how often the whole folder is compared, for what notifications miss
 * @param settle how long a file that is written in place must have been still before it is read,
 *     and believed if it looks complete: a half-written file is not an intent
 * @param vanishGrace how long a file or object must be gone, or a file be unreadable or look like a
 *     part of one, before that counts: editors remove and re-create, writers truncate first and
 *     pause
 * @param maxFileBytes larger files are not read
 * @param maxFiles further files are not read, and no more folders than that are entered
 * @param maxDepth folders nested deeper are not entered
 */
public record FolderSettings(
        boolean notifications,
        Duration pollInterval,
        Duration settle,
        Duration vanishGrace,
        int maxFileBytes,
        int maxFiles,
        int maxDepth) {

    /** For reasons see {@code docs/defaults.md}. */
    public static final FolderSettings DEFAULT =
            new FolderSettings(
                    true,
                    Duration.ofSeconds(2),
                    Duration.ofMillis(8),
                    Duration.ofMillis(100),
                    8 << 20,
                    100_000,
                    32);

    public FolderSettings {
        if (pollInterval.isNegative() || pollInterval.isZero()) {
            throw new IllegalArgumentException(
                    "poll interval: " + pollInterval + " (expected: more than 0)");
        }
    }
}

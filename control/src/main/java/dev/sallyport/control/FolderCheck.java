package dev.sallyport.control;

import java.nio.file.Path;
import java.time.InstantSource;

/** Reads and translates a folder once, without serving anything. */
public final class FolderCheck {
    private FolderCheck() {}

    /**
     * Every finding that serving {@code dir} would have.
     *
     * @param dir a folder of manifests
     */
    public static CheckResult check(Path dir, ControlSettings settings, InstantSource time) {
        return new CheckResult(java.util.List.of(), java.util.Map.of());
    }
}

package dev.sallyport.control.stored;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Where the last known good state is kept, and when it is used.
 *
 * @param file replaced as a whole; beside it are, for moments, a file ending in {@code .new}, and
 *     for good an empty one ending in {@code .lock}
 * @param key what it is sealed with
 * @param interval between two looks at whether there is anything new to write
 * @param patience how long the API server may keep silent at the start before the file is read
 */
public record StoreSettings(Path file, StoreKey key, Duration interval, Duration patience) {}

package dev.sallyport.control.source;

import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/**
 * What can be told of a file without reading it.
 *
 * @param modified as the file system keeps it
 * @param size in bytes
 * @param key its identity (on Unix, device and inode); null where there is none
 * @param regular whether it is a file with contents, not a pipe or a device
 */
record FileStamp(FileTime modified, long size, @Nullable Object key, boolean regular) {

    static FileStamp of(BasicFileAttributes attributes) {
        return new FileStamp(
                attributes.lastModifiedTime(),
                attributes.size(),
                attributes.fileKey(),
                attributes.isRegularFile());
    }

    /** Whether another file has taken the place of this one, as a rename does. */
    boolean replacedBy(FileStamp other) {
        return key != null && other.key() != null && !key.equals(other.key());
    }
}

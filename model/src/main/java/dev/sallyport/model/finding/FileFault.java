package dev.sallyport.model.finding;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import org.jspecify.annotations.Nullable;

/** What an exception of the file system says to people: the message of many is only the path. */
public final class FileFault {
    private FileFault() {}

    /** Without the path, for instance {@code permission denied}. */
    public static String of(IOException failed) {
        return switch (failed) {
            case NoSuchFileException _ -> "does not exist";
            case AccessDeniedException _ -> "permission denied";
            case NotDirectoryException _ -> "not a folder (expected: a folder)";
            case FileAlreadyExistsException _ -> "a file is there already";
            case FileSystemLoopException _ -> "a loop of symbolic links";
            case FileSystemException f when f.getReason() != null -> f.getReason();
            case FileSystemException f -> f.getClass().getSimpleName();
            default -> {
                @Nullable String message = failed.getMessage();
                yield message == null ? failed.getClass().getSimpleName() : message;
            }
        };
    }

    /** With the path where it is known, for instance {@code /a/b: permission denied}. */
    public static String at(IOException failed) {
        return failed instanceof FileSystemException f && f.getFile() != null
                ? f.getFile() + ": " + of(f)
                : of(failed);
    }
}

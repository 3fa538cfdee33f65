package dev.sallyport.model.finding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileFaultTest {
    @Test
    void whatTheExceptionsOfTheFileSystemMeanIsSaid(@TempDir Path folder) throws IOException {
        Path file = Files.createFile(folder.resolve("file"));

        assertThat(FileFault.of(new AccessDeniedException("/x"))).isEqualTo("permission denied");
        assertThat(FileFault.at(new AccessDeniedException("/x")))
                .isEqualTo("/x: permission denied");
        assertThat(
                        FileFault.of(
                                catchThrowableOfType(
                                        IOException.class,
                                        () -> Files.readString(folder.resolve("none")))))
                .isEqualTo("does not exist");
        assertThat(
                        FileFault.at(
                                catchThrowableOfType(
                                        IOException.class, () -> Files.createDirectory(file))))
                .isEqualTo(file + ": a file is there already");
        assertThat(
                        FileFault.of(
                                catchThrowableOfType(
                                        IOException.class, () -> Files.newDirectoryStream(file))))
                .isEqualTo("not a folder (expected: a folder)");
        assertThat(
                        FileFault.of(
                                catchThrowableOfType(
                                        IOException.class,
                                        () -> Files.createDirectory(file.resolve("below")))))
                .isEqualTo("Not a directory");
    }

    @Test
    void whatSaysNothingIsNamed() {
        assertThat(FileFault.of(new FileSystemException("/x"))).isEqualTo("FileSystemException");
        assertThat(FileFault.of(new IOException())).isEqualTo("IOException");
        assertThat(FileFault.at(new IOException("No space left"))).isEqualTo("No space left");
    }
}

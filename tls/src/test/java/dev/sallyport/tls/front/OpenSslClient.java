package dev.sallyport.tls.front;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The {@code openssl} command as a client: it offers exactly what it is told, sessions of other
 * names among it. The command must be there; tests that need it fail without.
 */
final class OpenSslClient {
    private final int port;

    OpenSslClient(int port) {
        this.port = port;
    }

    /** All that {@code openssl s_client} prints. */
    String dial(String name, String... options) throws IOException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "openssl",
                                "s_client",
                                "-connect",
                                "127.0.0.1:" + port,
                                "-servername",
                                name,
                                "-ign_eof"));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    /** What the server says of the connection, else the alert that the client was sent. */
    String outcome(String name, String... options) throws IOException {
        String text = dial(name, options);
        return text.lines()
                .filter(line -> line.startsWith("sni=") || line.contains("SSL alert"))
                .findFirst()
                .orElse("closed: " + text);
    }

    static Path sessionFile() throws IOException {
        Path file = Files.createTempFile("session", ".pem");
        file.toFile().deleteOnExit();
        return file;
    }
}

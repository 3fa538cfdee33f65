package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * BIND, with one zone all names of which have the address 127.0.0.1, and which takes TXT records
 * from whoever has the key (RFC 2136, RFC 8945).
 */
final class Bind implements AutoCloseable {
    static final String KEY_NAME = "gateway";
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Path folder;
    private final int port = Gateway.freePort();
    private final Process process;

    private Bind(Path folder, String zone) throws IOException {
        this.folder = folder;
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        String secret = Base64.getEncoder().encodeToString(key);
        Files.writeString(keyFile(), secret + "\n", US_ASCII);
        Files.writeString(
                folder.resolve("zone"),
                """
                $TTL 1
                @ IN SOA ns hostmaster 1 60 60 60 1
                @ IN NS ns
                @ IN A 127.0.0.1
                * IN A 127.0.0.1
                ns IN A 127.0.0.1
                """,
                US_ASCII);
        Path configuration =
                Files.writeString(
                        folder.resolve("named.conf"),
                        String.format(
                                Locale.ROOT,
                                """
                                options {
                                  directory "%1$s";
                                  pid-file none;
                                  session-keyfile none;
                                  listen-on port %2$d { 127.0.0.1; };
                                  listen-on-v6 { none; };
                                  recursion no;
                                  dnssec-validation no;
                                };
                                controls { };
                                key "%3$s" { algorithm hmac-sha256; secret "%4$s"; };
                                zone "%5$s" {
                                  type primary;
                                  file "%1$s/zone";
                                  update-policy { grant %3$s zonesub TXT; };
                                };
                                """,
                                folder,
                                port,
                                KEY_NAME,
                                secret,
                                zone),
                        US_ASCII);
        process =
                Ran.start(
                        new ProcessBuilder(
                                        program().toString(), "-g", "-c", configuration.toString())
                                .redirectErrorStream(true)
                                .redirectOutput(log().toFile()));
        // A test run that is cut off leaves nothing behind.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        await("BIND")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    String said = Files.readString(log());
                    if (!process.isAlive()) {
                        throw new AssertionError(said);
                    }
                    return said.contains("all zones loaded") && said.contains("running");
                });
    }

    /** Starts it in an empty folder of its own, with one zone. */
    static Bind start(Path folder, String zone) {
        try {
            return new Bind(Files.createDirectories(folder), zone);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A copy: where AppArmor is at work, the installed one may read Debian's own folders only. */
    private Path program() throws IOException {
        List<String> folders = new ArrayList<>(List.of(System.getenv("PATH").split(":")));
        folders.add("/usr/sbin"); // not everybody's
        for (String each : folders) {
            Path installed = Path.of(each, "named");
            if (Files.isExecutable(installed)) {
                return Files.copy(
                        installed,
                        folder.resolve("named"),
                        StandardCopyOption.COPY_ATTRIBUTES,
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
        throw new AssertionError("no named (expected: BIND 9; on Debian: apt-get install bind9)");
    }

    private Path log() {
        return folder.resolve("named.log");
    }

    /** The port of loopback where it answers. */
    int port() {
        return port;
    }

    /** The file with the key that may write. */
    Path keyFile() {
        return folder.resolve("gateway.key");
    }

    /** How many times the zone was written to. */
    long updates() {
        try (var lines = Files.lines(log())) {
            return lines.filter(line -> line.contains("updating zone")).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}

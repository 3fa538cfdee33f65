package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A way from this machine to something in a cluster. */
final class Way implements AutoCloseable {

    private static final Pattern PORT = Pattern.compile("Forwarding from 127\\.0\\.0\\.1:(\\d+)");

    private static final int LIMIT_MILLIS = 3_000;

    private final InetSocketAddress address;
    private final Optional<Process> tunnel;

    private Way(InetSocketAddress address, Optional<Process> tunnel) {
        this.address = address;
        this.tunnel = tunnel;
    }

    /** Whether there is a route from here to an address that somebody listens at. */
    static boolean leadsTo(InetSocketAddress address) {
        try (var socket = new Socket()) {
            socket.connect(address, LIMIT_MILLIS);
            return true;
        } catch (IOException none) {
            return false;
        }
    }

    /** There is a route. */
    static Way straight(InetSocketAddress address) {
        return new Way(address, Optional.empty());
    }

    /** Through the API server, by {@code kubectl port-forward}: to one Pod, and not fast. */
    static Way tunnel(Kubectl kubectl, String object, int port) {
        try {
            Path out = Files.createTempFile("port-forward", ".out");
            Process process =
                    Ran.start(
                            new ProcessBuilder(
                                            kubectl.command(
                                                    "port-forward",
                                                    "--address=127.0.0.1",
                                                    object,
                                                    ":" + port))
                                    .redirectErrorStream(true)
                                    .redirectOutput(out.toFile()));
            try {
                Matcher matcher =
                        await().atMost(Duration.ofSeconds(30))
                                .until(
                                        () -> PORT.matcher(Files.readString(out, UTF_8)),
                                        found -> found.find() || !process.isAlive());
                if (!process.isAlive()) {
                    throw new AssertionError("no way to " + object + ": " + Files.readString(out));
                }
                return new Way(
                        new InetSocketAddress(
                                InetAddress.getLoopbackAddress(),
                                Integer.parseInt(matcher.group(1))),
                        Optional.of(process));
            } catch (RuntimeException | Error e) {
                process.destroyForcibly();
                throw e;
            } finally {
                Files.delete(out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether connections go where the cluster sends them, and not through a tunnel to one Pod. */
    boolean isStraight() {
        return tunnel.isEmpty();
    }

    InetSocketAddress address() {
        return address;
    }

    @Override
    public void close() {
        tunnel.ifPresent(Process::destroy);
    }
}

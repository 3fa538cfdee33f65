package dev.sallyport.app.command;

import dev.sallyport.app.config.BindAddress;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.core.JacksonException;

/** The flags of a command that asks a running gateway, and the question. */
final class AdminQuery {
    private static final int CONNECT_MILLIS = 3_000;
    private static final int READ_MILLIS = 30_000;

    /** How the variables begin that Kubernetes sets for Services: {@code SALLYPORT_ADMIN_PORT}. */
    private static final String OF_SERVICE = "tcp://";

    /** Some million rows; whoever sends more is no gateway. */
    private static final int MOST_BYTES = 1 << 30;

    @Option(
            names = "--admin",
            paramLabel = "ADDR:PORT",
            description = "The gateway's admin port. Default: 127.0.0.1:9090.")
    private @Nullable String admin;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description =
                    "The gateway's configuration, for its admin port. Default: $SALLYPORT_CONFIG, else none.")
    private @Nullable Path file;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            description = "How to print it. Default: text.")
    private Output output = Output.TEXT;

    Output output() {
        return output;
    }

    /**
     * A page of the gateway.
     *
     * @param json as it was sent
     * @param rows what it says
     */
    record Page<T>(String json, T rows) {}

    /** The gateway's page at {@code path}. */
    <T> Page<T> ask(String path, Class<T> type, Map<String, String> environment) throws Failed {
        BindAddress address = address(environment);
        String json = fetch(address, path);
        try {
            return new Page<>(json, Json.read(json, type));
        } catch (JacksonException foreign) {
            throw new Failed(
                    ExitCode.UNAVAILABLE,
                    address
                            + path
                            + " is not a page of this version's gateway: name the gateway's admin port"
                            + " with --admin ADDR:PORT");
        }
    }

    private static String fetch(BindAddress address, String path) throws Failed {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection)
                            URI.create("http://" + address + path)
                                    .toURL()
                                    .openConnection(Proxy.NO_PROXY);
            connection.setConnectTimeout(CONNECT_MILLIS);
            connection.setReadTimeout(READ_MILLIS);
            if (connection.getResponseCode() != HttpURLConnection.HTTP_OK) {
                throw new Failed(
                        ExitCode.UNAVAILABLE,
                        address
                                + path
                                + " answers "
                                + connection.getResponseCode()
                                + ": name the gateway's admin port with --admin ADDR:PORT");
            }
            try (InputStream body = connection.getInputStream()) {
                return new String(body.readNBytes(MOST_BYTES), StandardCharsets.UTF_8);
            }
        } catch (IOException unreachable) {
            throw new Failed(
                    ExitCode.UNAVAILABLE,
                    "no gateway answers at "
                            + address
                            + " ("
                            + unreachable.getMessage()
                            + "): start one with `sallyport run`, or name its admin port with --admin ADDR:PORT");
        }
    }

    private BindAddress address(Map<String, String> environment) throws Failed {
        BindAddress configured =
                admin == null
                        ? ConfigFlags.adminAddress(Optional.ofNullable(file), environment)
                        : written(admin);
        InetAddress bound = InetAddress.ofLiteral(configured.host());
        if (!bound.isAnyLocalAddress()) {
            return configured;
        }
        String loopback = configured.host().indexOf(':') >= 0 ? "::1" : "127.0.0.1";
        return new BindAddress(loopback, configured.port());
    }

    private static BindAddress written(String flag) throws Failed {
        try {
            return BindAddress.parse(
                    flag.startsWith(OF_SERVICE) ? flag.substring(OF_SERVICE.length()) : flag);
        } catch (IllegalArgumentException expected) {
            throw new Failed(
                    ExitCode.USAGE,
                    "--admin: "
                            + (flag.isEmpty() ? "empty" : flag)
                            + " (expected: "
                            + expected.getMessage()
                            + ")");
        }
    }
}

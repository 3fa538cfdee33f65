package dev.sallyport.app.command;

import dev.sallyport.app.config.BindAddress;
import dev.sallyport.app.config.ConfigLoader.FlagValue;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags of a command that asks a running gateway, and the question. */
final class AdminQuery {
    private static final int CONNECT_MILLIS = 3_000;
    private static final int READ_MILLIS = 30_000;

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

    /** The gateway's page at {@code path}. */
    String ask(String path, Map<String, String> environment) throws Failed {
        BindAddress address = address(environment);
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
                                + ": is that a gateway's admin port?");
            }
            try (InputStream body = connection.getInputStream()) {
                return new String(body.readAllBytes(), StandardCharsets.UTF_8);
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
        List<FlagValue> flags =
                admin == null
                        ? List.of()
                        : List.of(new FlagValue("listeners.admin", "--admin", List.of(admin)));
        BindAddress configured =
                ConfigFlags.load(Optional.ofNullable(file), environment, flags)
                        .config()
                        .listeners()
                        .admin();
        InetAddress bound = InetAddress.ofLiteral(configured.host());
        if (!bound.isAnyLocalAddress()) {
            return configured;
        }
        String loopback = configured.host().indexOf(':') >= 0 ? "::1" : "127.0.0.1";
        return new BindAddress(loopback, configured.port());
    }
}

package dev.sallyport.app.command;

import dev.sallyport.app.config.BindAddress;
import dev.sallyport.model.finding.PlainText;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
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

    private static final int MOST_SAID = 1_000;

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
        String json = fetch(address, path, false);
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

    /**
     * Has the gateway do something, and prints that it does.
     *
     * @param parameters names and values in turn
     * @param done what is printed for people
     * @return the exit code
     */
    int tell(
            String path,
            List<String> parameters,
            CommandLineProgram.Surroundings surroundings,
            String done)
            throws Failed {
        var query = new StringBuilder(path);
        for (int i = 0; i < parameters.size(); i += 2) {
            query.append(i == 0 ? '?' : '&')
                    .append(parameters.get(i))
                    .append('=')
                    .append(URLEncoder.encode(parameters.get(i + 1), StandardCharsets.UTF_8));
        }
        String json = fetch(address(surroundings.environment()), query.toString(), true);
        surroundings
                .out()
                .println(
                        switch (output) {
                            case TEXT -> done;
                            case JSON -> json;
                        });
        return ExitCode.OK.number();
    }

    private static String fetch(BindAddress address, String path, boolean tell) throws Failed {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection)
                            URI.create("http://" + address + path)
                                    .toURL()
                                    .openConnection(Proxy.NO_PROXY);
            connection.setConnectTimeout(CONNECT_MILLIS);
            connection.setReadTimeout(READ_MILLIS);
            if (tell) {
                connection.setRequestMethod("POST");
                connection.setRequestProperty("X-Sallyport", "1");
                connection.setDoOutput(true);
                connection.setFixedLengthStreamingMode(0);
                connection.getOutputStream().close();
            }
            int status = connection.getResponseCode();
            if (status != (tell ? HttpURLConnection.HTTP_ACCEPTED : HttpURLConnection.HTTP_OK)) {
                throw refused(address, path, status, said(connection));
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

    /** Of the certificates' pages, what the gateway says is for people; others are always there. */
    private static Failed refused(BindAddress address, String path, int status, String said) {
        boolean itSays = path.startsWith("/api/acme") && !said.isEmpty();
        ExitCode exit =
                !itSays
                        ? ExitCode.UNAVAILABLE
                        : switch (status) {
                            case HttpURLConnection.HTTP_BAD_REQUEST -> ExitCode.USAGE;
                            case HttpURLConnection.HTTP_NOT_FOUND ->
                                    path.contains("?") ? ExitCode.NO_INPUT : ExitCode.UNAVAILABLE;
                            default -> ExitCode.UNAVAILABLE;
                        };
        return new Failed(
                exit,
                address
                        + path
                        + " answers "
                        + status
                        + ": "
                        + (itSays ? said : "name the gateway's admin port with --admin ADDR:PORT"));
    }

    private static String said(HttpURLConnection connection) throws IOException {
        String type = connection.getContentType();
        try (@Nullable InputStream body = connection.getErrorStream()) {
            return body == null || type == null || !type.startsWith("text/plain")
                    ? ""
                    : PlainText.of(
                            new String(body.readNBytes(MOST_SAID), StandardCharsets.UTF_8).strip());
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

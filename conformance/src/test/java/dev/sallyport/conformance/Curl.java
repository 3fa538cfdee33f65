package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The curl command, pointed at a gateway; it trusts the tests' authority and nobody else. */
final class Curl {

    private final Gateway gateway;
    private final Pki pki;

    Curl(Gateway gateway, Pki pki) {
        this.gateway = gateway;
        this.pki = pki;
    }

    /** Asks over HTTPS; arguments go to curl before the URL. */
    Answer https(String host, String path, String... arguments) {
        return ok(run("https", host, gateway.https(), path, List.of(arguments)));
    }

    /** Asks without TLS. */
    Answer http(String host, String path, String... arguments) {
        return ok(run("http", host, gateway.http(), path, List.of(arguments)));
    }

    /** Asks over HTTPS and saves the body to a file, however large. */
    Answer save(Path file, String host, String path, String... arguments) {
        return ok(run("https", host, gateway.https(), path, file, List.of(arguments)));
    }

    /** Asks over HTTPS and expects curl to fail; its exit code says why (60: the certificate). */
    int httpsExit(String host, String path, String... arguments) {
        return run("https", host, gateway.https(), path, List.of(arguments)).exit();
    }

    private static Answer ok(Ran ran) {
        if (ran.exit() != 0) {
            throw new AssertionError(ran.command() + ": " + ran.all());
        }
        return Answer.parse(ran.out());
    }

    private Ran run(String scheme, String host, int port, String path, List<String> arguments) {
        try {
            Path body = Files.createTempFile("curl", ".body");
            try {
                Ran ran = run(scheme, host, port, path, body, arguments);
                String text = Files.exists(body) ? latin(body) : "";
                return new Ran(ran.command(), ran.exit(), ran.out() + text, ran.err());
            } finally {
                Files.deleteIfExists(body);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Asks a server whose certificate is of this authority.
     *
     * @param arguments curl's, the URL among them
     */
    static Ran ask(Path authority, List<String> arguments) {
        return Ran.run(
                Stream.concat(
                                Stream.of(
                                        "curl",
                                        "--silent",
                                        "--show-error",
                                        "--fail",
                                        "--noproxy",
                                        "*",
                                        "--cacert",
                                        authority.toString()),
                                arguments.stream())
                        .toArray(String[]::new));
    }

    private Ran run(
            String scheme, String host, int port, String path, Path body, List<String> arguments) {
        String name = host.toLowerCase(Locale.ROOT);
        return run(
                pki,
                scheme + "://" + host + ":" + port + path,
                name + ":" + port + ":" + gateway.address(),
                body,
                arguments);
    }

    private static Ran run(Pki pki, String url, String resolve, Path body, List<String> arguments) {
        try {
            Path head = Files.createTempFile("curl", ".head");
            try {
                List<String> command =
                        new ArrayList<>(
                                List.of(
                                        "curl",
                                        "--silent",
                                        "--show-error",
                                        "--noproxy",
                                        "*",
                                        "--path-as-is",
                                        "--max-time",
                                        "120",
                                        "--cacert",
                                        pki.caFile().toString(),
                                        "--resolve",
                                        resolve,
                                        "--dump-header",
                                        head.toString(),
                                        "--output",
                                        body.toString(),
                                        "--write-out",
                                        "%{http_code} %{http_version}\\n"));
                command.addAll(arguments);
                command.add(url);
                Ran ran = Ran.run(Duration.ofSeconds(130), command);
                return new Ran(
                        ran.command(), ran.exit(), ran.out() + latin(head) + "\0", ran.err());
            } finally {
                Files.delete(head);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String latin(Path file) throws IOException {
        return Files.readString(file, ISO_8859_1);
    }

    /**
     * What curl got.
     *
     * @param status the status
     * @param version {@code 1.1} or {@code 2}
     * @param head all heads, 1xx and trailers included, as curl writes them
     * @param body ISO 8859-1
     */
    record Answer(int status, String version, String head, String body) {

        private static Answer parse(String text) {
            int line = text.indexOf('\n');
            int end = text.indexOf('\0');
            String[] words = text.substring(0, line).split(" ", -1);
            return new Answer(
                    Integer.parseInt(words[0]),
                    words[1],
                    text.substring(line + 1, end),
                    text.substring(end + 1));
        }

        /** The values of a field in all heads, in order. */
        List<String> all(String name) {
            String start = name.toLowerCase(Locale.ROOT) + ":";
            return head.lines()
                    .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(start))
                    .map(line -> line.substring(start.length()).strip())
                    .toList();
        }

        /** The body as the echo backend wrote it. */
        Echo echo() {
            if (status != 200) {
                throw new AssertionError("no echo: " + this);
            }
            return Echo.parse(body);
        }
    }
}

package dev.sallyport.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.sallyport.acme.store.DirectoryStore;
import dev.sallyport.app.admin.AcmeStates;
import dev.sallyport.app.admin.AcmeView;
import dev.sallyport.app.admin.CertificateView;
import dev.sallyport.app.admin.RouteView;
import dev.sallyport.app.admin.RouteView.BackendView;
import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.tls.certificate.DemoAuthority;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

final class CommandsTest {
    private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    @TempDir private Path folder;

    @Test
    void noCommandIsWrongUse() {
        assertThat(run()).isEqualTo(64);
        assertThat(err.toString()).contains("no command given", "Usage: sallyport");
    }

    @Test
    void everyCommandHasHelp() {
        for (String command :
                List.of("run", "check", "certs", "routes", "acme", "config", "demo", "version")) {
            assertThat(run(command, "--help")).as(command).isZero();
            assertThat(out.toString()).contains("Usage: sallyport " + command);
        }
    }

    @Test
    void anUnknownFlagIsWrongUse() {
        assertThat(run("run", "--resource", "x")).isEqualTo(64);
        assertThat(err.toString()).contains("--resource").doesNotContain("\tat ");
    }

    @Test
    void runWithNothingToServeSaysBothWaysOut() {
        assertThat(run("run")).isEqualTo(64);
        assertThat(err.toString())
                .contains("--kubeconfig FILE", "--resources DIR", "sallyport demo");
    }

    @Test
    void aFolderAndAClusterAtOnceAreWrongUse() {
        for (List<String> cluster :
                List.of(
                        List.of("--kubeconfig", "admin.conf"),
                        List.of("--watch-namespace", "shop"),
                        List.of("--publish-address", "192.0.2.1"),
                        List.of("--publish-service", "edge/sallyport"))) {
            err.getBuffer().setLength(0);
            List<String> arguments = new ArrayList<>(List.of("run", "--resources", "."));
            arguments.addAll(cluster);
            assertThat(run(arguments.toArray(String[]::new))).as("%s", cluster).isEqualTo(64);
            assertThat(err.toString()).contains(cluster.getFirst(), "--resources");
        }
    }

    @Test
    void flagsOfAcmeWithoutItsDirectoryAreWrongUse() {
        for (List<String> flag :
                List.of(
                        List.of("--acme-agree-terms"),
                        List.of("--acme-contact", "admin@shop.example"),
                        List.of("--acme-ca", "ca.pem"),
                        List.of("--state", "state"))) {
            err.getBuffer().setLength(0);
            List<String> arguments = new ArrayList<>(List.of("run", "--resources", "."));
            arguments.addAll(flag);
            assertThat(run(arguments.toArray(String[]::new))).as("%s", flag).isEqualTo(64);
            assertThat(err.toString())
                    .contains(
                            flag.getFirst() + ": acme.",
                            "(expected: a CA beside it: --acme-directory");
        }
    }

    @Test
    void aStateFolderForAClusterIsWrongUse() {
        String[] arguments = {
            "run",
            "--kubeconfig",
            "admin.conf",
            "--acme-directory",
            "letsencrypt",
            "--acme-agree-terms",
            "--state",
            "state"
        };
        assertThat(run(arguments)).isEqualTo(64);
        assertThat(err.toString())
                .contains(
                        "--state: acme.state: state (expected: nothing where a cluster is served");
    }

    @Test
    void aKubeconfigThatIsNotThereOrIsNoneSaysSo() throws Exception {
        assertThat(run("run", "--kubeconfig", folder.resolve("nowhere").toString())).isEqualTo(66);
        assertThat(err.toString()).contains("nowhere cannot be read");
    }

    @Test
    void runWithAFolderThatIsNotThereSaysSo() {
        assertThat(run("run", "--resources", folder.resolve("nowhere").toString())).isEqualTo(66);
        assertThat(err.toString()).contains("nowhere is not a folder");
    }

    @Test
    void checkOfAGoodFolderEndsWithZero() throws Exception {
        Files.writeString(
                folder.resolve("a.yaml"),
                "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n");

        assertThat(run("check", folder.toString())).isZero();
        assertThat(out.toString()).isEqualTo("1 object (Service 1): 0 errors, 0 warnings\n");
    }

    @Test
    void checkOfABrokenFolderNamesFileLineObjectAndAdvice() throws Exception {
        Files.writeString(
                folder.resolve("a.yaml"),
                """
                # Nobody made this Service.
                apiVersion: networking.k8s.io/v1
                kind: Ingress
                metadata: {name: a}
                spec:
                  rules:
                    - host: a.example
                      http:
                        paths:
                          - path: /
                            pathType: Prefix
                            backend: {service: {name: missing, port: {number: 80}}}
                """);

        assertThat(run("check", folder.toString())).isEqualTo(1);
        assertThat(out.toString())
                .containsPattern(
                        "a\\.yaml:[1-9][0-9]*: error: Ingress default/a: .*missing.* \\[ServiceMissing\\]\n {4}\\S")
                .endsWith("1 object (Ingress 1): 1 error, 0 warnings\n");
    }

    /** Manifests may be written before the gateway is configured for them. */
    @Test
    void checkOfWhatAsksAGatewayWithoutIssuersForACertificateWarns() throws Exception {
        Files.writeString(
                folder.resolve("a.yaml"),
                """
                apiVersion: networking.k8s.io/v1
                kind: Ingress
                metadata: {name: a, annotations: {sallyport.dev/acme: "true"}}
                spec:
                  rules:
                    - host: a.example
                """);

        assertThat(run("check", folder.toString())).as(out.toString()).isZero();
        assertThat(out.toString())
                .contains("warning: Ingress default/a: ", "[AcmeNotConfigured]")
                .endsWith("1 object (Ingress 1): 0 errors, 1 warning\n");
    }

    @Test
    void checkPrintsJson() throws Exception {
        Files.writeString(folder.resolve("a.yaml"), "kind: [\n");

        assertThat(run("check", "-o", "json", folder.toString())).isEqualTo(1);
        assertThat(out.toString())
                .contains("\"usable\" : false", "\"reason\" : \"FileUnreadable\"", "\"advice\" :");
    }

    @Test
    void askingWhereNobodyAnswersSaysWhatToDo() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }

        assertThat(run("certs", "--admin", "127.0.0.1:" + port)).isEqualTo(69);
        assertThat(err.toString())
                .contains("no gateway answers at 127.0.0.1:" + port, "--admin ADDR:PORT");
    }

    /** So a Pod finds a Service by its environment, whichever address family that has. */
    @Test
    void whatKubernetesSaysOfAServiceIsAnAddressToAsk() throws Exception {
        for (String host : List.of("127.0.0.1", "[::1]")) {
            int port;
            try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = free.getLocalPort();
            }
            assertThat(run("certs", "--admin", "tcp://" + host + ":" + port)).isEqualTo(69);
            assertThat(err.toString()).contains("no gateway answers at " + host + ":" + port);
        }
        assertThat(run("certs", "--admin", "udp://127.0.0.1:9090")).isEqualTo(64);
    }

    @Test
    void askingAnotherProgramSaysWhatToDo() throws Exception {
        for (String foreign :
                List.of(
                        "<html>It works!</html>",
                        "{}",
                        "null",
                        "[]",
                        "{\"certificates\": null, \"routes\": null}",
                        "{\"certificates\": [null], \"routes\": [null]}",
                        "{\"certificates\": [{}], \"routes\": [{}]}")) {
            try (var other = new ForeignServer(foreign)) {
                for (String command : List.of("certs", "routes", "acme")) {
                    for (String form : List.of("text", "json")) {
                        assertThat(run(command, "--admin", other.address(), "-o", form))
                                .as(command + " " + form + " " + foreign)
                                .isEqualTo(69);
                    }
                }
            }
        }
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString())
                .contains("is not a page of this version's gateway", "--admin ADDR:PORT")
                .doesNotContain("\tat ", "a bug");
    }

    /** Answers everything with one text. */
    private static final class ForeignServer implements AutoCloseable {
        private final HttpServer server;

        ForeignServer(String text) throws IOException {
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext(
                    "/",
                    exchange -> {
                        try (exchange) {
                            exchange.sendResponseHeaders(200, body.length);
                            exchange.getResponseBody().write(body);
                        }
                    });
            server.start();
        }

        String address() {
            return "127.0.0.1:" + server.getAddress().getPort();
        }

        @Override
        public void close() {
            server.stop(0);
        }
    }

    @Test
    void aDemonstrationOfAcmeWithoutPebbleSaysHowToGetIt() {
        assertThat(run("demo", "--acme")).isEqualTo(69);
        assertThat(err.toString()).contains("pebble-challtestsrv on the PATH", "go install");
    }

    @Test
    void everyCommandOfAcmeHasHelp() {
        for (String command :
                List.of("orders", "accounts", "certificates", "renew", "revoke", "import")) {
            assertThat(run("acme", command, "--help")).as(command).isZero();
            assertThat(out.toString()).contains("Usage: sallyport acme " + command);
        }
        assertThat(run("acme", "renew")).isEqualTo(64);
    }

    /** Answers one request with what a gateway would say. */
    private record Said(int status, String type, String text) {}

    private int told(Said said, List<String> requests, String... arguments) throws IOException {
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/",
                exchange -> {
                    try (exchange) {
                        requests.add(
                                exchange.getRequestMethod()
                                        + " "
                                        + exchange.getRequestURI()
                                        + " "
                                        + exchange.getRequestHeaders().getFirst("X-Sallyport"));
                        byte[] body = said.text().getBytes(StandardCharsets.UTF_8);
                        exchange.getResponseHeaders().set("Content-Type", said.type());
                        exchange.sendResponseHeaders(said.status(), body.length);
                        exchange.getResponseBody().write(body);
                    }
                });
        server.start();
        try {
            List<String> all = new ArrayList<>(List.of(arguments));
            all.addAll(List.of("--admin", "127.0.0.1:" + server.getAddress().getPort()));
            return run(all.toArray(String[]::new));
        } finally {
            server.stop(0);
        }
    }

    @Test
    void renewingAndRevokingAreToldToTheGateway() throws Exception {
        List<String> requests = new ArrayList<>();
        var accepted = new Said(202, "application/json", "{\"accepted\":true}");

        assertThat(told(accepted, requests, "acme", "renew", "a.shop.example")).isZero();
        assertThat(told(accepted, requests, "acme", "renew", "*.shop.example", "-o", "json"))
                .isZero();
        assertThat(told(accepted, requests, "acme", "revoke", "a.shop.example")).isZero();
        assertThat(told(accepted, requests, "acme", "revoke", "a.shop.example", "--key-compromise"))
                .isZero();
        assertThat(told(accepted, requests, "acme", "rollover")).isZero();
        assertThat(told(accepted, requests, "acme", "rollover", "second")).isZero();

        assertThat(requests)
                .containsExactly(
                        "POST /api/acme/renew?host=a.shop.example 1",
                        "POST /api/acme/renew?host=*.shop.example 1",
                        "POST /api/acme/revoke?host=a.shop.example&reason=superseded 1",
                        "POST /api/acme/revoke?host=a.shop.example&reason=key-compromise 1",
                        "POST /api/acme/rollover?issuer=default 1",
                        "POST /api/acme/rollover?issuer=second 1");
        assertThat(out.toString())
                .contains("a.shop.example: another certificate is ordered")
                .contains("{\"accepted\":true}")
                .contains("a.shop.example: the CA is asked to revoke")
                .contains("second: the account is to get another key");
    }

    @Test
    void whatTheGatewaySaysOfAnOrderItDoesNotTakeIsPassedOn() throws Exception {
        List<String> requests = new ArrayList<>();
        String text = "text/plain; charset=utf-8";

        assertThat(told(new Said(404, text, "no such\n"), requests, "acme", "renew", "a.example"))
                .isEqualTo(66);
        assertThat(told(new Said(404, text, "is off\n"), requests, "acme")).isEqualTo(69);
        assertThat(told(new Said(400, text, "no host\n"), requests, "acme", "renew", "a..b"))
                .isEqualTo(64);
        assertThat(told(new Said(409, text, "not here\n"), requests, "acme", "renew", "a.example"))
                .isEqualTo(69);
        assertThat(told(new Said(500, "text/html", "<p>"), requests, "acme", "renew", "a.example"))
                .isEqualTo(69);
        assertThat(err.toString())
                .contains("answers 404: no such", "answers 404: is off", "answers 400: no host")
                .contains("answers 409: not here", "answers 500: name the gateway's admin port");
    }

    @Test
    void certificatesOfTheGatewaysOwnAreTables() throws Exception {
        String page =
                JsonMapper.builder().build().writeValueAsString(AcmeView.of(AcmeStates.all()));
        var said = new Said(200, "application/json", page);
        List<String> requests = new ArrayList<>();

        for (String command : List.of("", "orders", "accounts", "certificates")) {
            String[] words =
                    command.isEmpty() ? new String[] {"acme"} : new String[] {"acme", command};
            assertThat(told(said, requests, words)).as(command).isZero();
            out.append("\n");
        }
        assertThat(told(said, requests, "acme", "-o", "json")).isZero();

        assertThat(out.toString()).isEqualTo(ACME + page + "\n");
        assertThat(requests).allMatch(request -> request.startsWith("GET /api/acme "));
    }

    @Test
    void importingSaysWhatBecameOfEachEntry() throws Exception {
        String state = folder.resolve("state").toString();
        Path file = Files.writeString(folder.resolve("acme.json"), "{}");
        Path nowhere = folder.resolve("nowhere");

        assertThat(run("acme", "import", file.toString())).as("no --state").isEqualTo(64);
        assertThat(run("acme", "import", nowhere.toString(), "--state", state)).isEqualTo(66);
        assertThat(run("acme", "import", file.toString(), "--state", state)).isEqualTo(66);
        assertThat(err.toString()).contains("is neither an acme.json");
        for (List<String> wrong :
                List.of(
                        List.of("--acme-directory", "http://ca.example/"),
                        List.of("--acme-directory", "x y"),
                        List.of("--issuer", "A"))) {
            List<String> words =
                    new ArrayList<>(List.of("acme", "import", file.toString(), "--state", state));
            words.addAll(wrong);
            assertThat(run(words.toArray(String[]::new))).as("%s", wrong).isEqualTo(64);
        }
        DemoAuthority.Issued issued =
                DemoAuthority.create("Test CA", () -> NOW)
                        .issue(
                                List.of(Hostname.parse("a.shop.example")),
                                Duration.ofDays(90),
                                KeyType.ECDSA);
        Files.writeString(
                file,
                "{\"le\": {\"Certificates\": [{\"domain\": {\"main\": \"a.shop.example\"}, \"certificate\": \""
                        + base64(issued.tlsCrt())
                        + "\", \"key\": \""
                        + base64(issued.tlsKey())
                        + "\"}, {}]}}");
        String[] words = {
            "acme", "import", file.toString(), "--state", state, "--acme-directory", "letsencrypt"
        };
        assertThat(run(words)).isEqualTo(1);
        assertThat(out.toString())
                .containsPattern("a\\.shop\\.example +2026-08-30T12:00:00Z +imported +le/a\\.shop")
                .contains("[ObjectInvalid]")
                .endsWith(
                        "1 certificates and 0 accounts imported, 0 left as they are, 1 could not be"
                                + " used\n");
        List<String> json = new ArrayList<>(List.of(words));
        json.addAll(List.of("-o", "json"));
        out.getBuffer().setLength(0);
        assertThat(run(json.toArray(String[]::new))).isEqualTo(1);
        assertThat(out.toString())
                .contains("\"what\" : \"KEPT\"", "\"reason\" : \"ObjectInvalid\"");
        try (DirectoryStore held = DirectoryStore.open(Path.of(state))) {
            assertThat(held).isNotNull();
            assertThat(run(words)).as("a gateway holds it").isEqualTo(69);
        }
        assertThat(err.toString()).contains("in use by another process", "End the gateway");
    }

    @Test
    void whyAStateFolderCannotBeUsedIsSaidWithWhatToDo() throws Exception {
        Path from = Files.writeString(folder.resolve("acme.json"), "{}");
        String[] file = {"acme", "import", from.toString(), "--state", from.toString()};

        assertThat(run(file)).isEqualTo(69);
        assertThat(err.toString())
                .contains(
                        "the state folder " + from + " cannot be used: a file is there already\n",
                        "--state DIR")
                .doesNotContain("End the gateway");
        Path theirs = Files.createDirectory(folder.resolve("theirs"));
        Files.createFile(theirs.resolve("notes.txt"));
        String[] foreign = {"acme", "import", from.toString(), "--state", theirs.toString()};
        assertThat(run(foreign)).isEqualTo(69);
        assertThat(err.toString())
                .contains("it holds notes.txt (expected: ", "--state " + theirs + "/sallyport.");
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void whereNothingCanBeIssuedItSaysWhy() throws Exception {
        AcmeView view = AcmeView.of(AcmeStates.troubled());
        String page = JsonMapper.builder().build().writeValueAsString(view);

        assertThat(told(new Said(200, "application/json", page), new ArrayList<>(), "acme"))
                .isZero();
        assertThat(out.toString())
                .startsWith(
                        "Nothing can be issued now: the store cannot be read: no such disk\n"
                                + "Another replica orders");
    }

    private static final String ACME =
            """
            HOST              ISSUER   EXPIRES                     NEXT        WHEN                          WHY
            a.shop.example    default  2026-08-20T12:00:00Z (80d)  renew       2026-07-21T12:00:00Z (50d)    the CA suggests 2026-07-20T12:00:00Z to 2026-07-22T12:00:00Z, selected 2026-07-21T12:00:00Z
            b.shop.example    -        -                           order       under way                     there is no certificate yet (challenged, at default)
            c.shop.example    default  2026-06-11T12:00:00Z (10d)  renew       2026-06-01T12:30:00Z (30m0s)  failed 2 times at default: 404 from 192.0.2.1; it is valid until 2026-06-11T12:00:00Z and due from 2026-05-31T12:00:00Z on
            d.shop.example    default  2026-06-11T12:00:00Z (10d)  renew       2026-06-01T17:00:00Z (5h0m)   given up after 2 times at default: new terms; it is valid until 2026-06-11T12:00:00Z and due from 2026-05-31T12:00:00Z on
            e.shop.example    -        -                           look again  2026-06-21T12:00:00Z (20d)    a Secret of others serves it, which is looked at again at 2026-06-21T12:00:00Z
            any.shop.example  default  2026-08-10T12:00:00Z (70d)  remove      2026-06-07T12:00:00Z (6d)     not wanted since 2026-05-31T12:00:00Z

            HOST            ISSUER   STATE       FAILED  LAST                  NEXT                          CAUSE             DETAIL
            b.shop.example  default  challenged  0       -                     under way                     -                 there is no certificate yet
            c.shop.example  default  failed      2       2026-06-01T11:00:00Z  2026-06-01T12:30:00Z (30m0s)  ValidationFailed  404 from 192.0.2.1
            d.shop.example  default  given up    2       2026-06-01T11:00:00Z  2026-06-01T17:00:00Z (5h0m)   AccountRefused    new terms (see https://ca.example/terms)

            ISSUER   REQUESTS  DIRECTORY                  ACCOUNT
            default  42        https://ca.example/dir     https://ca.example/account/1
            other    0         https://other.example/dir  none yet

            HOST              ISSUER   SERIAL  KEY      NOT BEFORE            NOT AFTER                   THE CA SUGGESTS
            a.shop.example    default  0a1b    ec-p256  2026-05-22T12:00:00Z  2026-08-20T12:00:00Z (80d)  2026-07-20T12:00:00Z to 2026-07-22T12:00:00Z (see https://ca.example/why)
            c.shop.example    default  0a1b    ec-p256  2026-03-13T12:00:00Z  2026-06-11T12:00:00Z (10d)  nothing
            d.shop.example    default  0a1b    ec-p256  2026-03-13T12:00:00Z  2026-06-11T12:00:00Z (10d)  nothing
            any.shop.example  default  0f      ec-p256  2026-05-12T12:00:00Z  2026-08-10T12:00:00Z (70d)  nothing

            """;

    @Test
    void aFlagThatIsNoAddressIsWrongUse() {
        for (String flag : List.of("--http", "--https", "--admin")) {
            assertThat(run("config", flag, "nonsense")).as(flag).isEqualTo(64);
            assertThat(run("config", flag, "")).as(flag).isEqualTo(64);
        }
        assertThat(run("certs", "--admin", "nonsense")).isEqualTo(64);
        assertThat(run("config", "--http", "127.0.0.1:1,")).isEqualTo(64);
        assertThat(err.toString())
                .contains(
                        "--http: listeners.http[0]: nonsense (expected: ",
                        "--http: listeners.http[0]: empty (expected: ",
                        "--admin: nonsense (expected: ");
    }

    @Test
    void whereFileAndFlagsAreWrongTheConfigurationIs() throws Exception {
        Path file = Files.writeString(folder.resolve("g.yaml"), "limts: {}\n");

        assertThat(run("config", "--config", file.toString(), "--http", "x")).isEqualTo(78);
    }

    @Test
    void askingAGatewayNeedsOnlyItsAdminPortOfTheConfiguration() throws Exception {
        Path file =
                Files.writeString(
                        folder.resolve("g.yaml"),
                        """
                        listeners: {admin: 127.0.0.1:1}
                        tls: {client-authentication: {mode: required, ca-file: nowhere.pem}}
                        """);

        assertThat(run("config", "--config", file.toString())).isEqualTo(78);
        assertThat(run("certs", "--config", file.toString())).isEqualTo(69);
        assertThat(err.toString()).contains("no gateway answers at 127.0.0.1:1 ");
    }

    @Test
    void whatAManifestSaysCannotForgeOutput() throws Exception {
        Files.writeString(
                folder.resolve("a.yaml"),
                """
                apiVersion: networking.k8s.io/v1
                kind: Ingress
                metadata: {name: a}
                spec:
                  rules:
                    - host: "a\\e[2J\\nx.yaml:1: error: forged"
                """);

        assertThat(run("check", folder.toString())).isEqualTo(1);
        assertThat(out.toString())
                .contains("a\\u001b[2j\\u000ax.yaml:1: error: forged")
                .doesNotContain("\u001b");
    }

    @Test
    void configShowsEachValueWithItsSource() {
        assertThat(run("config", "--http", "[::]:80", "--http", "10.0.0.1:81")).isZero();
        assertThat(out.toString())
                .containsPattern("listeners\\.http +\\[::\\]:80, 10\\.0\\.0\\.1:81 +--http\n")
                .containsPattern("timeouts\\.drain +30s +default\n");
    }

    @Test
    void aWrongConfigurationEndsWith78() throws Exception {
        Path file = Files.writeString(folder.resolve("g.yaml"), "limts: {}\n");

        assertThat(run("config", "--config", file.toString())).isEqualTo(78);
        assertThat(err.toString())
                .isEqualTo(
                        "sallyport: the configuration cannot be used:\n  "
                                + file
                                + ":1: limts: unknown key (did you mean limits?)\n");
    }

    @Test
    void certificatesAreATable() {
        var shop =
                new CertificateView(
                        "shop.example",
                        "0a1b",
                        List.of("shop.example", "www.shop.example"),
                        "CN=Test CA",
                        "CN=shop.example",
                        "ECDSA",
                        "ff",
                        NOW,
                        Instant.parse("2026-07-01T12:00:00.5Z"),
                        "Secret default/shop-tls",
                        "4711",
                        NOW,
                        NOW.plusSeconds(1),
                        "KeyMismatch",
                        false,
                        false);
        var fallback =
                new CertificateView(
                        "*",
                        "01",
                        List.of("sallyport.invalid"),
                        "CN=self",
                        "CN=self",
                        "ECDSA",
                        "ee",
                        NOW,
                        Instant.parse("2026-05-01T00:00:00Z"),
                        "Gateway self-signed",
                        "",
                        NOW,
                        null,
                        "",
                        true,
                        true);

        CertsCommand.print(List.of(shop, fallback), NOW, new PrintWriter(out, true));

        assertThat(out.toString())
                .isEqualTo(
                        """
                        HOST          SERIAL  NAMES                          ISSUER      NOT AFTER                       SOURCE                                                              SINCE
                        shop.example  0a1b    shop.example,www.shop.example  CN=Test CA  2026-07-01T12:00:00Z (30d)      Secret default/shop-tls at 4711 (its contents by now: KeyMismatch)  2026-06-01T12:00:01Z
                        (default)     01      sallyport.invalid              CN=self     2026-05-01T00:00:00Z (expired)  Gateway self-signed (temporary)                                     2026-06-01T12:00:00Z
                        """);
    }

    @Test
    void routesAreATable() {
        var shop =
                new RouteView(
                        "shop.example",
                        "/",
                        "Prefix",
                        "forward",
                        List.of(
                                new BackendView("default/shop", 80, 9, List.of("10.0.0.1:8080")),
                                new BackendView("default/next", 80, 1, List.of())),
                        "Ingress default/shop",
                        new HttpsRedirect(308, 443));
        var gone =
                new RouteView(
                        "*",
                        "/old",
                        "Exact",
                        "respond 404",
                        List.of(),
                        "Ingress default/old",
                        null);

        RoutesCommand.print(List.of(shop, gone), new PrintWriter(out, true));

        assertThat(out.toString())
                .isEqualTo(
                        """
                        HOST          PATH  TYPE    ACTION       BACKENDS                                                                           PLAIN HTTP       ORIGIN
                        shop.example  /     Prefix  forward      default/shop:80 weight 9 (10.0.0.1:8080), default/next:80 weight 1 (no endpoints)  308 to port 443  Ingress default/shop
                        *             /old  Exact   respond 404  -                                                                                  served           Ingress default/old
                        """);
    }

    private int run(String... arguments) {
        var surroundings =
                new CommandLineProgram.Surroundings(
                        Map.of(), () -> NOW, new PrintWriter(out), new PrintWriter(err));
        return new CommandLineProgram(surroundings).run(arguments);
    }
}

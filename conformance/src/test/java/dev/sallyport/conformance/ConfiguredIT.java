package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is off until an operator asks for it, all of it at once; over IPv6 as well. */
final class ConfiguredIT {

    /** Among the trusted proxies; everybody else is 127.0.0.1. */
    private static final String PROXY = "127.0.0.2";

    @TempDir private static Path work;
    private static Pki pki;
    private static Backend echo;
    private static Backend fallback;
    private static Gateway gateway;
    private static Curl curl;
    private static int http6;
    private static int https6;

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
        echo = Backend.echo("echo");
        fallback = Backend.echo("fallback");
        http6 = Gateway.freePort();
        https6 = Gateway.freePort();
        Folder folder =
                Folder.in(work)
                        .put(
                                "shop.yaml",
                                Manifests.service("echo", echo),
                                Manifests.service("fallback", fallback),
                                Manifests.secret("shop-tls", pki.ecdsa("shop.test")),
                                ingress("shop")
                                        .tls("shop-tls", "shop.test")
                                        .host("shop.test", "echo")
                                        .yaml(),
                                ingress("plain").host("plain.test", "echo").yaml(),
                                ingress("rest").defaultBackend("fallback").yaml());
        gateway =
                Gateway.in(work, pki, folder)
                        .config(
                                """
                                hsts:
                                  max-age: 365d
                                  include-subdomains: true
                                  preload: true
                                forwarding:
                                  forwarded: true
                                  trusted-proxies: [127.0.0.2/31, "2001:db8::/32"]
                                access-log:
                                  format: common
                                """)
                        .flags("--http", "[::1]:" + http6, "--https", "[::1]:" + https6)
                        .jvm("-Dsallyport.terminal=true")
                        .start();
        curl = new Curl(gateway, pki);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        for (Backend backend : List.of(echo, fallback)) {
            backend.close();
            assertThat(backend.violations()).isEmpty();
        }
    }

    @Test
    void browsersAreToldToInsistOnHttps() {
        assertThat(curl.https("shop.test", "/").all("Strict-Transport-Security"))
                .containsExactly("max-age=31536000; includeSubDomains; preload");
    }

    @Test
    void neitherPlainAnswersNorTheDefaultCertificatesTellThemSo() {
        assertThat(curl.http("plain.test", "/").all("Strict-Transport-Security")).isEmpty();
        assertThat(curl.http("shop.test", "/").all("Strict-Transport-Security")).isEmpty();
        assertThat(curl.https("nobody.test", "/", "--insecure").all("Strict-Transport-Security"))
                .isEmpty();
    }

    @Test
    void theForwardedFieldTellsOfTheClient() {
        Echo seen =
                curl.https("shop.test", "/", "-H", "Forwarded: for=192.0.2.1;proto=http").echo();

        assertThat(seen.all("Forwarded"))
                .containsExactly(
                        "for=127.0.0.1;host=\"shop.test:" + gateway.https() + "\";proto=https");
    }

    @Test
    void trustedProxiesAreBelieved() {
        Echo seen =
                curl.https(
                                "shop.test",
                                "/",
                                "--interface",
                                PROXY,
                                "-H",
                                "X-Forwarded-For: 192.0.2.1",
                                "-H",
                                "X-Forwarded-Proto: http",
                                "-H",
                                "X-Request-Id: theirs",
                                "-H",
                                "Forwarded: for=192.0.2.1;proto=http")
                        .echo();

        assertThat(seen.all("X-Forwarded-For")).containsExactly("192.0.2.1, " + PROXY);
        assertThat(seen.all("X-Forwarded-Proto")).containsExactly("http");
        assertThat(seen.all("X-Request-Id")).containsExactly("theirs");
        assertThat(seen.all("Forwarded"))
                .singleElement()
                .asString()
                .startsWith("for=192.0.2.1;proto=http, for=" + PROXY + ";host=");
    }

    @Test
    void othersAreNot() {
        Echo seen =
                curl.https(
                                "shop.test",
                                "/",
                                "-H",
                                "X-Forwarded-For: 192.0.2.1",
                                "-H",
                                "X-Request-Id: theirs")
                        .echo();

        assertThat(seen.all("X-Forwarded-For")).containsExactly("127.0.0.1");
        assertThat(seen.all("X-Request-Id")).singleElement().isNotEqualTo("theirs");
    }

    @Test
    void onlyATrustedProxyMaySayThatAClientCameByHttps() {
        String[] claim = {"-H", "X-Forwarded-Proto: https"};
        assertThat(curl.http("shop.test", "/", claim).status()).isEqualTo(308);

        String[] fromProxy = {"-H", "X-Forwarded-Proto: https", "--interface", PROXY};
        assertThat(curl.http("shop.test", "/", fromProxy).echo().backend()).isEqualTo("echo");
    }

    @Test
    void everyExchangeIsLoggedInTheCommonFormat() {
        curl.https("shop.test", "/common?a=\"b", "-A", "agent \"x\"", "-e", "http://from.test/");

        await().until(() -> gateway.out().contains("/common?"));
        assertThat(gateway.out().lines().filter(line -> line.contains("/common?")))
                .singleElement()
                .asString()
                .matches(
                        "127\\.0\\.0\\.1 - - \\[\\d\\d/[A-Z][a-z]{2}/\\d{4}(:\\d\\d){3} \\+0000\\]"
                                + " \"GET /common\\?a=\\\\\"b HTTP/2\\.0\" 200 \\d+"
                                + " \"http://from\\.test/\" \"agent \\\\\"x\\\\\"\"");
    }

    @Test
    void aListenerOnIpv6ServesHostsAndTellsTheAddress() {
        Ran ran = curl6("https://shop.test:" + https6 + "/six", "--resolve", at(https6));

        Echo seen = Echo.parse(ran.out());
        assertThat(seen.backend()).isEqualTo("echo");
        assertThat(seen.all("X-Forwarded-For")).containsExactly("::1");
        assertThat(seen.all("Forwarded"))
                .containsExactly("for=\"[::1]\";host=\"shop.test:" + https6 + "\";proto=https");
    }

    @Test
    void anIpv6AddressAsTheHostIsWhatNoRuleNames() {
        Echo plain = Echo.parse(curl6("http://[::1]:" + http6 + "/").out());
        assertThat(plain.backend()).isEqualTo("fallback");
        assertThat(plain.all("Host")).containsExactly("[::1]:" + http6);

        assertThat(Echo.parse(curl6("https://[::1]:" + https6 + "/", "--insecure").out()).backend())
                .isEqualTo("fallback");
    }

    private static String at(int port) {
        return "shop.test:" + port + ":[::1]";
    }

    private static Ran curl6(String url, String... arguments) {
        Ran ran =
                Curl.ask(
                        pki.caFile(),
                        Stream.concat(Stream.of("--globoff", url), Stream.of(arguments)).toList());
        assertThat(ran.exit()).as(ran.command() + ": " + ran.all()).isZero();
        return ran;
    }

    @Test
    void anIngressWithOnlyADefaultBackendAnswersWhateverNobodyNames() {
        assertThat(curl.http("nobody.test", "/x").echo().backend()).isEqualTo("fallback");
        assertThat(curl.https("nobody.test", "/x", "--insecure").echo().backend())
                .isEqualTo("fallback");
    }

    @Test
    void theLogIsTextOnATerminal() {
        assertThat(gateway.err().lines().toList())
                .isNotEmpty()
                .allSatisfy(line ->
                        assertThat(line)
                                .matches("\\d\\d:\\d\\d:\\d\\d\\.\\d{3} (INFO|WARN|DEBUG) +\\S.*"))
                .anySatisfy(line ->
                        assertThat(line)
                                .contains(
                                        "listening",
                                        String.format(Locale.ROOT, "address=[::1]:%d", https6)));
    }
}

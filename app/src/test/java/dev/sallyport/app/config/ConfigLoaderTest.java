package dev.sallyport.app.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sallyport.app.config.ConfigLoader.FlagValue;
import dev.sallyport.model.listener.ClientAuthentication;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.model.listener.TlsProfile;
import dev.sallyport.tls.certificate.DemoAuthority;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConfigLoaderTest {
    @TempDir private Path folder;

    @Test
    void flagsWinOverEnvironmentOverFileOverDefaults() throws Exception {
        Path file =
                write(
                        """
                        limits:
                          connections: 1
                          header-count: 11
                          concurrent-streams: 21
                        """);

        EffectiveConfig config =
                ConfigLoader.load(
                        Optional.of(file),
                        Map.of(
                                "SALLYPORT_LIMITS_CONNECTIONS", "2",
                                "SALLYPORT_LIMITS_HEADER_COUNT", "12"),
                        List.of(
                                new FlagValue(
                                        "limits.connections", "--connections", List.of("3"))));

        assertThat(config.settings())
                .extracting(Setting::key, Setting::value, it -> it.source().toString())
                .contains(
                        org.assertj.core.groups.Tuple.tuple(
                                "limits.connections", "3", "--connections"),
                        org.assertj.core.groups.Tuple.tuple(
                                "limits.header-count", "12", "SALLYPORT_LIMITS_HEADER_COUNT"),
                        org.assertj.core.groups.Tuple.tuple(
                                "limits.concurrent-streams", "21", file + ":4"),
                        org.assertj.core.groups.Tuple.tuple(
                                "limits.upstream-idle", "1024", "default"));
    }

    @Test
    void theAccessLogsFileIsRelativeToTheConfiguration() throws Exception {
        assertThat(accessLog(Optional.of(write("access-log: {output: access.log}\n")), Map.of()))
                .isEqualTo(folder.resolve("access.log").toString());
        assertThat(accessLog(Optional.of(write("access-log: {output: stderr}\n")), Map.of()))
                .isEqualTo("stderr");
        assertThat(accessLog(Optional.empty(), Map.of("SALLYPORT_ACCESS_LOG_OUTPUT", "access.log")))
                .isEqualTo("access.log");
    }

    private static String accessLog(Optional<Path> file, Map<String, String> environment)
            throws InvalidConfiguration {
        return ConfigLoader.load(file, environment, List.of()).proxySettings().accessLog().output();
    }

    @Test
    void everythingThatIsWrongIsReportedAtOnce() throws Exception {
        Path file =
                write(
                        """
                        limits:
                          conections: 5
                          header-bytes: lots
                        timeouts: soon
                        tls:
                          profile: old
                          groups: [X25519, K-163]
                        redirect:
                          status: 305
                        max-age: 7
                        log: {level: info, level: debug}
                        """);

        assertThat(
                        problems(
                                file,
                                Map.of("SALLYPORT_LIMIT_CONNECTIONS", "4"),
                                new FlagValue("listeners.http", "--http", List.of("80"))))
                .containsExactly(
                        file
                                + ":2: limits.conections: unknown key (did you mean limits.connections?)",
                        file
                                + ":3: limits.header-bytes: lots (expected: a size such as 4096, 64KiB or 1MiB)",
                        file + ":4: timeouts: not a mapping (expected: keys with values)",
                        file + ":6: tls.profile: old (expected: intermediate or modern)",
                        file
                                + ":7: tls.groups[1]: K-163 (expected: X25519MLKEM768, X25519, P-256, P-384 or P-521)",
                        file + ":9: redirect: status: 305 (expected: 301, 302, 303, 307 or 308)",
                        file + ":10: max-age: unknown key (did you mean hsts.max-age?)",
                        file + ":11: log.level: defined twice",
                        "SALLYPORT_LIMIT_CONNECTIONS: unknown variable (did you mean SALLYPORT_LIMITS_CONNECTIONS?)",
                        "--http: listeners.http[0]: 80 (expected: an IP address and a port of 0–65535, such as 0.0.0.0:8443 or [::]:8443)");
    }

    @Test
    void whatKubernetesPutsIntoContainersIsNotMeantForUs() throws Exception {
        EffectiveConfig config =
                ConfigLoader.load(
                        Optional.empty(),
                        Map.of(
                                "SALLYPORT_SERVICE_HOST", "10.0.0.1",
                                "SALLYPORT_PORT", "tcp://10.0.0.1:443",
                                "SALLYPORT_PORT_443_TCP_ADDR", "10.0.0.1",
                                "SALLYPORT_ADMIN_SERVICE_PORT_HTTP", "9090"),
                        List.of());

        assertThat(config.config()).isEqualTo(GatewayConfig.IN_CLUSTER);
    }

    @Test
    void theFileMayBeNamedByTheEnvironment() throws Exception {
        Path file = write("log: {level: trace}");

        EffectiveConfig config =
                ConfigLoader.load(
                        Optional.empty(), Map.of("SALLYPORT_CONFIG", file.toString()), List.of());

        assertThat(config.config().log().level()).isEqualTo(GatewayConfig.Log.Level.TRACE);
    }

    @Test
    void listsInTheEnvironmentAreSeparatedByCommas() throws Exception {
        EffectiveConfig config =
                ConfigLoader.load(
                        Optional.empty(),
                        Map.of("SALLYPORT_LISTENERS_HTTP", "127.0.0.1:1, [::1]:2"),
                        List.of());

        assertThat(config.config().listeners().http())
                .containsExactly(new BindAddress("127.0.0.1", 1), new BindAddress("::1", 2));
    }

    @Test
    void aMissingFileIsAProblem() throws Exception {
        Path missing = folder.resolve("nothing.yaml");

        assertThat(problems(missing, Map.of())).containsExactly(missing + ": no such file");
    }

    @Test
    void whatIsNotYamlIsReportedWithItsLine() throws Exception {
        Path file = write("limits:\n  connections: [\n");

        assertThat(problems(file, Map.of()))
                .singleElement()
                .asString()
                .startsWith(file + ":3: not YAML: ");
    }

    @Test
    void anEmptyFileIsAllDefaults() throws Exception {
        Path file = write("# nothing\n");

        assertThat(ConfigLoader.load(Optional.of(file), Map.of(), List.of()).config())
                .isEqualTo(GatewayConfig.IN_CLUSTER);
    }

    @Test
    void aFlagDoesNotDropTheProtectionOfAListener() throws Exception {
        Path file =
                write(
                        """
                        listeners:
                          https:
                            - address: 0.0.0.0:9443
                              profile: modern
                        """);

        assertThat(
                        problems(
                                file,
                                Map.of(),
                                new FlagValue(
                                        "listeners.https", "--https", List.of("0.0.0.0:9443"))))
                .singleElement()
                .asString()
                .contains(
                        "listeners.https: would replace listeners that have settings of their own");
    }

    @Test
    void twoListenersOnOnePortAreAProblem() throws Exception {
        Path file = write("listeners: {admin: \"0.0.0.0:8080\"}");

        assertThat(problems(file, Map.of()))
                .singleElement()
                .asString()
                .contains("0.0.0.0:8080 is used twice");
    }

    @Test
    void clientAuthenticationNeedsAuthorities() throws Exception {
        Path file = write("tls: {client-authentication: {mode: required}}");

        assertThat(problems(file, Map.of()))
                .singleElement()
                .asString()
                .contains("tls.client-authentication: ca-file: missing");
    }

    @Test
    void authoritiesThatCannotBeReadAreAProblemOfTheConfiguration() throws Exception {
        Files.writeString(folder.resolve("ca.pem"), "no certificate\n");
        Path file = write("tls: {client-authentication: {mode: required, ca-file: ca.pem}}");

        assertThat(problems(file, Map.of()))
                .singleElement()
                .asString()
                .startsWith(file + ":1: tls.client-authentication.ca-file: ");
    }

    @Test
    void aListenersOwnTlsWinsOverTheGateways() throws Exception {
        Files.writeString(
                folder.resolve("ca.pem"),
                DemoAuthority.create("Test CA", () -> Instant.parse("2026-01-01T00:00:00Z"))
                        .certificate());
        Path file =
                write(
                        """
                        tls:
                          client-authentication: {mode: required, ca-file: ca.pem}
                        listeners:
                          https:
                            - 127.0.0.1:1
                            - address: 127.0.0.1:2
                              profile: modern
                              client-authentication: {mode: none}
                        """);

        var listeners = ConfigLoader.load(Optional.of(file), Map.of(), List.of()).listeners();

        assertThat(listeners)
                .extracting(it -> it.name())
                .containsExactly("http", "https", "https-2");
        var first = (ListenerProtocol.Https) listeners.get(1).protocol();
        var second = (ListenerProtocol.Https) listeners.get(2).protocol();
        assertThat(first.policy().clientAuthentication())
                .isInstanceOf(ClientAuthentication.Required.class);
        assertThat(first.policy().profile()).isEqualTo(TlsProfile.INTERMEDIATE);
        assertThat(second.policy().clientAuthentication())
                .isInstanceOf(ClientAuthentication.None.class);
        assertThat(second.policy().profile()).isEqualTo(TlsProfile.MODERN);
    }

    private Path write(String yaml) throws Exception {
        return Files.writeString(folder.resolve("gateway.yaml"), yaml);
    }

    private static List<String> problems(
            Path file, Map<String, String> environment, FlagValue... flags) {
        InvalidConfiguration invalid =
                catchThrowableOfType(
                        InvalidConfiguration.class,
                        () -> ConfigLoader.load(Optional.of(file), environment, List.of(flags)));
        return invalid.problems().stream().map(Problem::toString).toList();
    }
}

package dev.sallyport.app.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.app.config.GatewayConfig.AccessLog;
import dev.sallyport.app.config.GatewayConfig.Acme;
import dev.sallyport.app.config.GatewayConfig.AcmeIssuer;
import dev.sallyport.app.config.GatewayConfig.ClientCertificates;
import dev.sallyport.app.config.GatewayConfig.EventLoops;
import dev.sallyport.app.config.GatewayConfig.Folder;
import dev.sallyport.app.config.GatewayConfig.Forwarding;
import dev.sallyport.app.config.GatewayConfig.Hsts;
import dev.sallyport.app.config.GatewayConfig.HttpsListener;
import dev.sallyport.app.config.GatewayConfig.Ingress;
import dev.sallyport.app.config.GatewayConfig.Kubernetes;
import dev.sallyport.app.config.GatewayConfig.LastKnownGood;
import dev.sallyport.app.config.GatewayConfig.Limits;
import dev.sallyport.app.config.GatewayConfig.Listeners;
import dev.sallyport.app.config.GatewayConfig.Log;
import dev.sallyport.app.config.GatewayConfig.Reconcile;
import dev.sallyport.app.config.GatewayConfig.Redirect;
import dev.sallyport.app.config.GatewayConfig.Timeouts;
import dev.sallyport.app.config.GatewayConfig.Tls;
import dev.sallyport.control.ReportSettings;
import dev.sallyport.control.acme.AcmeSettings;
import dev.sallyport.control.cluster.ClusterSettings;
import dev.sallyport.control.cluster.SecretAccess;
import dev.sallyport.control.resource.LoadBalancerAddress;
import dev.sallyport.control.translate.AcmeAddresses;
import dev.sallyport.control.translate.BackendReference;
import dev.sallyport.control.translate.PortReference;
import dev.sallyport.model.listener.TlsProfile;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.upstream.OwnAddresses;
import dev.sallyport.proxy.ProxySettings.AccessLogSettings;
import dev.sallyport.proxy.ProxySettings.EscapedSlashes;
import dev.sallyport.proxy.ProxySettings.Transport;
import dev.sallyport.tls.certificate.DemoAuthority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each section twice: what it is by default, and with every key set to something else. */
final class SectionsTest {
    private static final String KEY = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";

    @TempDir private Path folder;

    @Test
    void resourcesHasNoDefault() throws Exception {
        assertThat(load("").config().resources()).isEmpty();
    }

    @Test
    void resourcesIsRelativeToTheFile() throws Exception {
        assertThat(load("resources: manifests\n").config().resources())
                .contains(folder.resolve("manifests"));
    }

    @Test
    void kubernetesByDefault() throws Exception {
        defaults(
                GatewayConfig::kubernetes,
                new Kubernetes(
                        Optional.empty(),
                        List.of(),
                        SecretAccess.BY_TYPE,
                        List.of(),
                        Optional.empty(),
                        "sallyport-leader",
                        Optional.empty(),
                        true,
                        true,
                        Duration.ofMinutes(1),
                        new LastKnownGood(
                                Optional.empty(),
                                Optional.empty(),
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(2))));
    }

    @Test
    void kubernetesWithEveryKeySet() throws Exception {
        key("r--------", KEY);
        explicit(
                "kubernetes",
                GatewayConfig::kubernetes,
                """
                  kubeconfig: admin.conf
                  watch-namespaces: [shop, blog-2]
                  secrets: by-name
                  publish-addresses: [192.0.2.1, "2001:db8::1", Edge.Example.com]
                  publish-service:
                  lease-name: sallyport-public
                  lease-namespace: edge
                  status: false
                  events: false
                  hold-back: 5m
                  last-known-good:
                    file: state/last-known-good
                    key-file: key
                    interval: 1m
                    patience: 500ms
                """,
                new Kubernetes(
                        Optional.of(folder.resolve("admin.conf")),
                        List.of("shop", "blog-2"),
                        SecretAccess.BY_NAME,
                        List.of(
                                new PublishAddress("192.0.2.1", true),
                                new PublishAddress("2001:db8::1", true),
                                new PublishAddress("edge.example.com", false)),
                        Optional.empty(),
                        "sallyport-public",
                        Optional.of("edge"),
                        false,
                        false,
                        Duration.ofMinutes(5),
                        new LastKnownGood(
                                Optional.of(folder.resolve("state/last-known-good")),
                                Optional.of(folder.resolve("key")),
                                Duration.ofMinutes(1),
                                Duration.ofMillis(500))),
                "kubernetes.publish-service");
    }

    @Test
    void whatIsKeptIsSealed() throws Exception {
        refused("last-known-good: {file: state}", "key-file: missing");
        refused("last-known-good: {key-file: key}", "file: missing");
        assertThat(load("").store()).isEmpty();
    }

    @Test
    void theKeyOfWhatIsKeptIsReadWithTheConfiguration() throws Exception {
        String both = "last-known-good: {file: state, key-file: key}";
        refused(both, folder.resolve("key") + ": no such file");
        key("rw-------", "not a key");
        refused(both, "(expected: 32 random bytes");
        key("rw-r--r--", KEY);
        refused(both, "chmod 400 " + folder.resolve("key"));
        key("r--------", KEY);
        EffectiveConfig config = load("kubernetes: {" + both + "}");
        assertThat(config.store().orElseThrow().file()).isEqualTo(folder.resolve("state"));
        assertThat(config.toString()).doesNotContain(KEY);
    }

    private void key(String mode, String text) throws IOException {
        Path file = folder.resolve("key");
        Files.deleteIfExists(file);
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    }

    @Test
    void theServiceToPublishIsNamedInsteadOfAddresses() throws Exception {
        assertThat(
                        load("kubernetes: {publish-service: edge/sallyport}")
                                .config()
                                .kubernetes()
                                .publishService())
                .contains(new NamespacedName("edge", "sallyport"));
        refused("publish-service: a/b, publish-addresses: [192.0.2.1]", "expected: one of them");
    }

    @Test
    void namesThatNoApiServerTakesAreRefused() {
        refused("watch-namespaces: [Shop]", "watch-namespaces: Shop");
        refused("lease-name: Leader", "lease-name: Leader");
        refused("lease-namespace: a.b", "lease-namespace: a.b");
        refused("publish-addresses: [10.0.0.256]", "10.0.0.256 (expected: IP address or host name");
        refused("publish-service: sallyport", "sallyport (expected: namespace/name");
    }

    @Test
    void whatIsToldToTheClusterIsAsConfigured() throws Exception {
        ReportSettings told =
                load("kubernetes: {publish-addresses: [192.0.2.1, edge.example.com], lease-name: l,"
                                + " lease-namespace: n, events: false}")
                        .reportSettings(Optional.of("gateway-0"));
        assertThat(told)
                .isEqualTo(
                        new ReportSettings(
                                true,
                                false,
                                List.of(
                                        new LoadBalancerAddress.Ip("192.0.2.1"),
                                        new LoadBalancerAddress.Name("edge.example.com")),
                                Optional.empty(),
                                Optional.of("gateway-0"),
                                "l",
                                Optional.of("n")));
        assertThat(
                        load("kubernetes: {publish-service: edge/sallyport}")
                                .reportSettings(Optional.empty())
                                .service())
                .contains(new ObjectRef("Service", "edge", "sallyport"));
    }

    private void refused(String kubernetes, String because) {
        assertThatThrownBy(() -> load("kubernetes: {" + kubernetes + "}"))
                .isInstanceOfSatisfying(
                        InvalidConfiguration.class,
                        invalid ->
                                assertThat(invalid.problems())
                                        .singleElement()
                                        .asString()
                                        .contains(because));
    }

    @Test
    void listenersByDefault() throws Exception {
        defaults(
                GatewayConfig::listeners,
                new Listeners(
                        List.of(new BindAddress("0.0.0.0", 8080)),
                        List.of(HttpsListener.at(new BindAddress("0.0.0.0", 8443))),
                        new BindAddress("127.0.0.1", 9090)));
    }

    @Test
    void listenersWithEveryKeySet() throws Exception {
        authorities();
        explicit(
                "listeners",
                GatewayConfig::listeners,
                """
                  http: ["[::]:80", 10.0.0.1:81]
                  https:
                    - 0.0.0.0:443
                    - address: "[::1]:444"
                      profile: modern
                      client-authentication:
                        mode: optional
                        ca-file: ca.pem
                  admin: localhost:0
                """,
                new Listeners(
                        List.of(new BindAddress("::", 80), new BindAddress("10.0.0.1", 81)),
                        List.of(
                                HttpsListener.at(new BindAddress("0.0.0.0", 443)),
                                new HttpsListener(
                                        new BindAddress("::1", 444),
                                        Optional.of(TlsProfile.MODERN),
                                        Optional.of(
                                                new ClientCertificates(
                                                        ClientCertificates.Mode.OPTIONAL,
                                                        Optional.of(folder.resolve("ca.pem")))))),
                        new BindAddress("127.0.0.1", 0)));
    }

    @Test
    void tlsByDefault() throws Exception {
        defaults(
                GatewayConfig::tls,
                new Tls(
                        TlsProfile.INTERMEDIATE,
                        List.of("X25519MLKEM768", "X25519", "P-256", "P-384"),
                        List.of("h2", "http/1.1"),
                        new ClientCertificates(ClientCertificates.Mode.NONE, Optional.empty()),
                        Optional.empty(),
                        false,
                        10_000));
    }

    @Test
    void tlsWithEveryKeySet() throws Exception {
        authorities();
        explicit(
                "tls",
                GatewayConfig::tls,
                """
                  profile: modern
                  groups: [X25519, P-521]
                  application-protocols: [http/1.1]
                  client-authentication:
                    mode: required
                    ca-file: ca.pem
                  default-certificate: edge/wildcard
                  strict-sni: true
                  cached-credentials: 7
                """,
                new Tls(
                        TlsProfile.MODERN,
                        List.of("X25519", "P-521"),
                        List.of("http/1.1"),
                        new ClientCertificates(
                                ClientCertificates.Mode.REQUIRED,
                                Optional.of(folder.resolve("ca.pem"))),
                        Optional.of(new NamespacedName("edge", "wildcard")),
                        true,
                        7));
    }

    @Test
    void redirectByDefault() throws Exception {
        defaults(GatewayConfig::redirect, new Redirect(true, 308, 443));
    }

    @Test
    void redirectWithEveryKeySet() throws Exception {
        explicit(
                "redirect",
                GatewayConfig::redirect,
                """
                  enabled: false
                  status: 301
                  port: 8443
                """,
                new Redirect(false, 301, 8443));
    }

    @Test
    void hstsByDefault() throws Exception {
        defaults(GatewayConfig::hsts, new Hsts(Duration.ZERO, false, false));
    }

    @Test
    void hstsWithEveryKeySet() throws Exception {
        explicit(
                "hsts",
                GatewayConfig::hsts,
                """
                  max-age: 730d
                  include-subdomains: true
                  preload: true
                """,
                new Hsts(Duration.ofDays(730), true, true));
    }

    @Test
    void ingressByDefault() throws Exception {
        assertThat(load("resources: manifests\n").config().ingress())
                .isEqualTo(new Ingress(List.of(), List.of(), true, Optional.empty(), true, true));
        assertThat(load("").config().ingress())
                .isEqualTo(
                        new Ingress(List.of(), List.of(), false, Optional.empty(), false, false));
    }

    @Test
    void explicitSettingsWinInAClusterToo() throws Exception {
        assertThat(
                        load("ingress: {external-names: true, loopback-endpoints: true}")
                                .config()
                                .ingress())
                .isEqualTo(new Ingress(List.of(), List.of(), false, Optional.empty(), true, true));
    }

    @Test
    void ingressWithEveryKeySet() throws Exception {
        explicit(
                "ingress",
                GatewayConfig::ingress,
                """
                  classes: [public, private]
                  serves-all-without-classes: false
                  default-backend: default/fallback:http
                  controllers: [k8s.io/ingress-nginx]
                  loopback-endpoints: false
                  external-names: false
                """,
                new Ingress(
                        List.of("public", "private"),
                        List.of("k8s.io/ingress-nginx"),
                        false,
                        Optional.of(
                                new BackendReference(
                                        "default", "fallback", new PortReference.ByName("http"))),
                        false,
                        false));
    }

    @Test
    void folderByDefault() throws Exception {
        defaults(
                GatewayConfig::folder,
                new Folder(
                        true,
                        Duration.ofSeconds(2),
                        Duration.ofMillis(8),
                        Duration.ofMillis(100),
                        new ByteSize(8 << 20),
                        100_000,
                        32));
    }

    @Test
    void folderWithEveryKeySet() throws Exception {
        explicit(
                "folder",
                GatewayConfig::folder,
                """
                  notifications: false
                  poll-interval: 5s
                  settle: 20ms
                  vanish-grace: 1s
                  max-file-size: 64KiB
                  max-files: 10
                  max-depth: 3
                """,
                new Folder(
                        false,
                        Duration.ofSeconds(5),
                        Duration.ofMillis(20),
                        Duration.ofSeconds(1),
                        new ByteSize(64 << 10),
                        10,
                        3));
    }

    @Test
    void reconcileByDefault() throws Exception {
        defaults(
                GatewayConfig::reconcile,
                new Reconcile(Duration.ofMillis(10), 10, Duration.ofSeconds(1)));
    }

    @Test
    void reconcileWithEveryKeySet() throws Exception {
        explicit(
                "reconcile",
                GatewayConfig::reconcile,
                """
                  interval: 250ms
                  burst: 2
                  cap: 1m
                """,
                new Reconcile(Duration.ofMillis(250), 2, Duration.ofMinutes(1)));
    }

    @Test
    void limitsByDefault() throws Exception {
        defaults(
                GatewayConfig::limits,
                new Limits(
                        50_000,
                        10_000,
                        50_000,
                        new ByteSize(32 << 10),
                        100,
                        new ByteSize(8 << 10),
                        new ByteSize(0),
                        100_000,
                        128,
                        new ByteSize(64 << 10),
                        new ByteSize(1 << 20),
                        200,
                        1_000,
                        new ByteSize(64 << 10),
                        1024,
                        1024,
                        1024));
    }

    @Test
    void limitsWithEveryKeySet() throws Exception {
        explicit(
                "limits",
                GatewayConfig::limits,
                """
                  connections: 1
                  connections-per-client: 2
                  requests-in-flight: 10
                  header-bytes: 4KiB
                  header-count: 9
                  uri-bytes: 500
                  request-body-bytes: 2GiB
                  requests-per-connection: 3
                  concurrent-streams: 4
                  stream-window: 32KiB
                  connection-window: 2MiB
                  resets-per-half-minute: 5
                  control-frames-per-half-minute: 6
                  write-buffer: 5KiB
                  upstream-connections: 7
                  upstream-idle: 8
                  upstream-pending: 9
                """,
                new Limits(
                        1,
                        2,
                        10,
                        new ByteSize(4096),
                        9,
                        new ByteSize(500),
                        new ByteSize(2L << 30),
                        3,
                        4,
                        new ByteSize(32 << 10),
                        new ByteSize(2 << 20),
                        5,
                        6,
                        new ByteSize(5 << 10),
                        7,
                        8,
                        9));
    }

    @Test
    void timeoutsByDefault() throws Exception {
        defaults(
                GatewayConfig::timeouts,
                new Timeouts(
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(30),
                        Duration.ofHours(1),
                        Duration.ofSeconds(75),
                        Duration.ofSeconds(30),
                        Duration.ofHours(1),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(30),
                        Duration.ZERO,
                        Duration.ofSeconds(30)));
    }

    @Test
    void timeoutsWithEveryKeySet() throws Exception {
        explicit(
                "timeouts",
                GatewayConfig::timeouts,
                """
                  handshake: 1s
                  header: 2s
                  body-idle: 3s
                  request: 4s
                  keep-alive: 5s
                  stalled-write: 6s
                  tunnel-idle: 7s
                  upstream-connect: 8s
                  upstream-response: 9s
                  upstream-idle: 10s
                  drain-delay: 11s
                  drain: 12s
                """,
                new Timeouts(
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(4),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(6),
                        Duration.ofSeconds(7),
                        Duration.ofSeconds(8),
                        Duration.ofSeconds(9),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(11),
                        Duration.ofSeconds(12)));
    }

    @Test
    void forwardingByDefault() throws Exception {
        defaults(GatewayConfig::forwarding, new Forwarding(List.of(), false, EscapedSlashes.KEEP));
    }

    @Test
    void forwardingWithEveryKeySet() throws Exception {
        explicit(
                "forwarding",
                GatewayConfig::forwarding,
                """
                  trusted-proxies: [10.0.0.0/8, "fd00::/8", 192.0.2.1]
                  forwarded: true
                  escaped-slashes: reject
                """,
                new Forwarding(
                        List.of(
                                new Cidr("10.0.0.0", 8),
                                new Cidr("fd00::", 8),
                                new Cidr("192.0.2.1", 32)),
                        true,
                        EscapedSlashes.REJECT));
    }

    @Test
    void accessLogByDefault() throws Exception {
        defaults(
                GatewayConfig::accessLog,
                new AccessLog(AccessLogSettings.Format.JSON, new LogTarget("stdout"), 16_384));
    }

    @Test
    void accessLogWithEveryKeySet() throws Exception {
        explicit(
                "access-log",
                GatewayConfig::accessLog,
                """
                  format: common
                  output: /var/log/access.log
                  queue: 32
                """,
                new AccessLog(
                        AccessLogSettings.Format.COMMON, new LogTarget("/var/log/access.log"), 32));
    }

    @Test
    void eventLoopsByDefault() throws Exception {
        defaults(GatewayConfig::eventLoops, new EventLoops(Transport.AUTO, 0));
    }

    @Test
    void eventLoopsWithEveryKeySet() throws Exception {
        explicit(
                "event-loops",
                GatewayConfig::eventLoops,
                """
                  transport: io_uring
                  count: 3
                """,
                new EventLoops(Transport.IO_URING, 3));
    }

    @Test
    void logByDefault() throws Exception {
        defaults(GatewayConfig::log, new Log(Log.Level.INFO, Log.Format.AUTO));
    }

    @Test
    void logWithEveryKeySet() throws Exception {
        explicit(
                "log",
                GatewayConfig::log,
                """
                  level: debug
                  format: json
                """,
                new Log(Log.Level.DEBUG, Log.Format.JSON));
    }

    /** What the data plane and the control side get by default is what they document. */
    @Test
    void theDefaultsAreThoseOfTheParts() throws Exception {
        EffectiveConfig config = load("resources: manifests\n");

        assertThat(config.proxySettings()).isEqualTo(dev.sallyport.proxy.ProxySettings.DEFAULT);
        assertThat(config.controlSettings(Optional.empty(), OwnAddresses.NONE))
                .isEqualTo(
                        dev.sallyport.control.ControlSettings.forFolder(
                                config.listeners(), Optional.empty()));
        EffectiveConfig inCluster = load("");
        assertThat(inCluster.controlSettings(Optional.empty(), OwnAddresses.NONE))
                .isEqualTo(
                        dev.sallyport.control.ControlSettings.forCluster(
                                config.listeners(), Optional.empty()));
        assertThat(inCluster.clusterSettings()).isEqualTo(ClusterSettings.DEFAULT);
    }

    @Test
    void acmeByDefault() throws Exception {
        defaults(GatewayConfig::acme, Acme.DEFAULT);
        assertThat(load("").acme()).isEmpty();
    }

    @Test
    void acmeWithEveryKeySet() throws Exception {
        authorities();
        key("r--------", KEY);
        EffectiveConfig loaded =
                explicit(
                        "acme",
                        GatewayConfig::acme,
                        """
                          directory: letsencrypt-staging
                          agree-terms: true
                          contacts: [admin@shop.example]
                          ca-file: ca.pem
                          profile: shortlived
                          preferred-chain: Root X1
                          key: ec-p384
                          external-key-id: kid-1
                          external-mac-file: key
                          origins: [https://other.example]
                          issuers:
                            - name: second
                              directory: https://ca.example/dir
                              agree-terms: true
                              contacts: [second@shop.example]
                              key: rsa-2048
                          hosts: annotated
                          allow: ["shop=*.shop.example"]
                          addresses: [192.0.2.7, "2001:db8::7"]
                          addresses-issuer: second
                          challenges: [http-01]
                          dns-zone: shop.example
                          dns-servers: ["192.0.2.53"]
                          dns-key-name: update
                          dns-key-algorithm: hmac-sha512
                          dns-key-file: key
                          service: edge/gateway
                          state: state
                          orders-at-once: 7
                        """,
                        new Acme(
                                Optional.of("letsencrypt-staging"),
                                true,
                                List.of("admin@shop.example"),
                                Optional.of(folder.resolve("ca.pem")),
                                Optional.of("shortlived"),
                                Optional.of("Root X1"),
                                Optional.of("ec-p384"),
                                Optional.of("kid-1"),
                                Optional.of(folder.resolve("key")),
                                List.of("https://other.example"),
                                List.of(
                                        new AcmeIssuer(
                                                "second",
                                                "https://ca.example/dir",
                                                Optional.of(true),
                                                Optional.of(List.of("second@shop.example")),
                                                Optional.empty(),
                                                Optional.empty(),
                                                Optional.empty(),
                                                Optional.of("rsa-2048"),
                                                Optional.empty(),
                                                Optional.empty(),
                                                Optional.empty())),
                                Acme.AcmeHosts.ANNOTATED,
                                List.of("shop=*.shop.example"),
                                List.of("192.0.2.7", "2001:db8::7"),
                                Optional.of("second"),
                                List.of("http-01"),
                                Optional.of("shop.example"),
                                List.of("192.0.2.53"),
                                Optional.of("update"),
                                "hmac-sha512",
                                Optional.of(folder.resolve("key")),
                                Optional.of(NamespacedName.parse("edge/gateway")),
                                Optional.of(folder.resolve("state")),
                                7));

        AcmeSettings settings = loaded.acme().orElseThrow();
        assertThat(settings.issuers().ordered())
                .extracting(Issuer::name)
                .containsExactly("default", "second");
        assertThat(settings.issuers().ordered())
                .extracting(Issuer::key)
                .containsExactly(KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048);
        assertThat(settings.everyHost()).isFalse();
        assertThat(settings.zone()).isPresent();
        AcmeAddresses own = settings.addresses().orElseThrow();
        assertThat(own.issuers()).containsExactly("second");
        assertThat(own.addresses())
                .extracting(Identifier.Ip::text)
                .containsExactly("192.0.2.7", "2001:db8::7");
        assertThat(settings.state()).as("of a cluster: Secrets").isEmpty();
        assertThat(settings.toString()).doesNotContain(KEY);
    }

    @Test
    void whatIsMissingOfAcmeIsSaid() {
        acmeRefused("directory: letsencrypt", "acme.agree-terms: missing");
        acmeRefused("issuers: [{name: a, directory: letsencrypt}]", "acme.issuers");
        acmeRefused("directory: http://ca.example/\n  agree-terms: true", "https://");
        acmeRefused(
                "directory: letsencrypt\n  agree-terms: true\n  challenges: []",
                "acme.challenges: empty");
        acmeRefused(
                "directory: letsencrypt\n  agree-terms: true\n  dns-zone: shop.example",
                "acme.dns-zone: needs dns-servers");
        acmeRefused("directory: letsencrypt\n  agree-terms: true\n  allow: [shop]", "acme.allow");
        acmeRefused(
                "directory: letsencrypt\n  agree-terms: true\n  ca-file: gone.pem",
                "acme.ca-file: " + folder.resolve("gone.pem") + ": cannot be read");
        String agreed = "directory: letsencrypt\n  agree-terms: true\n  addresses: ";
        acmeRefused(agreed + "[shop.example]", "acme.addresses: shop.example (expected: IP");
        acmeRefused(agreed + "[127.1]", "acme.addresses: 127.1 (expected: IP");
        acmeRefused(
                agreed + "[" + "192.0.2.7, ".repeat(101) + "192.0.2.8]",
                "acme.addresses: 102 (expected: up to 100)");
        acmeRefused(
                agreed + "[192.0.2.7]\n  addresses-issuer: other",
                "acme.addresses-issuer: other (expected: one of default)");
        acmeRefused(
                agreed + "[192.0.2.7]\ntls: {strict-sni: true}",
                "acme.addresses: needs the place of the default certificate");
        acmeRefused(
                agreed + "[192.0.2.7]\ntls: {default-certificate: a/b}",
                "acme.addresses: needs the place of the default certificate");
        acmeRefused("issuers: [{directory: letsencrypt}]", "name");
        acmeRefused("issuers: [letsencrypt]", "acme.issuers");
    }

    @Test
    void whatHasNoEffectWithoutAnIssuerIsSaid() throws Exception {
        for (String line :
                List.of(
                        "hosts: all",
                        "hosts: annotated",
                        "state: state",
                        "service: edge/gateway",
                        "addresses: [192.0.2.7]",
                        "orders-at-once: 50")) {
            acmeRefused(
                    line,
                    "gateway.yaml:2: acme."
                            + line.replaceAll("[\\[\\]]", "")
                                    .replace("state: s", "state: " + folder + "/s")
                            + " (expected: a CA beside it: --acme-directory, acme.directory or"
                            + " acme.issuers)");
        }
        String second = "issuers: [{name: a, directory: letsencrypt, agree-terms: true}]\n  ";
        for (String line :
                List.of(
                        "agree-terms: true",
                        "contacts: [admin@shop.example]",
                        "ca-file: ca.pem",
                        "profile: shortlived",
                        "preferred-chain: Root X1",
                        "key: ec-p384",
                        "external-key-id: kid-1",
                        "external-mac-file: key",
                        "origins: [https://other.example]")) {
            String problem = " (expected: a CA beside it: --acme-directory, or acme.directory)";
            acmeRefused(line, problem);
            acmeRefused(second + line, problem);
        }
        assertThat(load("acme:\n  directory:\n  contacts: []\n  agree-terms: false\n").acme())
                .as("switched off")
                .isEmpty();
        assertThat(load("acme:\n  " + second + "hosts: annotated\n").acme()).isPresent();
    }

    private void acmeRefused(String yaml, String problem) {
        assertThatThrownBy(() -> load("acme:\n  " + yaml + "\n"))
                .as(yaml)
                .isInstanceOfSatisfying(
                        InvalidConfiguration.class,
                        invalid ->
                                assertThat(invalid.problems())
                                        .anySatisfy(
                                                it -> assertThat(it.toString()).contains(problem)));
    }

    private void authorities() throws Exception {
        Files.writeString(
                folder.resolve("ca.pem"),
                DemoAuthority.create("Test CA", () -> Instant.parse("2026-01-01T00:00:00Z"))
                        .certificate());
    }

    private <T> void defaults(Function<GatewayConfig, T> section, T expected) throws Exception {
        assertThat(section.apply(load("").config())).isEqualTo(expected);
    }

    /**
     * Also claims that no key of the section was left out, or left at its default.
     *
     * @param exceptions keys that others exclude
     */
    private <T> EffectiveConfig explicit(
            String name,
            Function<GatewayConfig, T> section,
            String yaml,
            T expected,
            String... exceptions)
            throws Exception {
        EffectiveConfig loaded = load(name + ":\n" + yaml);

        assertThat(section.apply(loaded.config())).isEqualTo(expected);
        Map<String, String> defaults =
                Schema.entries().stream()
                        .collect(
                                java.util.stream.Collectors.toMap(
                                        Schema.Entry::key, Schema.Entry::fallback));
        assertThat(loaded.settings())
                .filteredOn(setting -> setting.key().startsWith(name + "."))
                .filteredOn(setting -> !List.of(exceptions).contains(setting.key()))
                .isNotEmpty()
                .allSatisfy(setting -> {
                    assertThat(setting.source()).isInstanceOf(Source.File.class);
                    assertThat(setting.value()).isNotEqualTo(defaults.get(setting.key()));
                });
        return loaded;
    }

    private EffectiveConfig load(String yaml) throws Exception {
        Path file = Files.writeString(folder.resolve("gateway.yaml"), yaml);
        return ConfigLoader.load(Optional.of(file), Map.of(), List.of());
    }
}

package dev.sallyport.app.takeover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.DirectoryStore;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.app.takeover.Takeover.Taken;
import dev.sallyport.app.takeover.Takeover.What;
import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.tls.certificate.DemoAuthority;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TakeoverTest {
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
    private static final URI LETS_ENCRYPT =
            URI.create("https://acme-v02.api.letsencrypt.org/directory");

    private final DemoAuthority authority = DemoAuthority.create("Test CA", () -> NOW);
    @TempDir private Path work;

    private DemoAuthority.Issued issue(Duration validity, String... names) {
        return authority.issue(
                Arrays.stream(names).map(Hostname::parse).toList(), validity, KeyType.ECDSA);
    }

    private DemoAuthority.Issued issue(String... names) {
        return issue(Duration.ofDays(90), names);
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String traefik(String main, DemoAuthority.Issued issued) {
        return String.format(
                Locale.ROOT,
                """
                {"domain": {"main": "%s"}, "certificate": "%s", "key": "%s", "Store": "default"}\
                """,
                main,
                base64(issued.tlsCrt()),
                base64(issued.tlsKey()));
    }

    /** PKCS#1 is what is inside of PKCS#8: its last octet string, of all but the first bytes. */
    private static String pkcs1() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        byte[] pkcs8 = generator.generateKeyPair().getPrivate().getEncoded();
        return Base64.getEncoder().encodeToString(Arrays.copyOfRange(pkcs8, 26, pkcs8.length));
    }

    private static String account(String url, String key) {
        return String.format(
                Locale.ROOT,
                """
                "Account": {"Email": "admin@shop.example", "PrivateKey": "%s", "KeyType": "4096",
                  "Registration": {"body": {"status": "valid"}, "uri": "%s"}}\
                """,
                key,
                url);
    }

    private Takeover.Result take(Path from, Optional<URI> directory) throws Exception {
        try (DirectoryStore store = DirectoryStore.open(work.resolve("state"))) {
            return Takeover.of(from, store, "default", directory, NOW).orElseThrow();
        }
    }

    private StoredCertificate stored(String host) throws Exception {
        try (DirectoryStore store = DirectoryStore.open(work.resolve("state"))) {
            return ((Parsed.Usable<Optional<StoredCertificate>>)
                            store.certificate(CertificateId.of(Hostname.parse(host))))
                    .value()
                    .orElseThrow();
        }
    }

    private Path file(String text) throws Exception {
        return Files.writeString(work.resolve("acme.json"), text);
    }

    @Test
    void takesTraefiksFileAndNamesEachEntryItCannotUse() throws Exception {
        DemoAuthority.Issued a = issue("a.shop.example", "www.shop.example");
        var mixed = new DemoAuthority.Issued(issue("b.shop.example").tlsCrt(), a.tlsKey());
        Path file =
                file(
                        "{\"le\": {"
                                + account(
                                        "https://acme-v02.api.letsencrypt.org/acme/acct/1", pkcs1())
                                + ", \"Certificates\": ["
                                + String.join(
                                        ",",
                                        traefik("a.shop.example", a),
                                        traefik("b.shop.example", mixed),
                                        traefik("*.c.example", issue("*.c.example")),
                                        "{\"domain\": {\"main\": \"d\"}, \"certificate\": \"?\"}",
                                        "7")
                                + "]}, \"other\": {\"Account\": null, \"Certificates\": null}}");

        Takeover.Result result = take(file, Optional.empty());

        assertThat(result.taken())
                .extracting(Taken::what, Taken::host)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(What.IMPORTED, ""),
                        org.assertj.core.groups.Tuple.tuple(What.IMPORTED, "a.shop.example"),
                        org.assertj.core.groups.Tuple.tuple(What.IMPORTED, "www.shop.example"),
                        org.assertj.core.groups.Tuple.tuple(What.IMPORTED, "*.c.example"));
        assertThat(result.findings())
                .extracting(finding -> finding.reason().camelCase() + " " + finding.object().name())
                .containsExactlyInAnyOrder(
                        "ObjectInvalid le/d",
                        "ObjectInvalid le/Certificates[4]",
                        "KeyMismatch le/b.shop.example");
        assertThat(stored("a.shop.example").directory()).isEqualTo(LETS_ENCRYPT);
        assertThat(stored("a.shop.example").issuer()).isEqualTo("default");
        assertThat(work.resolve("state/accounts"))
                .isDirectoryContaining(it -> it.getFileName().toString().startsWith("default."));
        assertThat(result.toString()).doesNotContain(a.tlsKey().substring(60, 90));
    }

    @Test
    void whatIsThereAndAsNewStays() throws Exception {
        DemoAuthority.Issued issued = issue("a.shop.example");
        String key = pkcs1();
        Path file =
                file(
                        "{\"le\": {"
                                + account("https://acme-v02.api.letsencrypt.org/acme/acct/1", key)
                                + ", \"Certificates\": ["
                                + traefik("a.shop.example", issued)
                                + "]}}");
        take(file, Optional.empty());
        String serial = stored("a.shop.example").bundle().serial();
        Files.writeString(
                file,
                "{\"le\": {"
                        + account("https://acme-v02.api.letsencrypt.org/acme/acct/2", key)
                        + ", \"Certificates\": ["
                        + traefik("a.shop.example", issue("a.shop.example"))
                        + "]}}");

        Takeover.Result again = take(file, Optional.empty());

        assertThat(again.taken()).extracting(Taken::what).containsOnly(What.KEPT).hasSize(2);
        assertThat(stored("a.shop.example").bundle().serial()).isEqualTo(serial);
    }

    @Test
    void whatHasExpiredIsLeftOutAndAnUnknownCaAskedFor() throws Exception {
        DemoAuthority old = DemoAuthority.create("Old", () -> NOW.minus(Duration.ofDays(100)));
        DemoAuthority.Issued expired =
                old.issue(
                        List.of(Hostname.parse("old.shop.example")),
                        Duration.ofDays(90),
                        KeyType.ECDSA);
        Path file =
                file(
                        "{\"own\": {"
                                + account("https://ca.internal.example/acct/1", pkcs1())
                                + ", \"Certificates\": ["
                                + traefik("old.shop.example", expired)
                                + "]}}");

        Takeover.Result unknown = take(file, Optional.empty());
        assertThat(unknown.taken()).isEmpty();
        assertThat(unknown.findings())
                .hasSize(2)
                .extracting(Finding::message)
                .allMatch(message -> message.contains("--acme-directory"));

        Takeover.Result told =
                take(file, Optional.of(URI.create("https://ca.internal.example/dir")));
        assertThat(told.findings()).isEmpty();
        assertThat(told.taken())
                .extracting(Taken::what)
                .containsExactly(What.IMPORTED, What.EXPIRED);
    }

    @Test
    void takesCertmagicsFolder() throws Exception {
        Path folder = work.resolve("caddy");
        String ca = "acme-v02.api.letsencrypt.org-directory";
        Path host = folder.resolve("certificates/" + ca + "/a.shop.example");
        Files.createDirectories(host);
        DemoAuthority.Issued issued = issue("a.shop.example");
        Files.writeString(host.resolve("a.shop.example.crt"), issued.tlsCrt());
        Files.writeString(host.resolve("a.shop.example.key"), issued.tlsKey());
        Files.writeString(
                host.resolve("a.shop.example.json"),
                """
                {"sans": ["a.shop.example"], "issuer_data": {
                  "url": "https://acme-v02.api.letsencrypt.org/acme/cert/1",
                  "ca": "https://acme-v02.api.letsencrypt.org/directory"}}
                """);
        Path wildcard = folder.resolve("certificates/" + ca + "/wildcard_.b.example");
        Files.createDirectories(wildcard);
        DemoAuthority.Issued any = issue("*.b.example");
        Files.writeString(wildcard.resolve("wildcard_.b.example.crt"), any.tlsCrt());
        Files.writeString(wildcard.resolve("wildcard_.b.example.key"), any.tlsKey());
        Files.createDirectories(folder.resolve("certificates/" + ca + "/empty.example"));
        Path user = folder.resolve("acme/" + ca + "/users/admin@shop.example");
        Files.createDirectories(user);
        Files.writeString(user.resolve("admin.key"), issue("x.example").tlsKey());
        Files.writeString(
                user.resolve("admin.json"),
                "{\"location\": \"https://acme-v02.api.letsencrypt.org/acme/acct/7\"}");
        Path nobody = folder.resolve("acme/" + ca + "/users/nobody@shop.example");
        Files.createDirectories(nobody);
        Files.writeString(nobody.resolve("nobody.key"), "no key");

        Takeover.Result result = take(folder, Optional.empty());

        assertThat(result.taken())
                .extracting(Taken::host)
                .containsExactly("", "a.shop.example", "*.b.example");
        assertThat(result.taken()).extracting(Taken::what).containsOnly(What.IMPORTED);
        assertThat(result.findings())
                .extracting(finding -> finding.object().name())
                .containsExactlyInAnyOrder(
                        "certificates/" + ca + "/empty.example",
                        "acme/" + ca + "/users/nobody@shop.example/nobody.key");
        assertThat(stored("a.shop.example").location())
                .contains(URI.create("https://acme-v02.api.letsencrypt.org/acme/cert/1"));
        assertThat(stored("*.b.example").directory()).isEqualTo(LETS_ENCRYPT);
    }

    @Test
    void whatIsNeitherIsNothing() throws Exception {
        try (DirectoryStore store = DirectoryStore.open(work.resolve("state"))) {
            for (String text : List.of("", "[]", "{}", "{\"a\": 1}", "{\"a\": {}}", "\0\1")) {
                assertThat(Takeover.of(file(text), store, "default", Optional.empty(), NOW))
                        .as(text)
                        .isEmpty();
            }
            Path empty = Files.createDirectory(work.resolve("empty"));
            assertThat(Takeover.of(empty, store, "default", Optional.empty(), NOW)).isEmpty();
        }
    }
}

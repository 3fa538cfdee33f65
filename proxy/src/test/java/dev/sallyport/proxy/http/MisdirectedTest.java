package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.proxy.route.CertificateScope;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.netty.util.LeakPresenceDetector;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Which hosts may be asked for on which connection, and where HSTS is sent. */
class MisdirectedTest {
    private static final X509Bundle CA = ca();
    private static final CertificateSet SHOP = set("shop.example");
    private static final CertificateSet BLOG = set("blog.example");
    private static final CertificateSet WILDCARD = set("*.wild.example");
    private static final CertificateSet DEFAULT = set("default.example");
    private static final CertificateTable TABLE =
            new CertificateTable(
                    HostTable.copyOf(
                            Map.of(
                                    Hostname.parse("shop.example"), SHOP,
                                    Hostname.parse("alias.example"), SHOP,
                                    Hostname.parse("blog.example"), BLOG,
                                    Hostname.parse("*.wild.example"), WILDCARD,
                                    Hostname.parse("own.wild.example"), BLOG)),
                    Optional.of(DEFAULT));

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void theNameOfTheHandshakeIsInScope() {
        assertThat(covers(tls("shop.example", SHOP, false), "shop.example")).isTrue();
        assertThat(covers(tls("unknown.example", DEFAULT, true), "unknown.example")).isTrue();
    }

    @Test
    void anotherHostWithTheSameCertificatesIsInScope() {
        assertThat(covers(tls("shop.example", SHOP, false), "alias.example")).isTrue();
        assertThat(covers(tls("a.wild.example", WILDCARD, false), "b.wild.example")).isTrue();
    }

    @Test
    void aHostWithCertificatesOfItsOwnIsOutOfScope() {
        assertThat(covers(tls("shop.example", SHOP, false), "blog.example")).isFalse();
        assertThat(covers(tls("unknown.example", DEFAULT, true), "shop.example")).isFalse();
        assertThat(covers(tls(null, DEFAULT, true), "shop.example")).isFalse();
    }

    @Test
    void aHostThatTheCertificateCoversIsInScope() {
        // As after a rotation: the table has other certificates now than the connection.
        assertThat(covers(tls("x", set("shop.example"), false), "shop.example")).isTrue();
        assertThat(covers(tls("a.wild.example", WILDCARD, false), "own.wild.example")).isTrue();
    }

    @Test
    void theDefaultCertificateIsAScopeOfItsOwn() {
        assertThat(covers(tls(null, DEFAULT, true), "unknown.example")).isTrue();
        assertThat(covers(tls("shop.example", SHOP, false), "unknown.example")).isFalse();
        // Rotated meanwhile: still the default.
        assertThat(covers(tls(null, set("default.example"), true), "unknown.example")).isTrue();
    }

    @Test
    void theDefaultCertificateOpensNoHostThatItHappensToCover() {
        assertThat(covers(tls(null, set("blog.example"), true), "blog.example")).isFalse();
    }

    @Test
    void plainConnectionsAndRequestsWithoutHostHaveNoScope() {
        assertThat(CertificateScope.covers(null, TABLE, "blog.example")).isTrue();
        assertThat(covers(tls("shop.example", SHOP, false), "")).isTrue();
    }

    @Test
    void misdirectedRequestsAreAnswered421() {
        try (Http1Client client = connected(tls("blog.example", BLOG, false))) {
            client.send("GET / HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 421 Misdirected Request\r\n");
            assertThat(client.upstreams.calls).isEmpty();
            assertThat(client.observer.last().error()).isEqualTo(ProxyError.MISDIRECTED);
        }
    }

    @Test
    void capitalsAndPortsDoNotMatter() {
        try (Http1Client client = connected(tls("shop.example", SHOP, false))) {
            client.send("GET / HTTP/1.1\nHost: SHOP.example.:443\n\n");
            assertThat(client.upstreams.calls).hasSize(1);
            assertThat(client.call().headers.get("X-Forwarded-Proto")).isEqualTo("https");
            assertThat(client.call().headers.get("X-Forwarded-Port")).isEqualTo("443");
        }
    }

    @Test
    void hstsIsSentWithAProperCertificate() {
        assertThat(answered(tls("shop.example", SHOP, false)))
                .contains("\r\nstrict-transport-security: max-age=86400; includeSubDomains\r\n");
    }

    @Test
    void hstsIsSentWithAConfiguredDefaultThatCoversTheHost() {
        assertThat(answered(tls("shop.example", SHOP, true)))
                .contains("\r\nstrict-transport-security: ");
    }

    @Test
    void hstsIsNeverSentWithoutOne() {
        CertificateSet temporary = CertificateSet.of(List.of(served("shop.example", true)));
        CertificateSet selfSigned =
                CertificateSet.of(
                        List.of(
                                new ServedCertificate(
                                        bundle(selfSigned("shop.example")),
                                        ObjectRef.gateway("test"),
                                        Instant.EPOCH,
                                        false)));
        assertThat(answered(tls("shop.example", DEFAULT, true))).doesNotContain("strict-transport");
        assertThat(answered(tls("shop.example", temporary, false)))
                .doesNotContain("strict-transport");
        assertThat(answered(tls("shop.example", selfSigned, false)))
                .doesNotContain("strict-transport");
        assertThat(answered(null)).doesNotContain("strict-transport");
    }

    private static String answered(ClientConnection.@Nullable Tls tls) {
        try (Http1Client client = connected(tls)) {
            client.upstreams.answer = "done";
            client.send("GET / HTTP/1.1\nHost: shop.example\n\n");
            assertThat(client.received()).startsWith("HTTP/1.1 200 OK\r\n");
            return client.received();
        }
    }

    private static Http1Client connected(ClientConnection.@Nullable Tls tls) {
        Http1Client.Builder builder =
                Http1Client.with()
                        .hsts()
                        .snapshot(
                                Http1Client.snapshot(
                                        List.of(Http1Client.forward("/")),
                                        Optional.empty(),
                                        TABLE));
        return (tls == null ? builder : builder.tls(tls)).build();
    }

    private static boolean covers(ClientConnection.Tls tls, String host) {
        return CertificateScope.covers(tls, TABLE, host);
    }

    private static ClientConnection.Tls tls(
            @Nullable String serverName, CertificateSet certificates, boolean fallback) {
        return new ClientConnection.Tls(
                serverName, certificates, fallback, "TLSv1.3", "TLS_AES_128_GCM_SHA256");
    }

    private static CertificateSet set(String name) {
        return CertificateSet.of(List.of(served(name, false)));
    }

    private static ServedCertificate served(String name, boolean temporary) {
        return new ServedCertificate(
                bundle(issued(name)), ObjectRef.gateway("test"), Instant.EPOCH, temporary);
    }

    private static CertificateBundle bundle(X509Bundle issued) {
        try {
            return CertificateBundle.of(
                    List.of(issued.getCertificate().getEncoded()),
                    issued.getKeyPair().getPrivate().getEncoded());
        } catch (java.security.GeneralSecurityException unexpected) {
            throw new IllegalStateException(unexpected);
        }
    }

    private static X509Bundle ca() {
        try {
            return new CertificateBuilder()
                    .subject("CN=ca")
                    .ecp256()
                    .setIsCertificateAuthority(true)
                    .buildSelfSigned();
        } catch (Exception unexpected) {
            throw new IllegalStateException(unexpected);
        }
    }

    private static X509Bundle issued(String name) {
        try {
            // The builder takes no wildcards as alternative names.
            return new CertificateBuilder().subject("CN=" + name).ecp256().buildIssuedBy(CA);
        } catch (Exception unexpected) {
            throw new IllegalStateException(unexpected);
        }
    }

    private static X509Bundle selfSigned(String name) {
        try {
            return new CertificateBuilder()
                    .subject("CN=leaf")
                    .ecp256()
                    .addSanDnsName(name)
                    .setIsCertificateAuthority(true)
                    .buildSelfSigned();
        } catch (Exception unexpected) {
            throw new IllegalStateException(unexpected);
        }
    }
}

package dev.sallyport.tls.certificate;

import static dev.sallyport.tls.certificate.TestCertificates.NOW;
import static dev.sallyport.tls.certificate.TestCertificates.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.DemoAuthority.Issued;
import java.io.ByteArrayInputStream;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DemoAuthorityTest {
    private static final ObjectRef SECRET = new ObjectRef("Secret", "demo", "demo");
    private static final List<Hostname> NAMES =
            List.of(Hostname.parse("shop.localhost"), Hostname.parse("*.shop.localhost"));

    private final DemoAuthority authority = DemoAuthority.create("Demo CA", () -> NOW);

    @Test
    void leafsOfEveryKindAreUsable() {
        for (KeyType type : KeyType.values()) {
            CertificateBundle bundle = bundle(authority.issue(NAMES, Duration.ofDays(1), type));
            assertThat(bundle.keyType()).isEqualTo(type);
            assertThat(bundle.names()).containsExactlyElementsOf(NAMES);
            assertThat(bundle.notAfter()).isEqualTo(NOW.plus(Duration.ofDays(1)));
        }
    }

    @Test
    void leafsVerifyWithTheAuthority() throws Exception {
        var factory = CertificateFactory.getInstance("X.509");
        X509Certificate anchor =
                (X509Certificate)
                        factory.generateCertificate(
                                new ByteArrayInputStream(bytes(authority.certificate())));
        byte[] leaf =
                bundle(authority.issue(NAMES, Duration.ofDays(1), KeyType.ECDSA))
                        .chain()
                        .getFirst();
        var parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
        parameters.setRevocationEnabled(false);
        parameters.setDate(Date.from(NOW));
        var path =
                factory.generateCertPath(
                        List.of(factory.generateCertificate(new ByteArrayInputStream(leaf))));
        assertThat(CertPathValidator.getInstance("PKIX").validate(path, parameters)).isNotNull();
    }

    @Test
    void longNamesDoNotOverflowTheCommonName() {
        Hostname longName = Hostname.parse("a".repeat(60) + "." + "b".repeat(60) + ".test");
        CertificateBundle bundle =
                bundle(authority.issue(List.of(longName), Duration.ofDays(1), KeyType.ECDSA));
        assertThat(bundle.names()).containsExactly(longName);
    }

    @Test
    void aLeafNeedsAName() {
        assertThatThrownBy(() -> authority.issue(List.of(), Duration.ofDays(1), KeyType.ECDSA))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("names:");
    }

    @Test
    void keysAreNotPrinted() {
        assertThat(authority.issue(NAMES, Duration.ofDays(1), KeyType.ECDSA).toString())
                .doesNotContain("PRIVATE");
    }

    @Test
    void serialNumbersDiffer() {
        assertThat(bundle(authority.issue(NAMES, Duration.ofDays(1), KeyType.ECDSA)).serial())
                .isNotEqualTo(
                        bundle(authority.issue(NAMES, Duration.ofDays(1), KeyType.ECDSA)).serial());
    }

    @Test
    void selfSignedCertificatesNameTheirHosts() {
        CertificateBundle bundle = SelfSigned.make(NAMES, Duration.ofDays(90), () -> NOW);
        assertThat(bundle.selfSigned()).isTrue();
        assertThat(bundle.keyType()).isEqualTo(KeyType.ECDSA);
        assertThat(bundle.names()).containsExactlyElementsOf(NAMES);
        assertThat(bundle.notBefore()).isBefore(NOW);
        assertThat(bundle.notAfter()).isEqualTo(NOW.plus(Duration.ofDays(90)));
    }

    @Test
    void selfSignedCertificatesMayNameNobody() {
        assertThat(SelfSigned.make(List.of(), Duration.ofDays(90), () -> NOW).names()).isEmpty();
    }

    private static CertificateBundle bundle(Issued issued) {
        return switch (CertificateParser.parse(
                SECRET, bytes(issued.tlsCrt()), bytes(issued.tlsKey()))) {
            case Parsed.Usable<CertificateBundle>(CertificateBundle bundle, var findings) -> {
                assertThat(findings).isEmpty();
                yield bundle;
            }
            case Parsed.Rejected<CertificateBundle>(var findings) ->
                    throw new AssertionError(findings.toString());
        };
    }
}

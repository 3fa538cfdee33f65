package dev.sallyport.acme.challenge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.plan.Identifier;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AlpnCertificateTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final String ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31";

    @Test
    void carriesTheHashOfTheKeyAuthorizationCritically() throws Exception {
        X509Certificate certificate = certificate("shop.example");
        assertThat(certificate.getCriticalExtensionOIDs()).containsExactly(ACME_IDENTIFIER);
        byte[] value = certificate.getExtensionValue(ACME_IDENTIFIER);
        // An octet string in an octet string, as every extension's value is.
        assertThat(Arrays.copyOf(value, 4)).containsExactly(4, 34, 4, 32);
        assertThat(Arrays.copyOfRange(value, 4, 36))
                .isEqualTo(
                        MessageDigest.getInstance("SHA-256")
                                .digest("token.print".getBytes(StandardCharsets.US_ASCII)));
        certificate.verify(certificate.getPublicKey());
        certificate.checkValidity(Date.from(NOW));
    }

    @ParameterizedTest
    @CsvSource({
        "shop.example,shop.example,2",
        "192.0.2.1,1.2.0.192.in-addr.arpa,7",
        "2001:db8::1,1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa,7",
    })
    void namesOneIdentifierAndIsAskedForByAName(String identifier, String serverName, int kind)
            throws Exception {
        AlpnCertificate made = AlpnCertificate.of(Identifier.parse(identifier), "token.print", NOW);
        assertThat(made.serverName()).isEqualTo(serverName);
        assertThat(certificate(identifier).getSubjectAlternativeNames())
                .singleElement()
                .satisfies(name -> assertThat((Object) name.getFirst()).isEqualTo(kind));
    }

    private static X509Certificate certificate(String identifier) throws Exception {
        AlpnCertificate made = AlpnCertificate.of(Identifier.parse(identifier), "token.print", NOW);
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(
                                new ByteArrayInputStream(made.bundle().chain().getFirst()));
    }
}

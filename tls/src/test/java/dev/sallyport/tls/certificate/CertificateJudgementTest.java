package dev.sallyport.tls.certificate;

import static dev.sallyport.tls.certificate.TestCertificates.NOW;
import static dev.sallyport.tls.certificate.TestCertificates.bytes;
import static dev.sallyport.tls.certificate.TestCertificates.keyPair;
import static dev.sallyport.tls.certificate.TestCertificates.valid;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.TestCertificates.Made;
import dev.sallyport.tls.certificate.TestCertificates.Spec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class CertificateJudgementTest {
    private static final ObjectRef SECRET = new ObjectRef("Secret", "shop", "shop-tls");

    private static CertificateBundle bundle(Spec spec) {
        Made made = spec.make();
        return switch (CertificateParser.parse(SECRET, bytes(made.crt()), bytes(made.key()))) {
            case Parsed.Usable<CertificateBundle>(CertificateBundle bundle, _) -> bundle;
            case Parsed.Rejected<CertificateBundle>(var findings) ->
                    throw new AssertionError(findings.toString());
        };
    }

    private static List<Reason> reasons(CertificateBundle bundle, Instant now) {
        return CertificateJudgement.of(bundle, SECRET, now).stream().map(Finding::reason).toList();
    }

    @Test
    void nothingIsSaidOfAValidCertificate() {
        assertThat(reasons(bundle(valid()), NOW)).isEmpty();
    }

    @Test
    void anExpiredCertificateIsSaidToBe() {
        CertificateBundle bundle = bundle(valid());
        assertThat(reasons(bundle, bundle.notAfter().plusSeconds(1)))
                .containsExactly(Reason.CERTIFICATE_EXPIRED);
    }

    @Test
    void aCertificateIsValidToItsLastSecond() {
        CertificateBundle bundle = bundle(valid());
        assertThat(reasons(bundle, bundle.notAfter()))
                .containsExactly(Reason.CERTIFICATE_EXPIRES_SOON);
    }

    @Test
    void aFutureCertificateIsSaidToBe() {
        CertificateBundle bundle = bundle(valid());
        assertThat(reasons(bundle, bundle.notBefore().minusSeconds(1)))
                .containsExactly(Reason.CERTIFICATE_NOT_YET_VALID);
    }

    @Test
    void aYearLongCertificateExpiresSoonFourteenDaysAhead() {
        CertificateBundle bundle = bundle(valid().validity(NOW, NOW.plus(Duration.ofDays(365))));
        Instant edge = bundle.notAfter().minus(Duration.ofDays(14));
        assertThat(reasons(bundle, edge)).isEmpty();
        assertThat(reasons(bundle, edge.plusSeconds(1)))
                .containsExactly(Reason.CERTIFICATE_EXPIRES_SOON);
    }

    @Test
    void aSixDayCertificateExpiresSoonOneDayAhead() {
        CertificateBundle bundle = bundle(valid().validity(NOW, NOW.plus(Duration.ofDays(6))));
        Instant edge = bundle.notAfter().minus(Duration.ofDays(1));
        assertThat(reasons(bundle, edge)).isEmpty();
        assertThat(reasons(bundle, edge.plusSeconds(1)))
                .containsExactly(Reason.CERTIFICATE_EXPIRES_SOON);
    }

    /** As cert-manager's GenerateLocallySignedTemporaryCertificate makes them. */
    private static Spec temporary(String issuer, String curve, String signature) {
        Made authority = valid().subject(issuer).keys(keyPair("EC-" + curve)).authority().make();
        return valid().subject("").issuedBy(authority).signedWith(signature);
    }

    @Test
    void certManagersTemporaryCertificatesAreRecognised() {
        CertificateBundle bundle =
                bundle(temporary("CN=cert-manager.local", "secp521r1", "SHA512withECDSA"));
        assertThat(CertificateJudgement.temporary(bundle)).isTrue();
        assertThat(reasons(bundle, NOW)).containsExactly(Reason.CERTIFICATE_TEMPORARY);
    }

    @Test
    void theIssuersNameAloneDoesNotMakeACertificateTemporary() {
        assertThat(
                        CertificateJudgement.temporary(
                                bundle(
                                        temporary(
                                                "CN=cert-manager.local",
                                                "secp256r1",
                                                "SHA256withECDSA"))))
                .isFalse();
    }

    @Test
    void theKindOfSignatureAloneDoesNotMakeACertificateTemporary() {
        assertThat(
                        CertificateJudgement.temporary(
                                bundle(temporary("CN=other", "secp521r1", "SHA512withECDSA"))))
                .isFalse();
    }
}

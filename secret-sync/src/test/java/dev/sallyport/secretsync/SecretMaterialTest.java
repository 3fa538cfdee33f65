package dev.sallyport.secretsync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.KeyProof;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SecretMaterialTest {
    private static final ObjectRef REF = new ObjectRef("Secret", "default", "tls");

    @Test
    void dataIsDecoded() {
        assertThat(certificate(new SecretBuilder().addToData("tls.crt", "Y2VydA==").build()))
                .isEqualTo("cert");
    }

    @Test
    void lineEndsInBase64AreSkipped() {
        assertThat(
                        certificate(
                                new SecretBuilder()
                                        .addToData("tls.crt", "Y2\n Vy\r\ndA==\n")
                                        .build()))
                .isEqualTo("cert");
    }

    @Test
    void stringDataWinsOverData() {
        assertThat(
                        certificate(
                                new SecretBuilder()
                                        .addToData("tls.crt", "Y2VydA==")
                                        .addToStringData("tls.crt", "plain")
                                        .build()))
                .isEqualTo("plain");
    }

    @Test
    void whatIsMissingIsEmpty() {
        assertThat(certificate(new Secret())).isEmpty();
    }

    @Test
    void whatIsNotBase64IsAFindingThatShowsNothingOfIt() {
        Parsed<SecretMaterial> parsed =
                SecretMaterial.of(
                        REF,
                        Optional.of(new Location("a.yaml", 3)),
                        new SecretBuilder().addToData("tls.key", "n0t base64 ü").build());
        assertThat(parsed.findings())
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.reason()).isEqualTo(Reason.OBJECT_INVALID);
                    assertThat(finding.message()).startsWith("data.tls.key").doesNotContain("n0t");
                    assertThat(finding.location()).contains(new Location("a.yaml", 3));
                });
    }

    @Test
    void thePemIsParsedOnceAndItsKeyWiped() {
        List<byte[]> keys = new ArrayList<>();
        CertificateReader reader =
                (_, _, key) -> {
                    keys.add(key);
                    return unusable("");
                };
        SecretMaterial material = material("cert", "key");
        Parsed<CertificateBundle> first = material.parsed(reader);
        assertThat(material.parsed(reader)).isSameAs(first);
        assertThat(keys).containsExactly(new byte[3]);
    }

    @Test
    void aBugOfTheReaderLosesNothing() {
        SecretMaterial material = material("cert", "key");
        assertThatThrownBy(() ->
                        material.parsed((_, _, _) -> {
                            throw new IllegalStateException("bug");
                        }))
                .hasMessage("bug");
        assertThat(contents(material)).isEqualTo("cert");
    }

    @Test
    void equalContentsNeedNoSecondParse() {
        SecretMaterial material = material("cert", "key");
        Parsed<CertificateBundle> known = unusable("known");
        material.resolve(known);
        assertThat(material.parsed((_, _, _) -> unusable("again"))).isSameAs(known);
    }

    @Test
    void theDigestTellsContentsApart() {
        assertThat(material("cert", "key").digest()).isEqualTo(material("cert", "key").digest());
        assertThat(material("cert", "key").digest()).isNotEqualTo(material("cer", "tkey").digest());
    }

    @Test
    void equalityIsByContents() {
        assertThat(material("a", "b")).isEqualTo(material("a", "b"));
        assertThat(material("a", "b")).hasSameHashCodeAs(material("a", "b"));
        assertThat(material("a", "b")).isNotEqualTo(material("a", "c"));
    }

    @Test
    void nothingPrintsAKey() {
        SecretMaterial material = material("cert", "s3cret");
        assertThat(material.toString()).doesNotContain("s3cret");
        assertThat(new SecretMaterial.Pem(new byte[0], "s3cret".getBytes(StandardCharsets.UTF_8)))
                .hasToString("Pem[0 bytes, key]");
    }

    @Test
    void pendingKeysOfCertManagerDoNotMatter() {
        assertThat(
                        SecretMaterial.matters(
                                new SecretBuilder()
                                        .withNewMetadata()
                                        .addToLabels("cert-manager.io/next-private-key", "true")
                                        .endMetadata()
                                        .build()))
                .isFalse();
        assertThat(SecretMaterial.matters(new Secret())).isTrue();
    }

    private static SecretMaterial material(String certificate, String key) {
        return SecretMaterial.of(
                REF,
                Optional.empty(),
                certificate.getBytes(StandardCharsets.UTF_8),
                key.getBytes(StandardCharsets.UTF_8));
    }

    private static String certificate(Secret secret) {
        return switch (SecretMaterial.of(REF, Optional.empty(), secret)) {
            case Parsed.Usable<SecretMaterial>(SecretMaterial material, _) -> contents(material);
            case Parsed.Rejected<SecretMaterial> rejected -> rejected.findings().toString();
        };
    }

    /** The certificate's PEM, through the finding of a reader. */
    private static String contents(SecretMaterial material) {
        return material.parsed((_, pem, _) -> unusable(new String(pem, StandardCharsets.UTF_8)))
                .findings()
                .getFirst()
                .message();
    }

    private static Parsed<CertificateBundle> unusable(String message) {
        return Parsed.rejected(Finding.of(Reason.CERTIFICATE_UNREADABLE, REF, message, "advice"));
    }

    @Test
    void whatIsWipedHoldsNoKeyAndIsOfNoUse() {
        byte[] key = "secret".getBytes(StandardCharsets.UTF_8);
        SecretMaterial material = SecretMaterial.of(REF, Optional.empty(), new byte[0], key);
        assertThat(material.holdsPem()).isTrue();
        String digest = material.digest();
        material.wipe();
        assertThat(material.holdsPem()).isFalse();
        assertThat(key).containsOnly(0);
        assertThat(material.digest()).isEqualTo(digest);
        assertThatThrownBy(() -> material.parsed(CertificateReader.provenBy(KeyProof.BY_SIGNATURE)))
                .isInstanceOf(NullPointerException.class);
        material.wipe();
    }
}

package dev.sallyport.model.certificate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CertificateBundleTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void knowsWhatTheLeafSays() throws Exception {
        CertificateBundle bundle =
                bundle(issued(CertificateBuilder.Algorithm.ecp256, "a.example", "b.example"));

        assertThat(bundle.names())
                .containsExactly(Hostname.parse("a.example"), Hostname.parse("b.example"));
        assertThat(bundle.covers("b.example")).isTrue();
        assertThat(bundle.covers("c.example")).isFalse();
        assertThat(bundle.keyType()).isEqualTo(KeyType.ECDSA);
        assertThat(bundle.selfSigned()).isTrue();
        assertThat(bundle.serial()).matches("([0-9a-f]{2})+");
        assertThat(bundle.fingerprint()).hasSize(64);
        assertThat(bundle.notBefore()).isBefore(bundle.notAfter());
        assertThat(bundle.subject()).isEqualTo(bundle.issuer()).contains("CN=subject");
        assertThat(bundle.chain()).hasSize(1);
    }

    @Test
    void eachKindOfKeyIsProven() throws Exception {
        assertThat(bundle(issued(CertificateBuilder.Algorithm.rsa2048, "a.example")).keyType())
                .isEqualTo(KeyType.RSA);
        assertThat(bundle(issued(CertificateBuilder.Algorithm.ecp384, "a.example")).keyType())
                .isEqualTo(KeyType.ECDSA);
        assertThat(bundle(issued(CertificateBuilder.Algorithm.ed25519, "a.example")).keyType())
                .isEqualTo(KeyType.ED25519);
    }

    @Test
    void theKeyOfAnotherCertificateIsAMismatch() throws Exception {
        X509Bundle one = issued(CertificateBuilder.Algorithm.ecp256, "a.example");
        X509Bundle other = issued(CertificateBuilder.Algorithm.ecp256, "a.example");
        X509Bundle rsa = issued(CertificateBuilder.Algorithm.rsa2048, "a.example");
        X509Bundle otherCurve = issued(CertificateBuilder.Algorithm.ecp384, "a.example");
        List<byte[]> chain = List.of(one.getCertificate().getEncoded());

        for (X509Bundle stranger : List.of(other, rsa, otherCurve)) {
            assertThatThrownBy(() ->
                            CertificateBundle.of(
                                    chain, stranger.getKeyPair().getPrivate().getEncoded()))
                    .isInstanceOf(CertificateBundle.Mismatch.class);
        }
    }

    @Test
    void whatWasProvenAndKeptUnderSealIsTheSameAndIsNotProvenAgain() throws Exception {
        CertificateBundle proven = bundle(issued(CertificateBuilder.Algorithm.ecp256, "a.example"));
        byte[] key = proven.privateKey().use(byte[]::clone);

        CertificateBundle kept = CertificateBundle.ofProven(proven.chain(), key);

        assertThat(kept.fingerprint()).isEqualTo(proven.fingerprint());
        assertThat(kept.names()).isEqualTo(proven.names());
        assertThat(kept.keyType()).isEqualTo(proven.keyType());
        assertThat(kept.serial()).isEqualTo(proven.serial());
        assertThat(kept.notAfter()).isEqualTo(proven.notAfter());
        assertThat(kept.privateKey()).isEqualTo(proven.privateKey());
        assertThat(kept).as("equality is identity").isNotEqualTo(proven);
        key[0] ^= 1;
        assertThat(kept.privateKey()).as("copied").isEqualTo(proven.privateKey());
        // Whoever breaks the seal is not found out here: the data plane asks the native library.
        assertThat(CertificateBundle.ofProven(proven.chain(), key).fingerprint())
                .isEqualTo(proven.fingerprint());
    }

    @Test
    void nothingIsProvenOfACertificateThatCannotBeRead() {
        byte[] key = {1};

        assertThatThrownBy(() -> CertificateBundle.ofProven(List.of(), key))
                .isInstanceOf(GeneralSecurityException.class);
        assertThatThrownBy(() -> CertificateBundle.ofProven(List.of(new byte[] {0x30}), key))
                .isInstanceOf(GeneralSecurityException.class);
    }

    @Test
    void theKeyIsNeverPrinted() throws Exception {
        CertificateBundle bundle = bundle(issued(CertificateBuilder.Algorithm.ecp256, "a.example"));

        assertThat(bundle.toString()).contains("a.example").doesNotContain("PRIVATE");
        assertThat(bundle.privateKey())
                .hasToString("SensitiveBytes[" + bundle.privateKey().length() + " bytes]");
    }

    @Test
    void lentKeyBytesAreWipedAfterUse() {
        SensitiveBytes key = SensitiveBytes.copyOf(new byte[] {1, 2, 3});

        byte[] kept = key.use(bytes -> bytes);

        assertThat(kept).containsExactly(0, 0, 0);
        assertThat(key).isEqualTo(SensitiveBytes.copyOf(new byte[] {1, 2, 3}));
        key.wipe();
        assertThat(key).isEqualTo(SensitiveBytes.copyOf(new byte[3]));
    }

    @Test
    void aSetHasOneCertificateForEachKindOfKeyEcdsaFirst() throws Exception {
        ServedCertificate rsa = served(CertificateBuilder.Algorithm.rsa2048);
        ServedCertificate ecdsa = served(CertificateBuilder.Algorithm.ecp256);
        ServedCertificate second = served(CertificateBuilder.Algorithm.ecp256);

        CertificateSet set = CertificateSet.of(List.of(rsa, ecdsa, second));

        assertThat(set.certificates()).containsExactly(ecdsa, rsa);
        assertThat(set.covers("a.example")).isTrue();
        assertThat(set.covers("b.example")).isFalse();
    }

    @Test
    void theDefaultIsServedOnlyWhereNoNameMatches() throws Exception {
        CertificateSet own =
                CertificateSet.of(List.of(served(CertificateBuilder.Algorithm.ecp256)));
        CertificateSet fallback =
                CertificateSet.of(List.of(served(CertificateBuilder.Algorithm.ecp256)));
        HostTable<CertificateSet> hosts =
                HostTable.copyOf(Map.of(Hostname.parse("a.example"), own));

        var lenient = new CertificateTable(hosts, Optional.of(fallback));
        var strict = new CertificateTable(hosts, Optional.empty());

        assertThat(lenient.find("a.example")).isSameAs(own);
        assertThat(lenient.find("b.example")).isSameAs(fallback);
        assertThat(lenient.find(null)).isSameAs(fallback);
        assertThat(strict.find("b.example")).isNull();
        assertThat(strict.find(null)).isNull();
    }

    private static ServedCertificate served(CertificateBuilder.Algorithm algorithm)
            throws Exception {
        return new ServedCertificate(
                bundle(issued(algorithm, "a.example")),
                new ObjectRef("Secret", "default", "tls"),
                NOW,
                false);
    }

    private static CertificateBundle bundle(X509Bundle issued) throws Exception {
        return CertificateBundle.of(
                List.of(issued.getCertificate().getEncoded()),
                issued.getKeyPair().getPrivate().getEncoded());
    }

    private static X509Bundle issued(CertificateBuilder.Algorithm algorithm, String... names)
            throws Exception {
        var builder =
                new CertificateBuilder()
                        .subject("CN=subject")
                        .setIsCertificateAuthority(true)
                        .algorithm(algorithm);
        for (String name : names) {
            builder.addSanDnsName(name);
        }
        return builder.buildSelfSigned();
    }
}

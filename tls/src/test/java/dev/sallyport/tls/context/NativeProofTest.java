package dev.sallyport.tls.context;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.tls.certificate.TestCertificates;
import dev.sallyport.tls.certificate.TestCertificates.Made;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativeProofTest {
    private final NativeProof proof = new NativeProof();

    private static Made made(String keys) {
        return TestCertificates.valid().keys(TestCertificates.keyPair(keys)).make();
    }

    private static X509Certificate leaf(Made made) throws GeneralSecurityException {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(made.der()));
    }

    private static byte[] pkcs8(Made made) {
        return made.keys().getPrivate().getEncoded();
    }

    /** BoringSSL itself takes them: what it refuses costs a signature. */
    @ParameterizedTest
    @ValueSource(strings = {"RSA-2048", "EC-secp256r1", "EC-secp384r1", "EC-secp521r1", "Ed25519"})
    void aKeyBelongsToItsCertificateAndToNoOther(String kind) throws Exception {
        Made mine = made(kind);
        Made other = made(kind + "-of another");
        assertThat(NativeCredential.accepts(mine.der(), pkcs8(mine))).isTrue();
        assertThat(NativeCredential.accepts(mine.der(), pkcs8(other))).isFalse();
        assertThat(proof.holds(leaf(mine), pkcs8(mine))).isTrue();
        assertThat(proof.holds(leaf(mine), pkcs8(other))).isFalse();
    }

    @Test
    void aKeyOfAnotherKindDoesNotBelong() throws Exception {
        assertThat(proof.holds(leaf(made("EC-secp256r1")), pkcs8(made("RSA-2048")))).isFalse();
        assertThat(proof.holds(leaf(made("RSA-2048")), pkcs8(made("Ed25519")))).isFalse();
        assertThat(proof.holds(leaf(made("EC-secp256r1")), pkcs8(made("EC-secp384r1")))).isFalse();
    }

    /** What a key file says of its public half proves nothing. */
    @Test
    void anotherKeyBesideTheRightPublicHalfDoesNotBelong() throws Exception {
        Made mine = made("EC-secp256r1");
        Made other = made("EC-secp256r1-of another");
        var publicHalf = SubjectPublicKeyInfo.getInstance(mine.keys().getPublic().getEncoded());
        var pretended =
                new org.bouncycastle.asn1.sec.ECPrivateKey(
                        256,
                        ((ECPrivateKey) other.keys().getPrivate()).getS(),
                        new DERBitString(publicHalf.getPublicKeyData().getBytes()),
                        publicHalf.getAlgorithm().getParameters());
        byte[] pkcs8 = new PrivateKeyInfo(publicHalf.getAlgorithm(), pretended).getEncoded();
        assertThat(NativeCredential.accepts(mine.der(), pkcs8)).isFalse();
        assertThat(proof.holds(leaf(mine), pkcs8)).isFalse();
    }

    /** Modulus and exponent are the certificate's; the rest computes nothing. */
    @Test
    void anRsaKeyWhosePrivateHalfIsWrongCannotBeUsed() throws Exception {
        Made mine = made("RSA-2048");
        var key =
                RSAPrivateKey.getInstance(
                        PrivateKeyInfo.getInstance(pkcs8(mine)).parsePrivateKey());
        var damaged =
                new RSAPrivateKey(
                        key.getModulus(),
                        key.getPublicExponent(),
                        key.getPrivateExponent(),
                        key.getPrime1(),
                        key.getPrime2(),
                        key.getExponent1().add(BigInteger.TWO),
                        key.getExponent2(),
                        key.getCoefficient());
        byte[] pkcs8 =
                new PrivateKeyInfo(
                                new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption),
                                damaged)
                        .getEncoded();
        assertThat(NativeCredential.accepts(mine.der(), pkcs8)).isFalse();
        assertThatThrownBy(() -> proof.holds(leaf(mine), pkcs8))
                .isInstanceOf(GeneralSecurityException.class);
    }

    /** BoringSSL takes public exponents of up to 33 bits, the JDK any. */
    @Test
    void whatBoringSslDoesNotTakeIsProvenByASignature() throws Exception {
        Made made = TestCertificates.valid().keys(TestCertificates.foreignToBoringSsl()).make();
        assertThat(NativeCredential.accepts(made.der(), pkcs8(made))).isFalse();
        assertThat(proof.holds(leaf(made), pkcs8(made))).isTrue();
    }
}

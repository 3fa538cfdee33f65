package dev.sallyport.tls.certificate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.junit.jupiter.api.Test;

class PemKeyPairTest {

    private static byte[] pem(String label, byte[] der) {
        return ("-----BEGIN "
                        + label
                        + "-----\n"
                        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                        + "\n-----END "
                        + label
                        + "-----\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static KeyPair ec(String curve) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(curve));
        return generator.generateKeyPair();
    }

    private static KeyPair rsa() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        return generator.generateKeyPair();
    }

    @Test
    void findsThePublicKeyOfAnyKindInPkcs8() throws Exception {
        for (KeyPair pair : List.of(ec("secp256r1"), ec("secp384r1"), rsa())) {
            PemKeyPair read =
                    PemKeyPair.parse(pem("PRIVATE KEY", pair.getPrivate().getEncoded()))
                            .orElseThrow();
            assertThat(read.spki()).isEqualTo(pair.getPublic().getEncoded());
            assertThat(read.toString()).isEqualTo("PemKeyPair");
        }
    }

    @Test
    void findsItInWhatGoWrites() throws Exception {
        KeyPair rsa = rsa();
        byte[] pkcs1 =
                PrivateKeyInfo.getInstance(rsa.getPrivate().getEncoded())
                        .parsePrivateKey()
                        .toASN1Primitive()
                        .getEncoded();
        PemKeyPair read = PemKeyPair.parse(pem("RSA PRIVATE KEY", pkcs1)).orElseThrow();
        assertThat(read.spki()).isEqualTo(rsa.getPublic().getEncoded());
        byte[] pkcs8 = read.pkcs8().use(byte[]::clone);
        assertThat(PemKeyPair.parse(pem("PRIVATE KEY", pkcs8)).orElseThrow().spki())
                .isEqualTo(rsa.getPublic().getEncoded());
    }

    @Test
    void whatIsNoneOfTheseIsNone() throws Exception {
        byte[] ed25519 =
                KeyPairGenerator.getInstance("Ed25519").generateKeyPair().getPrivate().getEncoded();
        assertThat(PemKeyPair.parse(pem("PRIVATE KEY", ed25519))).isEmpty();
        assertThat(PemKeyPair.parse(pem("PRIVATE KEY", new byte[] {1, 2, 3}))).isEmpty();
        assertThat(PemKeyPair.parse(new byte[0])).isEmpty();
    }
}

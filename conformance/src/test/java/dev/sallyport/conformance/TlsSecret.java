package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigInteger;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import tools.jackson.databind.JsonNode;

/**
 * A Secret with a certificate, as the API server has it.
 *
 * @param version its resourceVersion
 * @param leaf the first certificate of {@code tls.crt}
 * @param key {@code tls.key}, PEM
 */
record TlsSecret(String version, X509Certificate leaf, String key) {

    static TlsSecret parse(JsonNode secret) {
        JsonNode data = secret.path("data");
        return new TlsSecret(
                secret.path("metadata").path("resourceVersion").stringValue(),
                certificate(bytes(data, "tls.crt")),
                new String(bytes(data, "tls.key"), US_ASCII));
    }

    private static byte[] bytes(JsonNode data, String key) {
        return Base64.getDecoder().decode(data.path(key).stringValue());
    }

    /** The first certificate of a PEM text. */
    static X509Certificate certificate(byte[] pem) {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(pem));
        } catch (CertificateException e) {
            throw new AssertionError("not a certificate", e);
        }
    }

    /** Remembers the key, so that it is found wherever it should not be. */
    TlsSecret noteIn(KeyMaterial material) {
        try (var pem = new PEMParser(new StringReader(key))) {
            var converter = new JcaPEMKeyConverter();
            PrivateKey parsed =
                    switch (pem.readObject()) {
                        case PEMKeyPair pair -> converter.getKeyPair(pair).getPrivate();
                        case PrivateKeyInfo info -> converter.getPrivateKey(info);
                        default -> throw new AssertionError("not a private key in " + this);
                    };
            material.add(parsed, key);
            return this;
        } catch (IOException e) {
            throw new AssertionError("not a private key in " + this, e);
        }
    }

    BigInteger serial() {
        return leaf.getSerialNumber();
    }

    @Override
    public String toString() {
        return "TlsSecret[version=" + version + ", serial=" + serial().toString(16) + "]";
    }
}

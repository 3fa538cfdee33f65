package dev.sallyport.tls.certificate;

import dev.sallyport.model.certificate.SensitiveBytes;
import java.io.IOException;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.sec.SECNamedCurves;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.jspecify.annotations.Nullable;

/** A private key that came without a certificate, and the public key that it is for. */
public final class PemKeyPair {
    private final SensitiveBytes pkcs8;
    private final byte[] spki;

    private PemKeyPair(SensitiveBytes pkcs8, byte[] spki) {
        this.pkcs8 = pkcs8;
        this.spki = spki;
    }

    /**
     * Reads the first key of a text in PEM: PKCS#8, PKCS#1 or SEC1, of RSA or a NIST curve.
     *
     * @param pem the caller's to wipe
     * @return empty where there is none that could be served, or none of these kinds
     */
    public static Optional<PemKeyPair> parse(byte[] pem) {
        byte[] pkcs8;
        try {
            pkcs8 = PrivateKeys.pkcs8(pem);
        } catch (Unusable none) {
            return Optional.empty();
        }
        try {
            byte @Nullable [] spki = spki(PrivateKeyInfo.getInstance(pkcs8));
            return spki == null
                    ? Optional.empty()
                    : Optional.of(new PemKeyPair(SensitiveBytes.copyOf(pkcs8), spki));
        } catch (IOException | RuntimeException garbage) {
            return Optional.empty(); // the cause may quote the key
        } finally {
            Arrays.fill(pkcs8, (byte) 0);
        }
    }

    private static byte @Nullable [] spki(PrivateKeyInfo key) throws IOException {
        ASN1ObjectIdentifier kind = key.getPrivateKeyAlgorithm().getAlgorithm();
        if (kind.equals(PKCSObjectIdentifiers.rsaEncryption)) {
            RSAPrivateKey rsa = RSAPrivateKey.getInstance(key.parsePrivateKey());
            return new SubjectPublicKeyInfo(
                            key.getPrivateKeyAlgorithm(),
                            new RSAPublicKey(rsa.getModulus(), rsa.getPublicExponent()))
                    .getEncoded("DER");
        }
        if (!kind.equals(X9ObjectIdentifiers.id_ecPublicKey)) {
            return null;
        }
        X9ECParameters curve =
                SECNamedCurves.getByOID(
                        ASN1ObjectIdentifier.getInstance(
                                key.getPrivateKeyAlgorithm().getParameters()));
        BigInteger scalar = ECPrivateKey.getInstance(key.parsePrivateKey()).getKey();
        if (scalar.signum() <= 0 || scalar.compareTo(curve.getN()) >= 0) {
            return null;
        }
        return new SubjectPublicKeyInfo(
                        key.getPrivateKeyAlgorithm(),
                        curve.getG().multiply(scalar).normalize().getEncoded(false))
                .getEncoded("DER");
    }

    /** The private key as a PKCS#8 structure. */
    public SensitiveBytes pkcs8() {
        return pkcs8;
    }

    /** The public key as a SubjectPublicKeyInfo; a copy. */
    public byte[] spki() {
        return spki.clone();
    }

    /** Says nothing of the keys. */
    @Override
    public String toString() {
        return "PemKeyPair";
    }
}

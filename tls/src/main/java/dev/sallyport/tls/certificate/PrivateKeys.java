package dev.sallyport.tls.certificate;

import static dev.sallyport.model.finding.Reason.KEY_ENCRYPTED;
import static dev.sallyport.model.finding.Reason.KEY_TOO_WEAK;
import static dev.sallyport.model.finding.Reason.KEY_UNREADABLE;
import static dev.sallyport.model.finding.Reason.KEY_UNSUPPORTED;

import java.io.IOException;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.jspecify.annotations.Nullable;

/** From {@code tls.key} to one PKCS#8 structure of a kind that can be served. */
final class PrivateKeys {
    private static final int RSA_FEWEST_BITS = 2048;

    /** More is only a way to make each handshake dear. */
    static final int RSA_MOST_BITS = 8192;

    /** Of public exponents; BoringSSL's bound. Those in use have 17 bits. */
    static final int RSA_MOST_EXPONENT_BITS = 33;

    private static final Set<ASN1ObjectIdentifier> CURVES =
            Set.of(
                    SECObjectIdentifiers.secp256r1,
                    SECObjectIdentifiers.secp384r1,
                    SECObjectIdentifiers.secp521r1);
    private static final ASN1ObjectIdentifier ED25519 =
            new ASN1ObjectIdentifier("1.3.101.112"); // RFC 8410 section 3
    private static final String AS_PKCS8 =
            "Convert the key with: openssl pkcs8 -topk8 -nocrypt -in tls.key";
    private static final String NEW_KEY =
            "Issue the certificate anew with a P-256 key, or RSA of 2048 bits or more.";

    private PrivateKeys() {}

    /**
     * The first private key of {@code tlsKey} as PKCS#8, without attributes; the caller's to wipe.
     */
    static byte[] pkcs8(byte[] tlsKey) throws Unusable {
        List<Pem.Block> blocks = Pem.blocks(tlsKey);
        try {
            return pkcs8(blocks, tlsKey);
        } catch (IOException | RuntimeException garbage) {
            // Bouncy Castle tells of bad input in many ways, with texts that may quote it: the
            // cause is dropped on purpose.
            throw unreadable();
        } finally {
            blocks.forEach(Pem.Block::wipe);
        }
    }

    private static byte[] pkcs8(List<Pem.Block> blocks, byte[] tlsKey)
            throws Unusable, IOException {
        Pem.@Nullable Block parameters = null;
        for (Pem.Block block : blocks) {
            switch (block.label()) {
                case "PRIVATE KEY" -> {
                    return fromPkcs8(der(block));
                }
                case "RSA PRIVATE KEY" -> {
                    return fromPkcs1(der(block));
                }
                case "EC PRIVATE KEY" -> {
                    return fromSec1(der(block), parameters);
                }
                case "EC PARAMETERS" -> parameters = block;
                case "ENCRYPTED PRIVATE KEY" -> throw encrypted();
                case "OPENSSH PRIVATE KEY" ->
                        throw new Unusable(
                                KEY_UNSUPPORTED,
                                "tls.key: an OpenSSH key (expected: PKCS#8, PKCS#1 or SEC1)",
                                "Convert the key with: ssh-keygen -p -N '' -m pkcs8 -f tls.key");
                case "DSA PRIVATE KEY" -> throw unsupported("DSA");
                default -> {}
            }
        }
        throw new Unusable(
                KEY_UNREADABLE, "tls.key: no PEM private key", Diagnosis.of(tlsKey, "PRIVATE KEY"));
    }

    private static byte[] der(Pem.Block block) throws Unusable {
        if (block.encrypted()) {
            throw encrypted();
        }
        byte[] der = block.der().orElseThrow(PrivateKeys::unreadable);
        if (!DerShape.isSound(der)) {
            Arrays.fill(der, (byte) 0);
            throw unreadable();
        }
        return der;
    }

    private static byte[] fromPkcs8(byte[] der) throws Unusable, IOException {
        try {
            PrivateKeyInfo info = PrivateKeyInfo.getInstance(der);
            AlgorithmIdentifier algorithm = info.getPrivateKeyAlgorithm();
            ASN1ObjectIdentifier kind = algorithm.getAlgorithm();
            if (kind.equals(PKCSObjectIdentifiers.rsaEncryption)) {
                requireSoundRsa(RSAPrivateKey.getInstance(info.parsePrivateKey()));
            } else if (kind.equals(X9ObjectIdentifiers.id_ecPublicKey)) {
                requireCurve(algorithm.getParameters());
            } else if (!kind.equals(ED25519)) {
                throw unsupported(kind.getId());
            }
            return pkcs8(algorithm, info.parsePrivateKey());
        } finally {
            Arrays.fill(der, (byte) 0);
        }
    }

    private static byte[] fromPkcs1(byte[] der) throws Unusable, IOException {
        try {
            RSAPrivateKey key = RSAPrivateKey.getInstance(der);
            requireSoundRsa(key);
            return pkcs8(
                    new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
                    key);
        } finally {
            Arrays.fill(der, (byte) 0);
        }
    }

    private static byte[] fromSec1(byte[] der, Pem.@Nullable Block parameters)
            throws Unusable, IOException {
        try {
            ECPrivateKey key = ECPrivateKey.getInstance(der);
            @Nullable ASN1Encodable curve = key.getParametersObject();
            if (curve == null && parameters != null) {
                byte[] outside = parameters.der().orElseThrow(PrivateKeys::unreadable);
                if (outside.length > 64) {
                    throw unknownCurve(); // spelled out: a named curve is 7 to 12 bytes
                }
                curve = ASN1Primitive.fromByteArray(outside);
            }
            requireCurve(curve);
            return pkcs8(new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, curve), key);
        } finally {
            Arrays.fill(der, (byte) 0);
        }
    }

    private static byte[] pkcs8(AlgorithmIdentifier algorithm, ASN1Encodable key)
            throws IOException {
        return new PrivateKeyInfo(algorithm, key).getEncoded("DER");
    }

    private static void requireSoundRsa(RSAPrivateKey key) throws Unusable {
        requireRsaSize(key);
        BigInteger p = key.getPrime1();
        BigInteger q = key.getPrime2();
        // BoringSSL refuses what does not fit; the JDK would compute with exponents of any length.
        boolean sound =
                p.signum() > 0
                        && q.signum() > 0
                        && p.multiply(q).equals(key.getModulus())
                        && isWithin(key.getPrivateExponent(), key.getModulus())
                        && isWithin(key.getExponent1(), p)
                        && isWithin(key.getExponent2(), q)
                        && isWithin(key.getCoefficient(), p);
        if (!sound) {
            throw unreadable();
        }
    }

    private static boolean isWithin(BigInteger number, BigInteger bound) {
        return number.signum() > 0 && number.compareTo(bound) < 0;
    }

    private static void requireRsaSize(RSAPrivateKey key) throws Unusable {
        BigInteger modulus = key.getModulus();
        int bits = modulus.bitLength();
        if (modulus.signum() <= 0) {
            throw unreadable();
        }
        if (key.getPublicExponent().bitLength() > RSA_MOST_EXPONENT_BITS) {
            throw new Unusable(
                    KEY_UNSUPPORTED,
                    "tls.key: RSA with a public exponent of "
                            + key.getPublicExponent().bitLength()
                            + " bits (expected: at most "
                            + RSA_MOST_EXPONENT_BITS
                            + ")",
                    NEW_KEY);
        }
        if (bits < RSA_FEWEST_BITS) {
            throw new Unusable(
                    KEY_TOO_WEAK,
                    "tls.key: RSA of "
                            + bits
                            + " bits (expected: "
                            + RSA_FEWEST_BITS
                            + "–"
                            + RSA_MOST_BITS
                            + ")",
                    NEW_KEY);
        }
        if (bits > RSA_MOST_BITS) {
            throw new Unusable(
                    KEY_UNSUPPORTED,
                    "tls.key: RSA of "
                            + bits
                            + " bits (expected: "
                            + RSA_FEWEST_BITS
                            + "–"
                            + RSA_MOST_BITS
                            + ")",
                    NEW_KEY);
        }
    }

    private static void requireCurve(@Nullable ASN1Encodable curve) throws Unusable {
        if (!(curve instanceof ASN1ObjectIdentifier name) || !CURVES.contains(name)) {
            throw unknownCurve();
        }
    }

    private static Unusable unknownCurve() {
        return new Unusable(
                KEY_TOO_WEAK,
                "tls.key: EC key on another curve (expected: P-256, P-384 or P-521, by name)",
                NEW_KEY);
    }

    private static Unusable unsupported(String kind) {
        return new Unusable(
                KEY_UNSUPPORTED,
                "tls.key: algorithm " + kind + " (expected: RSA, ECDSA or Ed25519)",
                NEW_KEY);
    }

    private static Unusable encrypted() {
        return new Unusable(
                KEY_ENCRYPTED,
                "tls.key: encrypted (expected: a key without a passphrase)",
                "Decrypt the key with: openssl pkey -in tls.key");
    }

    private static Unusable unreadable() {
        return new Unusable(KEY_UNREADABLE, "tls.key: the private key cannot be read", AS_PKCS8);
    }
}

package dev.sallyport.acme.store;

import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.model.certificate.SensitiveBytes;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;

/** A key pair as it is stored. Says nothing of itself when it is printed. */
public final class KeyMaterial {
    private final KeyAlgorithm algorithm;
    private final SensitiveBytes pkcs8;
    private final byte[] spki;

    private KeyMaterial(KeyAlgorithm algorithm, SensitiveBytes pkcs8, byte[] spki) {
        this.algorithm = algorithm;
        this.pkcs8 = pkcs8;
        this.spki = spki;
    }

    /** A new one; RSA of 4096 bits may take seconds. */
    public static KeyMaterial generate(KeyAlgorithm algorithm) {
        try {
            KeyPairGenerator generator =
                    KeyPairGenerator.getInstance(algorithm.isRsa() ? "RSA" : "EC");
            switch (algorithm) {
                case EC_P256 -> generator.initialize(new ECGenParameterSpec("secp256r1"));
                case EC_P384 -> generator.initialize(new ECGenParameterSpec("secp384r1"));
                case RSA_2048, RSA_3072, RSA_4096 -> generator.initialize(algorithm.bits());
            }
            KeyPair pair = generator.generateKeyPair();
            byte[] pkcs8 = pair.getPrivate().getEncoded();
            try {
                return new KeyMaterial(
                        algorithm, SensitiveBytes.copyOf(pkcs8), pair.getPublic().getEncoded());
            } finally {
                Arrays.fill(pkcs8, (byte) 0);
            }
        } catch (GeneralSecurityException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }

    /**
     * One that was stored.
     *
     * @param pkcs8 the private key; copied
     * @param spki the public key, as a SubjectPublicKeyInfo
     * @throws GeneralSecurityException where they are no keys that we would have made
     */
    public static KeyMaterial of(byte[] pkcs8, byte[] spki) throws GeneralSecurityException {
        for (String name : new String[] {"EC", "RSA"}) {
            try {
                KeyFactory factory = KeyFactory.getInstance(name);
                PublicKey publicKey = factory.generatePublic(new X509EncodedKeySpec(spki));
                factory.generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
                KeyAlgorithm algorithm =
                        KeyAlgorithm.of(publicKey)
                                .orElseThrow(
                                        () -> new InvalidKeySpecException("key: unknown kind"));
                return new KeyMaterial(algorithm, SensitiveBytes.copyOf(pkcs8), spki.clone());
            } catch (InvalidKeySpecException ofAnotherKind) {
                // Tried as the next kind.
            }
        }
        throw new InvalidKeySpecException("key: neither EC nor RSA of a size that we make");
    }

    /** Its kind. */
    public KeyAlgorithm algorithm() {
        return algorithm;
    }

    /** The private key as a PKCS#8 structure. */
    public SensitiveBytes pkcs8() {
        return pkcs8;
    }

    /** The public key as a SubjectPublicKeyInfo; a copy. */
    public byte[] spki() {
        return spki.clone();
    }

    /** As the JDK has it, for signing; the private key cannot be wiped from there. */
    public KeyPair keyPair() {
        try {
            KeyFactory factory = KeyFactory.getInstance(algorithm.isRsa() ? "RSA" : "EC");
            PublicKey publicKey = factory.generatePublic(new X509EncodedKeySpec(spki));
            PrivateKey privateKey =
                    pkcs8.use(bytes -> {
                        try {
                            return factory.generatePrivate(new PKCS8EncodedKeySpec(bytes));
                        } catch (InvalidKeySpecException unlikeWhenItWasRead) {
                            throw new IllegalStateException("key: cannot be read any more");
                        }
                    });
            return new KeyPair(publicKey, privateKey);
        } catch (GeneralSecurityException unlikeWhenItWasRead) {
            throw new IllegalStateException("key: cannot be read any more");
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof KeyMaterial that
                && Arrays.equals(spki, that.spki)
                && pkcs8.equals(that.pkcs8);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(spki);
    }

    @Override
    public String toString() {
        return "KeyMaterial[" + algorithm.text() + "]";
    }
}

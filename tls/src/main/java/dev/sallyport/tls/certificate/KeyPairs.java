package dev.sallyport.tls.certificate;

import dev.sallyport.model.certificate.KeyType;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;

/** Makes keys with the JDK's own providers; nothing is registered globally. */
final class KeyPairs {
    private KeyPairs() {}

    /** P-256, RSA of 2048 bits, or Ed25519. */
    static KeyPair make(KeyType type) {
        try {
            return switch (type) {
                case ECDSA -> {
                    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
                    generator.initialize(new ECGenParameterSpec("secp256r1"));
                    yield generator.generateKeyPair();
                }
                case RSA -> {
                    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
                    generator.initialize(2048);
                    yield generator.generateKeyPair();
                }
                case ED25519 -> KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
            };
        } catch (GeneralSecurityException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }

    /** The signature algorithm for a key of this type. */
    static String signatureAlgorithm(KeyType type) {
        return switch (type) {
            case ECDSA -> "SHA256withECDSA";
            case RSA -> "SHA256withRSA";
            case ED25519 -> "Ed25519";
        };
    }
}

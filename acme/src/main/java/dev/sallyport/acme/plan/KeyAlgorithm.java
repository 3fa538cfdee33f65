package dev.sallyport.acme.plan;

import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Optional;

/** The keys that certificates are ordered for. */
public enum KeyAlgorithm {
    /** ECDSA on P-256: what every client knows; the default. */
    EC_P256("ec-p256", 256),
    /** ECDSA on P-384. */
    EC_P384("ec-p384", 384),
    /** RSA of 2048 bits, for clients that know nothing else. */
    RSA_2048("rsa-2048", 2048),
    /** RSA of 3072 bits. */
    RSA_3072("rsa-3072", 3072),
    /** RSA of 4096 bits: some 8 times as dear in a handshake as 2048. */
    RSA_4096("rsa-4096", 4096);

    private final String text;
    private final int bits;

    KeyAlgorithm(String text, int bits) {
        this.text = text;
        this.bits = bits;
    }

    /** As it is written in configuration: {@code ec-p256}. */
    public String text() {
        return text;
    }

    /** The size of the key. */
    public int bits() {
        return bits;
    }

    /** Whether it is an RSA key. */
    public boolean isRsa() {
        return this == RSA_2048 || this == RSA_3072 || this == RSA_4096;
    }

    /** The one written {@code text}; empty where there is none. */
    public static Optional<KeyAlgorithm> parse(String text) {
        for (KeyAlgorithm algorithm : values()) {
            if (algorithm.text.equals(text)) {
                return Optional.of(algorithm);
            }
        }
        return Optional.empty();
    }

    /** What a key is; empty where we would not have ordered it. */
    public static Optional<KeyAlgorithm> of(PublicKey key) {
        int bits =
                switch (key) {
                    case ECPublicKey ec -> ec.getParams().getCurve().getField().getFieldSize();
                    case RSAPublicKey rsa -> rsa.getModulus().bitLength();
                    default -> 0;
                };
        boolean rsa = key instanceof RSAPublicKey;
        for (KeyAlgorithm algorithm : values()) {
            if (algorithm.bits == bits && algorithm.isRsa() == rsa) {
                return Optional.of(algorithm);
            }
        }
        return Optional.empty();
    }
}

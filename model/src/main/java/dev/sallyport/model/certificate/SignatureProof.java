package dev.sallyport.model.certificate;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;

/** Signs something new with the key and verifies it with the certificate. */
final class SignatureProof {
    private SignatureProof() {}

    static boolean holds(X509Certificate leaf, byte[] pkcs8) throws GeneralSecurityException {
        PublicKey publicKey = leaf.getPublicKey();
        PrivateKey privateKey;
        try {
            privateKey =
                    KeyFactory.getInstance(publicKey.getAlgorithm())
                            .generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (InvalidKeySpecException ofAnotherKind) {
            return false;
        }
        if (privateKey instanceof RSAPrivateCrtKey mine
                && publicKey instanceof RSAPublicKey theirs
                && !(mine.getModulus().equals(theirs.getModulus())
                        && mine.getPublicExponent().equals(theirs.getPublicExponent()))) {
            return false; // without the price of a signature
        }
        String algorithm =
                switch (CertificateBundle.keyTypeOf(publicKey)) {
                    case ECDSA -> "SHA256withECDSA";
                    case RSA -> "SHA256withRSA";
                    case ED25519 -> "Ed25519";
                };
        byte[] message = new byte[32];
        new SecureRandom().nextBytes(message);
        Signature signer = Signature.getInstance(algorithm);
        signer.initSign(privateKey);
        signer.update(message);
        byte[] signature = signer.sign();
        Signature verifier = Signature.getInstance(algorithm);
        verifier.initVerify(publicKey);
        verifier.update(message);
        try {
            return verifier.verify(signature);
        } catch (SignatureException ofAnotherSize) {
            return false;
        }
    }
}

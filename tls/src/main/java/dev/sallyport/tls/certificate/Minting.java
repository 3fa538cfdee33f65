package dev.sallyport.tls.certificate;

import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.name.Hostname;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Makes and signs certificates.
 *
 * @param issuer the name of the signer
 * @param issuerKey its public key
 * @param signingKey its private key
 * @param signingType the kind of both
 */
record Minting(X500Name issuer, PublicKey issuerKey, PrivateKey signingKey, KeyType signingType) {
    /** How far back a certificate's validity starts, for clients whose clocks are behind. */
    private static final Duration CLOCK_SKEW = Duration.ofHours(1);

    /** RFC 5280 section 4.1.2.2 allows 20 octets; positive, so one bit less. */
    private static final int SERIAL_BITS = 159;

    /** A leaf for TLS servers; DER. */
    byte[] leaf(X500Name subject, PublicKey key, List<Hostname> names, Instant now, Duration life) {
        return mint(subject, key, names, false, now, life);
    }

    /** A certificate of an authority that may issue leaves only; DER. */
    byte[] authority(X500Name subject, PublicKey key, Instant now, Duration life) {
        return mint(subject, key, List.of(), true, now, life);
    }

    private byte[] mint(
            X500Name subject,
            PublicKey key,
            List<Hostname> names,
            boolean authority,
            Instant now,
            Duration life) {
        try {
            var extensions = new JcaX509ExtensionUtils();
            var builder =
                    new JcaX509v3CertificateBuilder(
                            issuer,
                            new BigInteger(SERIAL_BITS, new SecureRandom()).setBit(SERIAL_BITS - 1),
                            Date.from(now.minus(CLOCK_SKEW)),
                            Date.from(now.plus(life)),
                            subject,
                            key);
            builder.addExtension(
                    Extension.basicConstraints,
                    true,
                    authority ? new BasicConstraints(0) : new BasicConstraints(false));
            builder.addExtension(
                    Extension.keyUsage,
                    true,
                    new KeyUsage(
                            authority
                                    ? KeyUsage.keyCertSign | KeyUsage.cRLSign
                                    : KeyUsage.digitalSignature));
            builder.addExtension(
                    Extension.subjectKeyIdentifier,
                    false,
                    extensions.createSubjectKeyIdentifier(key));
            builder.addExtension(
                    Extension.authorityKeyIdentifier,
                    false,
                    extensions.createAuthorityKeyIdentifier(issuerKey));
            if (!authority) {
                builder.addExtension(
                        Extension.extendedKeyUsage,
                        false,
                        new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
            }
            if (!names.isEmpty()) {
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        false,
                        new GeneralNames(
                                names.stream()
                                        .map(n -> new GeneralName(GeneralName.dNSName, n.text()))
                                        .toArray(GeneralName[]::new)));
            }
            return builder.build(
                            new JcaContentSignerBuilder(KeyPairs.signatureAlgorithm(signingType))
                                    .build(signingKey))
                    .getEncoded();
        } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
            throw new IllegalStateException(e); // all of it is in every JDK
        }
    }

    @Override
    public String toString() {
        return "Minting[" + issuer + "]";
    }
}

package dev.sallyport.tls.certificate;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** Certificates of every kind, good and bad: "valid, except that". */
public final class TestCertificates {
    /** When everything made here is valid, unless told otherwise. */
    public static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");

    private static final Map<String, KeyPair> KEYS = new ConcurrentHashMap<>();

    private TestCertificates() {}

    /** A key pair; the same one for the same kind, since RSA keys are slow to make. */
    public static KeyPair keyPair(String kind) {
        return KEYS.computeIfAbsent(kind, TestCertificates::newKeys);
    }

    /** With a public exponent of 65 bits: BoringSSL takes those of up to 33, the JDK any. */
    public static KeyPair foreignToBoringSsl() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(
                    new RSAKeyGenParameterSpec(
                            2048, BigInteger.ONE.shiftLeft(64).add(new BigInteger("13"))));
            return generator.generateKeyPair();
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyPair newKeys(String kind) {
        try {
            String[] parts = kind.split("-", -1);
            KeyPairGenerator generator = KeyPairGenerator.getInstance(parts[0]);
            switch (parts[0]) {
                case "RSA", "DSA" -> generator.initialize(Integer.parseInt(parts[1]));
                case "EC" -> generator.initialize(new ECGenParameterSpec(parts[1]));
                default -> {}
            }
            return generator.generateKeyPair();
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What is to be made. */
    public static Spec valid() {
        return new Spec();
    }

    /** A certificate in the making. */
    public static final class Spec {
        private String subject = "CN=shop.example.com";
        private List<GeneralName> names =
                List.of(new GeneralName(GeneralName.dNSName, "shop.example.com"));
        private Instant notBefore = NOW.minusSeconds(86_400);
        private Instant notAfter = NOW.plusSeconds(90 * 86_400);
        private KeyPair keys = keyPair("EC-secp256r1");
        private @Nullable Made issuer;
        private String signature = "";
        private boolean authority;

        public Spec subject(String name) {
            subject = name;
            return this;
        }

        public Spec names(String... dns) {
            List<GeneralName> all = new ArrayList<>();
            for (String name : dns) {
                all.add(new GeneralName(GeneralName.dNSName, name));
            }
            names = all;
            return this;
        }

        public Spec address(String ip) {
            names = List.of(new GeneralName(GeneralName.iPAddress, ip));
            return this;
        }

        public Spec validity(Instant from, Instant until) {
            notBefore = from;
            notAfter = until;
            return this;
        }

        public Spec keys(KeyPair pair) {
            keys = pair;
            return this;
        }

        public Spec issuedBy(Made authority) {
            issuer = authority;
            return this;
        }

        public Spec signedWith(String algorithm) {
            signature = algorithm;
            return this;
        }

        public Spec authority() {
            authority = true;
            names = List.of();
            return this;
        }

        public Made make() {
            try {
                X500Name from =
                        issuer == null ? new X500Name(subject) : new X500Name(issuer.subject());
                PrivateKey signer = issuer == null ? keys.getPrivate() : issuer.keys().getPrivate();
                var builder =
                        new JcaX509v3CertificateBuilder(
                                from,
                                BigInteger.valueOf(subject.hashCode() & 0x7fffffffL)
                                        .add(BigInteger.TEN),
                                Date.from(notBefore),
                                Date.from(notAfter),
                                new X500Name(subject),
                                keys.getPublic());
                builder.addExtension(
                        Extension.basicConstraints, true, new BasicConstraints(authority));
                if (!names.isEmpty()) {
                    builder.addExtension(
                            Extension.subjectAlternativeName,
                            subject.isEmpty(),
                            (ASN1Encodable) new GeneralNames(names.toArray(GeneralName[]::new)));
                }
                String algorithm =
                        !signature.isEmpty()
                                ? signature
                                : switch (signer.getAlgorithm()) {
                                    case "RSA" -> "SHA256withRSA";
                                    case "EC" -> "SHA256withECDSA";
                                    case "DSA" -> "SHA256withDSA";
                                    default -> "Ed25519";
                                };
                return new Made(
                        subject,
                        new JcaX509CertificateConverter()
                                .getCertificate(
                                        builder.build(
                                                new JcaContentSignerBuilder(algorithm)
                                                        .build(signer))),
                        keys);
            } catch (java.security.GeneralSecurityException
                    | java.io.IOException
                    | org.bouncycastle.operator.OperatorCreationException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** A certificate with its keys. */
    public record Made(String subject, X509Certificate certificate, KeyPair keys) {
        public byte[] der() {
            try {
                return certificate.getEncoded();
            } catch (java.security.cert.CertificateEncodingException e) {
                throw new IllegalStateException(e);
            }
        }

        public String crt() {
            return pem("CERTIFICATE", der());
        }

        public String key() {
            return pem("PRIVATE KEY", keys.getPrivate().getEncoded());
        }

        public PublicKey publicKey() {
            return keys.getPublic();
        }
    }

    public static String pem(String label, byte[] der) {
        return new String(Pem.write(label, der), ISO_8859_1);
    }

    public static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }
}

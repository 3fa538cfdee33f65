package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.function.UnaryOperator;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** A certificate authority of the tests' own, made anew for each test class. */
final class Pki {

    private static final SecureRandom RANDOM = new SecureRandom();

    /** Valid whenever the tests run; special cases set their own. */
    private static final Instant NOT_BEFORE = Instant.parse("2025-01-01T00:00:00Z");

    private static final Instant NOT_AFTER = Instant.parse("2035-01-01T00:00:00Z");

    private final Authority root;
    private final Authority intermediate;
    private final Path caFile;
    private final KeyMaterial material = new KeyMaterial();

    private record Authority(X509Certificate certificate, KeyPair key) {}

    private Pki(Authority root, Authority intermediate, Path caFile) {
        this.root = root;
        this.intermediate = intermediate;
        this.caFile = caFile;
    }

    /**
     * What a certificate is to be.
     *
     * @param subject RFC 4514
     * @param names its DNS names; none at all without any
     */
    record Wanted(
            KeyPair key, String subject, Instant notBefore, Instant notAfter, List<String> names) {

        Wanted {
            names = List.copyOf(names);
        }

        Wanted withKey(KeyPair other) {
            return new Wanted(other, subject, notBefore, notAfter, names);
        }

        Wanted withSubject(String other) {
            return new Wanted(key, other, notBefore, notAfter, names);
        }

        Wanted valid(String from, String to) {
            return new Wanted(key, subject, Instant.parse(from), Instant.parse(to), names);
        }
    }

    /** A root and an intermediate; the root's certificate is written into the folder for curl. */
    static Pki in(Path folder) {
        try {
            KeyPair rootKey = curve("secp256r1");
            X509Certificate self =
                    sign(wantedAuthority("CN=Conformance Root", rootKey), rootKey, null, true);
            var root = new Authority(self, rootKey);
            KeyPair key = curve("secp256r1");
            X509Certificate certificate =
                    sign(wantedAuthority("CN=Conformance Intermediate", key), rootKey, self, true);
            Path file =
                    Files.writeString(folder.resolve("conformance-ca.pem"), pem(self), US_ASCII);
            return new Pki(root, new Authority(certificate, key), file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Wanted wantedAuthority(String subject, KeyPair key) {
        return new Wanted(key, subject, NOT_BEFORE, NOT_AFTER, List.of());
    }

    /** A P-256 leaf for these names, with the intermediate in its chain. */
    Leaf ecdsa(String... names) {
        return issue(UnaryOperator.identity(), names);
    }

    /** An RSA 2048 leaf for these names. */
    Leaf rsa(String... names) {
        return issue(wanted -> wanted.withKey(rsaKey(2048)), names);
    }

    /** A valid P-256 leaf for these names, except for what the operator changes. */
    Leaf issue(UnaryOperator<Wanted> change, String... names) {
        Wanted wanted =
                change.apply(
                        new Wanted(
                                curve("secp256r1"),
                                "CN=conformance leaf",
                                NOT_BEFORE,
                                NOT_AFTER,
                                Arrays.asList(names)));
        X509Certificate leaf = sign(wanted, intermediate.key(), intermediate.certificate(), false);
        String key = pem("PRIVATE KEY", wanted.key().getPrivate().getEncoded());
        material.add(wanted.key().getPrivate(), key);
        return new Leaf(leaf, pem(leaf) + pem(intermediate.certificate()), key);
    }

    /**
     * A leaf as cert-manager makes it to stand in until the real one is issued: of a throw-away
     * authority with a key on P-521, and without a subject, as its Certificates mostly are.
     */
    Leaf temporary(KeyPair key, String... names) {
        KeyPair throwAway = curve("secp521r1");
        X509Certificate authority =
                sign(wantedAuthority("CN=cert-manager.local", throwAway), throwAway, null, true);
        var wanted = new Wanted(key, "", NOT_BEFORE, NOT_AFTER, Arrays.asList(names));
        X509Certificate leaf = sign(wanted, throwAway, authority, false);
        String text = pem("PRIVATE KEY", key.getPrivate().getEncoded());
        material.add(key.getPrivate(), text);
        return new Leaf(leaf, pem(leaf), text);
    }

    private static X509Certificate sign(
            Wanted wanted, KeyPair issuerKey, @Nullable X509Certificate issuer, boolean authority) {
        var subject = new X500Name(wanted.subject());
        var builder =
                new JcaX509v3CertificateBuilder(
                        issuer == null
                                ? subject
                                : X500Name.getInstance(
                                        issuer.getSubjectX500Principal().getEncoded()),
                        new BigInteger(120, RANDOM).setBit(120),
                        Date.from(wanted.notBefore()),
                        Date.from(wanted.notAfter()),
                        subject,
                        wanted.key().getPublic());
        try {
            var identifiers = new JcaX509ExtensionUtils();
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority))
                    .addExtension(
                            Extension.keyUsage,
                            true,
                            new KeyUsage(
                                    authority
                                            ? KeyUsage.keyCertSign | KeyUsage.cRLSign
                                            : KeyUsage.digitalSignature))
                    .addExtension(
                            Extension.subjectKeyIdentifier,
                            false,
                            identifiers.createSubjectKeyIdentifier(wanted.key().getPublic()))
                    .addExtension(
                            Extension.authorityKeyIdentifier,
                            false,
                            identifiers.createAuthorityKeyIdentifier(issuerKey.getPublic()));
            if (!authority) {
                builder.addExtension(
                        Extension.extendedKeyUsage,
                        false,
                        new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
            }
            if (!wanted.names().isEmpty()) {
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        wanted.subject().isEmpty(),
                        new GeneralNames(
                                wanted.names().stream()
                                        .map(name -> new GeneralName(GeneralName.dNSName, name))
                                        .toArray(GeneralName[]::new)));
            }
            return new JcaX509CertificateConverter()
                    .getCertificate(
                            builder.build(
                                    new JcaContentSignerBuilder(signature(issuerKey))
                                            .build(issuerKey.getPrivate())));
        } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
            throw new AssertionError("no certificate for " + wanted.names(), e);
        }
    }

    private static String signature(KeyPair key) {
        int bits = ((ECPublicKey) key.getPublic()).getParams().getOrder().bitLength();
        return bits > 500 ? "SHA512withECDSA" : "SHA256withECDSA";
    }

    /** A key on a curve: {@code secp256r1}, {@code secp384r1}. */
    static KeyPair curve(String name) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(name), RANDOM);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(name, e);
        }
    }

    /** An RSA key. */
    static KeyPair rsaKey(int bits) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(bits, RANDOM);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError("RSA " + bits, e);
        }
    }

    /** The root's certificate in a file, for {@code --cacert} and {@code -CAfile}. */
    Path caFile() {
        return caFile;
    }

    /** Every private key of a leaf made so far. */
    KeyMaterial material() {
        return material;
    }

    /** A client context of the JDK that trusts the root, with a session cache of its own. */
    SSLContext clientContext() {
        return trusting(root.certificate());
    }

    /** A server context of the JDK with a leaf for this name. */
    SSLContext serving(String name) {
        try {
            KeyPair key = curve("secp256r1");
            Leaf leaf = issue(wanted -> wanted.withKey(key), name);
            KeyStore own = KeyStore.getInstance(KeyStore.getDefaultType());
            own.load(null, null);
            own.setKeyEntry(
                    "own",
                    key.getPrivate(),
                    new char[0],
                    new X509Certificate[] {leaf.certificate(), intermediate.certificate()});
            KeyManagerFactory keys =
                    KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(own, new char[0]);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, RANDOM);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError("the JDK has no TLS", e);
        }
    }

    /** The intermediate authority, for somebody else to issue by. */
    Leaf authority() {
        String key = pem("PRIVATE KEY", intermediate.key().getPrivate().getEncoded());
        material.add(intermediate.key().getPrivate(), key);
        return new Leaf(intermediate.certificate(), pem(intermediate.certificate()), key);
    }

    /** A client context of the JDK that trusts an authority, with a session cache of its own. */
    static SSLContext trusting(X509Certificate authority) {
        try {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            trusted.setCertificateEntry("root", authority);
            TrustManagerFactory trust =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            return context(trust.getTrustManagers());
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError("the JDK has no trust store", e);
        }
    }

    static SSLContext context(TrustManager... trust) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust, RANDOM);
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError("the JDK has no TLS", e);
        }
    }

    static String pem(X509Certificate certificate) {
        try {
            return pem("CERTIFICATE", certificate.getEncoded());
        } catch (GeneralSecurityException e) {
            throw new AssertionError("a certificate without DER", e);
        }
    }

    private static String pem(String label, byte[] der) {
        return "-----BEGIN "
                + label
                + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END "
                + label
                + "-----\n";
    }
}

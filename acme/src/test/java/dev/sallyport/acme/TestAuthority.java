package dev.sallyport.acme;

import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.KeyMaterial;
import dev.sallyport.model.certificate.CertificateBundle;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A CA for tests, with keys of its own. */
public final class TestAuthority {
    private static final X500Name NAME = new X500Name("CN=test authority");

    private final KeyMaterial key = KeyMaterial.generate(KeyAlgorithm.EC_P256);
    private final X509Certificate certificate;
    private int serial = 1;

    /** Makes one. */
    public TestAuthority() {
        try {
            var builder =
                    new JcaX509v3CertificateBuilder(
                            NAME,
                            BigInteger.ONE,
                            Date.from(Instant.EPOCH),
                            Date.from(Instant.parse("2100-01-01T00:00:00Z")),
                            NAME,
                            key.keyPair().getPublic());
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
            certificate = signed(builder);
        } catch (CertIOException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Its own certificate. */
    public X509Certificate certificate() {
        return certificate;
    }

    /** A certificate for a key. */
    public X509Certificate issue(
            PublicKey publicKey, Instant notBefore, Duration lifetime, String... identifiers) {
        return issue(publicKey, notBefore, lifetime, names(identifiers));
    }

    private static GeneralName[] names(String... identifiers) {
        List<GeneralName> names = new ArrayList<>();
        for (String text : identifiers) {
            names.add(
                    new GeneralName(
                            Identifier.parse(text) instanceof Identifier.Ip
                                    ? GeneralName.iPAddress
                                    : GeneralName.dNSName,
                            text));
        }
        return names.toArray(GeneralName[]::new);
    }

    /** A certificate for a key, with whatever names. */
    public X509Certificate issue(
            PublicKey publicKey, Instant notBefore, Duration lifetime, GeneralName... names) {
        try {
            var builder =
                    new JcaX509v3CertificateBuilder(
                            NAME,
                            BigInteger.valueOf(++serial),
                            Date.from(notBefore),
                            Date.from(notBefore.plus(lifetime)),
                            new X500Name("CN=leaf " + serial),
                            publicKey);
            builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names));
            return signed(builder);
        } catch (CertIOException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** A bundle for a new key, valid for 90 days from 2026 on. */
    public CertificateBundle bundle(String... identifiers) {
        KeyMaterial leaf = KeyMaterial.generate(KeyAlgorithm.EC_P256);
        X509Certificate issued =
                issue(
                        leaf.keyPair().getPublic(),
                        Instant.parse("2026-01-01T00:00:00Z"),
                        Duration.ofDays(90),
                        identifiers);
        return leaf.pkcs8()
                .use(pkcs8 -> {
                    try {
                        return CertificateBundle.of(
                                List.of(issued.getEncoded(), certificate.getEncoded()), pkcs8);
                    } catch (GeneralSecurityException impossible) {
                        throw new IllegalStateException(impossible);
                    }
                });
    }

    private X509Certificate signed(JcaX509v3CertificateBuilder builder) {
        try {
            return new JcaX509CertificateConverter()
                    .getCertificate(
                            builder.build(
                                    new JcaContentSignerBuilder("SHA256withECDSA")
                                            .build(key.keyPair().getPrivate())));
        } catch (GeneralSecurityException | OperatorCreationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}

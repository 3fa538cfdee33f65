package dev.sallyport.control;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.CertificateReader;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Certificates written as one line, so that a test's manifests can be read: {@code ecdsa 0a1b
 * shop.example.com,*.example.com 2020-01-01 2040-01-01}; {@code temporary-ecdsa} for one as
 * cert-manager makes them to stand in. Whatever is not such a line is rejected.
 */
public final class Placeholders {
    private static final KeyPair ECDSA = keys("EC", 256);
    private static final KeyPair RSA = keys("RSA", 2048);
    private static final X509Bundle AUTHORITY = authority();
    private static final KeyPair STAND_IN = keys("EC", 521);

    private Placeholders() {}

    /** Reads such lines. */
    public static final CertificateReader READER = Placeholders::read;

    private static Parsed<CertificateBundle> read(
            ObjectRef origin, byte[] certificate, byte[] key) {
        String line = new String(certificate, StandardCharsets.UTF_8).strip();
        if (line.isEmpty()) {
            return rejected(Reason.SECRET_INCOMPLETE, origin, "tls.crt: missing");
        }
        String[] words = line.split("\\s+", -1);
        if (words.length < 3 || !words[0].matches("(temporary-)?(ecdsa|rsa)")) {
            return rejected(Reason.CERTIFICATE_UNREADABLE, origin, "tls.crt: garbage");
        }
        if (new String(key, StandardCharsets.UTF_8).strip().equals("of another")) {
            return rejected(Reason.KEY_MISMATCH, origin, "tls.key: of another certificate");
        }
        return Parsed.usable(
                bundle(
                        words[0],
                        words[1],
                        List.of(words[2].split(",", -1)),
                        words.length > 3 ? words[3] : "2020-01-01",
                        words.length > 4 ? words[4] : "2040-01-01"));
    }

    /** A real bundle with a key that is no secret. */
    public static CertificateBundle bundle(
            String type, String serial, List<String> names, String from, String until) {
        try {
            KeyPair keys = type.endsWith("rsa") ? RSA : ECDSA;
            boolean temporary = type.startsWith("temporary-");
            BigInteger number = new BigInteger(serial, 16);
            Instant notBefore = Instant.parse(from + "T00:00:00Z");
            Instant notAfter = Instant.parse(until + "T00:00:00Z");
            X509Certificate leaf =
                    temporary
                            ? standIn(keys, number, names, notBefore, notAfter)
                            : issued(keys, number, names, notBefore, notAfter);
            return CertificateBundle.of(List.of(leaf.getEncoded()), keys.getPrivate().getEncoded());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static X509Certificate issued(
            KeyPair keys,
            BigInteger serial,
            List<String> names,
            Instant notBefore,
            Instant notAfter)
            throws Exception {
        var builder =
                new CertificateBuilder()
                        .subject("CN=test")
                        .keyPair(keys)
                        .serial(serial)
                        .notBefore(notBefore)
                        .notAfter(notAfter);
        // addSanDnsName takes no wildcards.
        builder.addExtensionOctetString("2.5.29.17", false, alternativeNames(names));
        return builder.buildIssuedBy(AUTHORITY).getCertificate();
    }

    /** As cert-manager's throw-away authority makes them. */
    private static X509Certificate standIn(
            KeyPair keys,
            BigInteger serial,
            List<String> names,
            Instant notBefore,
            Instant notAfter)
            throws Exception {
        var builder =
                new JcaX509v3CertificateBuilder(
                        new X500Name("CN=cert-manager.local"),
                        serial,
                        Date.from(notBefore),
                        Date.from(notAfter),
                        new X500Name("CN=test"),
                        keys.getPublic());
        builder.addExtension(Extension.subjectAlternativeName, false, alternativeNames(names));
        return new JcaX509CertificateConverter()
                .getCertificate(
                        builder.build(
                                new JcaContentSignerBuilder("SHA512withECDSA")
                                        .build(STAND_IN.getPrivate())));
    }

    private static Parsed<CertificateBundle> rejected(
            Reason reason, ObjectRef origin, String message) {
        return Parsed.rejected(Finding.of(reason, origin, message, "Write a placeholder."));
    }

    /** RFC 5280 section 4.2.1.6, dNSName only; all together below 64 KiB. */
    private static byte[] alternativeNames(List<String> names) {
        var inner = new ByteArrayOutputStream();
        for (String name : names) {
            byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
            inner.write(0x82);
            inner.write(ascii.length);
            inner.writeBytes(ascii);
        }
        var outer = new ByteArrayOutputStream();
        outer.write(0x30);
        outer.write(0x82); // two bytes of length, shortest or not
        outer.write(inner.size() >> 8);
        outer.write(inner.size());
        outer.writeBytes(inner.toByteArray());
        return outer.toByteArray();
    }

    private static X509Bundle authority() {
        try {
            return new CertificateBuilder()
                    .subject("CN=test authority")
                    .ecp256()
                    .setIsCertificateAuthority(true)
                    .notBefore(Instant.parse("2000-01-01T00:00:00Z"))
                    .notAfter(Instant.parse("2099-01-01T00:00:00Z"))
                    .buildSelfSigned();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static KeyPair keys(String algorithm, int size) {
        try {
            var generator = KeyPairGenerator.getInstance(algorithm);
            generator.initialize(size);
            return generator.generateKeyPair();
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}

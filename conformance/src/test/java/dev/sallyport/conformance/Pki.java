package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.CertificateBuilder.Algorithm;
import io.netty.pkitesting.CertificateBuilder.KeyUsage;
import io.netty.pkitesting.X509Bundle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Base64;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/** A certificate authority of the tests' own, made anew for each test class. */
final class Pki {

    private final X509Bundle root;
    private final X509Bundle intermediate;
    private final Path caFile;
    private final KeyMaterial material = new KeyMaterial();

    private Pki(X509Bundle root, X509Bundle intermediate, Path caFile) {
        this.root = root;
        this.intermediate = intermediate;
        this.caFile = caFile;
    }

    /** A root and an intermediate; the root's certificate is written into the folder for curl. */
    static Pki in(Path folder) {
        try {
            X509Bundle root = authority("CN=Conformance Root").buildSelfSigned();
            X509Bundle intermediate = authority("CN=Conformance Intermediate").buildIssuedBy(root);
            Path file =
                    Files.writeString(
                            folder.resolve("conformance-ca.pem"),
                            root.getCertificatePEM(),
                            US_ASCII);
            return new Pki(root, intermediate, file);
        } catch (Exception e) { // what netty-pkitesting declares
            throw new AssertionError("no certificate authority", e);
        }
    }

    private static CertificateBuilder authority(String subject) {
        return new CertificateBuilder()
                .ecp256()
                .subject(subject)
                .setIsCertificateAuthority(true)
                .setKeyUsage(true, KeyUsage.keyCertSign, KeyUsage.cRLSign);
    }

    /** A P-256 leaf for these names, with the intermediate in its chain. */
    Leaf ecdsa(String... names) {
        return issue(builder -> builder.ecp256(), names);
    }

    /** An RSA 2048 leaf for these names. */
    Leaf rsa(String... names) {
        return issue(builder -> builder.rsa2048(), names);
    }

    /** A leaf of this algorithm. */
    Leaf of(Algorithm algorithm, String... names) {
        return issue(builder -> builder.algorithm(algorithm), names);
    }

    /** A valid leaf for these names, except for what the operator changes. */
    Leaf issue(UnaryOperator<CertificateBuilder> change, String... names) {
        CertificateBuilder builder =
                new CertificateBuilder()
                        .ecp256()
                        .subject("CN=conformance leaf")
                        .setKeyUsage(true, KeyUsage.digitalSignature)
                        .addExtendedKeyUsageServerAuth();
        for (String name : names) {
            builder.addSanDnsName(name);
        }
        try {
            X509Bundle bundle = change.apply(builder).buildIssuedBy(intermediate);
            material.add(bundle.getKeyPair().getPrivate(), bundle.getPrivateKeyPEM());
            String chain =
                    Arrays.stream(bundle.getCertificatePath())
                            .filter(certificate -> !certificate.equals(root.getCertificate()))
                            .map(Pki::pem)
                            .collect(Collectors.joining());
            return new Leaf(bundle.getCertificate(), chain, bundle.getPrivateKeyPEM());
        } catch (Exception e) { // what netty-pkitesting declares
            throw new AssertionError("no certificate for " + Arrays.toString(names), e);
        }
    }

    /** The root's certificate in a file, for {@code --cacert} and {@code -CAfile}. */
    Path caFile() {
        return caFile;
    }

    /** The root's certificate. */
    X509Certificate root() {
        return root.getCertificate();
    }

    /** Every private key made so far. */
    KeyMaterial material() {
        return material;
    }

    /** A client context of the JDK that trusts the root, with a session cache of its own. */
    SSLContext clientContext() {
        return context(root.toTrustManagerFactory().getTrustManagers());
    }

    static SSLContext context(TrustManager... trust) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust, new SecureRandom());
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError("the JDK has no TLS", e);
        }
    }

    private static String pem(X509Certificate certificate) {
        try {
            return "-----BEGIN CERTIFICATE-----\n"
                    + Base64.getMimeEncoder(64, new byte[] {'\n'})
                            .encodeToString(certificate.getEncoded())
                    + "\n-----END CERTIFICATE-----\n";
        } catch (CertificateEncodingException e) {
            throw new AssertionError("a certificate without DER", e);
        }
    }
}

package dev.sallyport.tls.certificate;

import static dev.sallyport.model.finding.Reason.CERTIFICATE_UNREADABLE;
import static dev.sallyport.model.finding.Reason.CERTIFICATE_WITHOUT_NAMES;
import static dev.sallyport.model.finding.Reason.CHAIN_BROKEN;
import static dev.sallyport.model.finding.Reason.KEY_MISMATCH;
import static dev.sallyport.model.finding.Reason.KEY_UNREADABLE;
import static dev.sallyport.model.finding.Reason.KEY_UNSUPPORTED;
import static dev.sallyport.model.finding.Reason.SECRET_INCOMPLETE;
import static dev.sallyport.model.finding.Reason.SECRET_TOO_LARGE;
import static dev.sallyport.model.finding.Reason.SIGNATURE_TOO_WEAK;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.KeyProof;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;

/**
 * From the PEM texts of a TLS Secret to a proven bundle.
 *
 * <p>Total: whatever the bytes, the answer is a bundle or findings, after a bounded amount of work:
 * sizes are checked before anything is parsed, DER is looked over before any parser sees it, RSA
 * numbers are bounded before anything is computed with them, and signatures are checked only in the
 * chain above the one certificate that the key was proven for. Nothing of the key is ever in a
 * message; the copies made on the way are wiped. Safe from any thread; a few milliseconds of
 * signing, so not for an event loop.
 */
public final class CertificateParser {
    /**
     * The largest {@code tls.crt} that is looked at: room for some 1,500 names or 16 certificates.
     */
    public static final int MOST_CERTIFICATE_BYTES = 64 * 1024;

    /** The largest {@code tls.key} that is looked at; RSA of 8192 bits takes 6.4 KiB. */
    public static final int MOST_KEY_BYTES = 16 * 1024;

    /** The most certificates in one {@code tls.crt}. */
    public static final int MOST_CERTIFICATES = 16;

    private static final Set<String> CERTIFICATE_LABELS = Set.of("CERTIFICATE", "X509 CERTIFICATE");

    private CertificateParser() {}

    /**
     * Reads a TLS Secret.
     *
     * @param origin the Secret, for findings
     * @param tlsCrt empty where the Secret lacks it
     * @param tlsKey empty where the Secret lacks it; the caller's to wipe
     */
    public static Parsed<CertificateBundle> parse(ObjectRef origin, byte[] tlsCrt, byte[] tlsKey) {
        return parse(origin, tlsCrt, tlsKey, KeyProof.BY_SIGNATURE);
    }

    /**
     * As {@link #parse(ObjectRef, byte[], byte[])}.
     *
     * @param proof that key and certificate belong together; learns of bounded ones only
     */
    public static Parsed<CertificateBundle> parse(
            ObjectRef origin, byte[] tlsCrt, byte[] tlsKey, KeyProof proof) {
        return parse(origin, tlsCrt, tlsKey, proof, Chain::isSigned);
    }

    /**
     * As {@link #parse(ObjectRef, byte[], byte[], KeyProof)}.
     *
     * @param signed see {@link Chain#of}
     */
    static Parsed<CertificateBundle> parse(
            ObjectRef origin,
            byte[] tlsCrt,
            byte[] tlsKey,
            KeyProof proof,
            BiPredicate<X509Certificate, X509Certificate> signed) {
        try {
            requireBoth(tlsCrt, tlsKey);
            requireSize("tls.crt", tlsCrt, MOST_CERTIFICATE_BYTES);
            requireSize("tls.key", tlsKey, MOST_KEY_BYTES);
            List<X509Certificate> written = certificates(tlsCrt);
            byte[] pkcs8 = PrivateKeys.pkcs8(tlsKey);
            try {
                return bundle(origin, written, pkcs8, proof, signed);
            } finally {
                Arrays.fill(pkcs8, (byte) 0);
            }
        } catch (Unusable why) {
            return Parsed.rejected(why.about(origin));
        }
    }

    private static void requireBoth(byte[] tlsCrt, byte[] tlsKey) throws Unusable {
        boolean certificate = !isBlank(tlsCrt);
        boolean key = !isBlank(tlsKey);
        if (!certificate || !key) {
            String missing = certificate ? "tls.key" : key ? "tls.crt" : "tls.crt and tls.key";
            throw new Unusable(
                    SECRET_INCOMPLETE,
                    missing + ": missing or empty",
                    "Put the certificate chain into tls.crt and its private key into tls.key.");
        }
    }

    private static boolean isBlank(byte[] text) {
        for (byte b : text) {
            if (b < 0 || b > ' ') {
                return false;
            }
        }
        return true;
    }

    private static void requireSize(String what, byte[] text, int most) throws Unusable {
        if (text.length > most) {
            throw new Unusable(
                    SECRET_TOO_LARGE,
                    what + ": " + text.length + " bytes (expected: at most " + most + ")",
                    "Keep only the chain in tls.crt and only the key in tls.key, or spread the"
                            + " names over several certificates.");
        }
    }

    private static List<X509Certificate> certificates(byte[] tlsCrt) throws Unusable {
        List<Pem.Block> blocks =
                Pem.blocks(tlsCrt).stream()
                        .filter(block -> CERTIFICATE_LABELS.contains(block.label()))
                        .toList();
        if (blocks.isEmpty()) {
            throw new Unusable(
                    CERTIFICATE_UNREADABLE,
                    "tls.crt: no PEM certificate",
                    Diagnosis.of(tlsCrt, "CERTIFICATE"));
        }
        if (blocks.size() > MOST_CERTIFICATES) {
            throw new Unusable(
                    SECRET_TOO_LARGE,
                    "tls.crt: "
                            + blocks.size()
                            + " certificates (expected: at most "
                            + MOST_CERTIFICATES
                            + ")",
                    "Keep only the leaf and its intermediates.");
        }
        Set<X509Certificate> certificates = new LinkedHashSet<>();
        for (int i = 0; i < blocks.size(); i++) {
            certificates.add(certificate(blocks.get(i), i + 1, blocks.size()));
        }
        return new ArrayList<>(certificates);
    }

    private static X509Certificate certificate(Pem.Block block, int number, int count)
            throws Unusable {
        Optional<byte[]> der = block.der().filter(DerShape::isSound);
        if (der.isPresent()) {
            try {
                var certificate =
                        (X509Certificate)
                                CertificateFactory.getInstance("X.509")
                                        .generateCertificate(new ByteArrayInputStream(der.get()));
                requireBoundedKey(certificate.getPublicKey(), number, count);
                return certificate;
            } catch (CertificateException | RuntimeException garbage) {
                // The JDK's parser has let unchecked exceptions through before.
            }
        }
        throw new Unusable(
                CERTIFICATE_UNREADABLE,
                "tls.crt: certificate " + number + " of " + count + " cannot be read",
                "Check it with: openssl x509 -in tls.crt -noout -text");
    }

    /** What one signature check costs grows with both numbers. */
    private static void requireBoundedKey(PublicKey key, int number, int count) throws Unusable {
        if (key instanceof RSAPublicKey rsa
                && (rsa.getModulus().bitLength() > PrivateKeys.RSA_MOST_BITS
                        || rsa.getPublicExponent().bitLength()
                                > PrivateKeys.RSA_MOST_EXPONENT_BITS)) {
            throw new Unusable(
                    KEY_UNSUPPORTED,
                    "tls.crt: certificate "
                            + number
                            + " of "
                            + count
                            + ": RSA of "
                            + rsa.getModulus().bitLength()
                            + " bits with an exponent of "
                            + rsa.getPublicExponent().bitLength()
                            + " (expected: at most "
                            + PrivateKeys.RSA_MOST_BITS
                            + " and "
                            + PrivateKeys.RSA_MOST_EXPONENT_BITS
                            + ")",
                    "Issue the certificate anew with a P-256 key, or RSA of 2048 bits.");
        }
    }

    private static Parsed<CertificateBundle> bundle(
            ObjectRef origin,
            List<X509Certificate> written,
            byte[] pkcs8,
            KeyProof proof,
            BiPredicate<X509Certificate, X509Certificate> signed)
            throws Unusable {
        for (X509Certificate candidate : written) {
            Optional<CertificateBundle> proven = prove(pkcs8, candidate, proof);
            if (proven.isPresent()) {
                requireSoundSignature(candidate);
                requireNames(candidate, proven.get());
                Chain chain = Chain.of(written, candidate, signed);
                return new Parsed.Usable<>(
                        proven.get().under(issuers(chain)),
                        chain.remark().stream()
                                .map(remark ->
                                        Finding.of(
                                                CHAIN_BROKEN,
                                                origin,
                                                remark,
                                                "Put the leaf first and behind each"
                                                        + " certificate its issuer."))
                                .toList());
            }
        }
        throw new Unusable(
                KEY_MISMATCH,
                "tls.key: not the key of "
                        + SubjectText.of(written.getFirst())
                        + (written.size() == 1 ? "" : ", nor of any other certificate in tls.crt"),
                "Put the key into tls.key that the certificate in tls.crt was requested with.");
    }

    private static List<byte[]> issuers(Chain chain) throws Unusable {
        List<byte[]> ders = new ArrayList<>();
        try {
            for (X509Certificate issuer : chain.served().subList(1, chain.served().size())) {
                ders.add(issuer.getEncoded());
            }
        } catch (CertificateEncodingException unlikeWhenItWasRead) {
            throw new Unusable(
                    CERTIFICATE_UNREADABLE,
                    "tls.crt: a certificate cannot be encoded",
                    "Check it with: openssl x509 -in tls.crt -noout -text");
        }
        return ders;
    }

    private static Optional<CertificateBundle> prove(
            byte[] pkcs8, X509Certificate candidate, KeyProof proof) throws Unusable {
        try {
            return Optional.of(CertificateBundle.of(List.of(candidate.getEncoded()), pkcs8, proof));
        } catch (CertificateBundle.Mismatch | CertificateEncodingException ofAnother) {
            return Optional.empty();
        } catch (CertificateException ofAnotherKind) {
            return Optional.empty(); // a key that this gateway does not know: surely not ours
        } catch (GeneralSecurityException | RuntimeException broken) {
            throw new Unusable(
                    KEY_UNREADABLE,
                    "tls.key: cannot sign for " + SubjectText.of(candidate),
                    "Check the key with: openssl pkey -in tls.key -noout -check");
        }
    }

    private static void requireSoundSignature(X509Certificate leaf) throws Unusable {
        String algorithm = leaf.getSigAlgName().toUpperCase(Locale.ROOT);
        if (algorithm.startsWith("SHA1") || algorithm.startsWith("MD")) {
            throw new Unusable(
                    SIGNATURE_TOO_WEAK,
                    "tls.crt: signed with "
                            + leaf.getSigAlgName()
                            + " (expected: SHA-256 or better)",
                    "Issue the certificate anew: clients refuse this signature.");
        }
    }

    private static void requireNames(X509Certificate leaf, CertificateBundle bundle)
            throws Unusable {
        if (bundle.names().isEmpty() && !namesAnAddress(leaf)) {
            throw new Unusable(
                    CERTIFICATE_WITHOUT_NAMES,
                    "tls.crt: the leaf "
                            + SubjectText.of(leaf)
                            + " names no host (expected: a DNS name or an IP address)",
                    "Issue the certificate anew with its hosts as subject alternative names.");
        }
    }

    private static boolean namesAnAddress(X509Certificate leaf) {
        try {
            var alternatives = leaf.getSubjectAlternativeNames();
            return alternatives != null
                    && alternatives.stream()
                            .anyMatch(entry -> Integer.valueOf(7).equals(entry.getFirst()));
        } catch (CertificateParsingException malformed) {
            return false;
        }
    }
}

package dev.sallyport.model.certificate;

import dev.sallyport.model.name.Hostname;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A certificate chain with its private key that were <em>proven</em> to belong together: {@link
 * #of} has a {@link KeyProof} do so, and {@link #ofProven} takes over what was proven so and kept
 * under seal. Held as DER; nothing native belongs to it.
 *
 * <p>Equality is identity on purpose: the data plane keys its native cache by the object, so that a
 * rotated host can never hit the credential of the bundle before. Compare {@link #fingerprint} to
 * compare contents.
 */
public final class CertificateBundle {
    private final List<byte[]> chain;
    private final SensitiveBytes pkcs8;
    private final Set<Hostname> names;
    private final KeyType keyType;
    private final Instant notBefore;
    private final Instant notAfter;
    private final String serial;
    private final String subject;
    private final String issuer;
    private final boolean selfSigned;
    private final String fingerprint;

    private CertificateBundle(
            List<byte[]> chain,
            SensitiveBytes pkcs8,
            X509Certificate leaf,
            KeyType keyType,
            String fingerprint) {
        this.chain = chain;
        this.pkcs8 = pkcs8;
        this.names = namesOf(leaf);
        this.keyType = keyType;
        this.notBefore = leaf.getNotBefore().toInstant();
        this.notAfter = leaf.getNotAfter().toInstant();
        this.serial = hex(leaf.getSerialNumber());
        this.subject = leaf.getSubjectX500Principal().getName();
        this.issuer = leaf.getIssuerX500Principal().getName();
        this.selfSigned = leaf.getSubjectX500Principal().equals(leaf.getIssuerX500Principal());
        this.fingerprint = fingerprint;
    }

    private CertificateBundle(List<byte[]> chain, CertificateBundle proven) {
        this.chain = chain;
        this.pkcs8 = proven.pkcs8;
        this.names = proven.names;
        this.keyType = proven.keyType;
        this.notBefore = proven.notBefore;
        this.notAfter = proven.notAfter;
        this.serial = proven.serial;
        this.subject = proven.subject;
        this.issuer = proven.issuer;
        this.selfSigned = proven.selfSigned;
        this.fingerprint = proven.fingerprint;
    }

    /**
     * Proves that chain and key belong together.
     *
     * @param chain DER, leaf first; not empty
     * @param pkcs8 the private key as a PKCS#8 structure; copied
     * @throws Mismatch where the key is not the leaf's
     * @throws GeneralSecurityException where either cannot be read or is of an unknown kind
     */
    public static CertificateBundle of(List<byte[]> chain, byte[] pkcs8)
            throws GeneralSecurityException {
        return of(chain, pkcs8, KeyProof.BY_SIGNATURE);
    }

    /**
     * As {@link #of(List, byte[])}.
     *
     * @param proof what proves it
     */
    public static CertificateBundle of(List<byte[]> chain, byte[] pkcs8, KeyProof proof)
            throws GeneralSecurityException {
        X509Certificate leaf = leafOf(chain);
        keyTypeOf(leaf.getPublicKey()); // else nothing can be proven
        if (!proof.holds(leaf, pkcs8)) {
            throw new Mismatch();
        }
        return of(chain, leaf, pkcs8);
    }

    /**
     * Takes over what {@link #of} proved before: for whoever kept chain and key together since,
     * where nobody could exchange one of them. The proof is most of what thousands of certificates
     * cost.
     *
     * @param chain DER, leaf first; not empty
     * @param pkcs8 the private key as a PKCS#8 structure; copied
     * @throws GeneralSecurityException where the leaf cannot be read or is of an unknown kind
     */
    public static CertificateBundle ofProven(List<byte[]> chain, byte[] pkcs8)
            throws GeneralSecurityException {
        return of(chain, leafOf(chain), pkcs8);
    }

    private static CertificateBundle of(List<byte[]> chain, X509Certificate leaf, byte[] pkcs8)
            throws GeneralSecurityException {
        String fingerprint =
                HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(chain.getFirst()));
        return new CertificateBundle(
                chain.stream().map(byte[]::clone).toList(),
                SensitiveBytes.copyOf(pkcs8),
                leaf,
                keyTypeOf(leaf.getPublicKey()),
                fingerprint);
    }

    private static X509Certificate leafOf(List<byte[]> chain) throws CertificateException {
        if (chain.isEmpty()) {
            throw new CertificateException("chain: empty (expected: a leaf certificate)");
        }
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(chain.getFirst()));
    }

    /**
     * The same leaf and key, which are proven, with other certificates behind the leaf.
     *
     * @param issuers DER, the leaf's issuer first; may be empty
     */
    public CertificateBundle under(List<byte[]> issuers) {
        List<byte[]> whole = new ArrayList<>();
        whole.add(chain.getFirst());
        issuers.forEach(issuer -> whole.add(issuer.clone()));
        return new CertificateBundle(List.copyOf(whole), this);
    }

    /** The key is not the leaf's. */
    public static final class Mismatch extends GeneralSecurityException {
        private static final long serialVersionUID = 1;

        Mismatch() {
            super("the private key does not belong to the leaf certificate");
        }
    }

    /** The certificates as DER, leaf first; copies. */
    public List<byte[]> chain() {
        return chain.stream().map(byte[]::clone).toList();
    }

    /** The private key as a PKCS#8 structure. */
    public SensitiveBytes privateKey() {
        return pkcs8;
    }

    /**
     * The DNS names of the leaf: its subject alternative names, else its common name; may be empty.
     */
    public Set<Hostname> names() {
        return names;
    }

    /** Whether a name of the leaf covers {@code host} (normalised). */
    public boolean covers(String host) {
        for (Hostname name : names) {
            if (name.covers(host)) {
                return true;
            }
        }
        return false;
    }

    /** The kind of key. */
    public KeyType keyType() {
        return keyType;
    }

    /** From when the leaf is valid. */
    public Instant notBefore() {
        return notBefore;
    }

    /** Until when the leaf is valid. */
    public Instant notAfter() {
        return notAfter;
    }

    /**
     * The leaf's serial number in lower-case hexadecimal, two digits a byte, as openssl prints it
     * but for case.
     */
    public String serial() {
        return serial;
    }

    /** The leaf's subject, RFC 2253. */
    public String subject() {
        return subject;
    }

    /** The leaf's issuer, RFC 2253. */
    public String issuer() {
        return issuer;
    }

    /** Whether subject and issuer of the leaf are the same. */
    public boolean selfSigned() {
        return selfSigned;
    }

    /** The leaf's SHA-256 in lower-case hexadecimal. */
    public String fingerprint() {
        return fingerprint;
    }

    /** Names the certificate; says nothing of the key. */
    @Override
    public String toString() {
        return "CertificateBundle["
                + names
                + ", serial "
                + serial
                + ", "
                + keyType
                + ", until "
                + notAfter
                + "]";
    }

    static KeyType keyTypeOf(PublicKey key) throws CertificateException {
        return switch (key) {
            case ECPublicKey _ -> KeyType.ECDSA;
            case RSAPublicKey _ -> KeyType.RSA;
            case EdECPublicKey ed when ed.getParams().getName().equals("Ed25519") ->
                    KeyType.ED25519;
            default ->
                    throw new CertificateException(
                            "key: " + key.getAlgorithm() + " (expected: RSA, ECDSA or Ed25519)");
        };
    }

    /**
     * RFC 6125 section 6.4.4: the common name counts only where there is no DNS name among the
     * alternative names.
     */
    private static Set<Hostname> namesOf(X509Certificate leaf) {
        Set<Hostname> names = new LinkedHashSet<>();
        try {
            Collection<List<?>> alternatives = leaf.getSubjectAlternativeNames();
            if (alternatives != null) {
                for (List<?> entry : alternatives) {
                    if (Integer.valueOf(2).equals(entry.getFirst())) { // dNSName
                        Hostname.tryParse((String) entry.get(1)).ifPresent(names::add);
                    }
                }
            }
        } catch (CertificateException malformed) {
            return Set.of();
        }
        if (names.isEmpty()) {
            for (String part : leaf.getSubjectX500Principal().getName().split(",", -1)) {
                if (part.startsWith("CN=")) {
                    Hostname.tryParse(part.substring(3)).ifPresent(names::add);
                    break;
                }
            }
        }
        return Collections.unmodifiableSet(names);
    }

    private static String hex(BigInteger serial) {
        String digits = serial.toString(16);
        return digits.length() % 2 == 0 ? digits : "0" + digits;
    }
}

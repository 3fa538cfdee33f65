package dev.sallyport.tls.certificate;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.name.Hostname;
import java.security.KeyPair;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;

/**
 * A throw-away certification authority for the demonstration and for tests. Its key lives in memory
 * only.
 */
public final class DemoAuthority {
    private static final Duration OWN_LIFE = Duration.ofDays(365);

    private final InstantSource clock;
    private final Minting minting;
    private final byte[] certificate;

    private DemoAuthority(InstantSource clock, Minting minting, byte[] certificate) {
        this.clock = clock;
        this.minting = minting;
        this.certificate = certificate;
    }

    /** A new authority with a P-256 key of its own, valid for a year. */
    public static DemoAuthority create(String commonName, InstantSource clock) {
        KeyPair keys = KeyPairs.make(KeyType.ECDSA);
        X500Name name = name(commonName);
        Minting minting = new Minting(name, keys.getPublic(), keys.getPrivate(), KeyType.ECDSA);
        return new DemoAuthority(
                clock,
                minting,
                minting.authority(name, keys.getPublic(), clock.instant(), OWN_LIFE));
    }

    /**
     * A leaf as a TLS Secret holds it.
     *
     * @param tlsCrt the leaf and the authority's certificate, PEM
     * @param tlsKey PKCS#8, PEM
     */
    public record Issued(String tlsCrt, String tlsKey) {
        /** Without the key. */
        @Override
        public String toString() {
            return "Issued[" + tlsCrt + "]";
        }
    }

    /** The authority's certificate as PEM, for {@code curl --cacert}. */
    public String certificate() {
        return pem("CERTIFICATE", certificate);
    }

    /**
     * A leaf with a new key.
     *
     * @param names at least one
     * @param validity from now on
     * @param keyType P-256, RSA of 2048 bits, or Ed25519
     */
    public Issued issue(List<Hostname> names, Duration validity, KeyType keyType) {
        if (names.isEmpty()) {
            throw new IllegalArgumentException("names: none (expected: at least one host)");
        }
        KeyPair keys = KeyPairs.make(keyType);
        String first = names.getFirst().text();
        byte[] leaf =
                minting.leaf(
                        // RFC 5280 bounds common names to 64 characters.
                        name(first.length() > 64 ? "leaf" : first),
                        keys.getPublic(),
                        names,
                        clock.instant(),
                        validity);
        return new Issued(
                pem("CERTIFICATE", leaf) + certificate(),
                pem("PRIVATE KEY", keys.getPrivate().getEncoded()));
    }

    private static X500Name name(String commonName) {
        return new X500NameBuilder().addRDN(BCStyle.CN, commonName).build();
    }

    private static String pem(String label, byte[] der) {
        return new String(Pem.write(label, der), US_ASCII);
    }
}

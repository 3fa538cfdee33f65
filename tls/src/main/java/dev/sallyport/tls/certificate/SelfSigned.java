package dev.sallyport.tls.certificate;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.name.Hostname;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;

/** Makes self-signed certificates. */
public final class SelfSigned {
    private SelfSigned() {}

    /**
     * A P-256 certificate that nobody trusts, for clients that ask for an unknown host. Its common
     * name says who made it; only {@code names} are names of hosts.
     *
     * @param names may be empty
     * @param validity from the time of {@code clock} on
     */
    public static CertificateBundle make(
            List<Hostname> names, Duration validity, InstantSource clock) {
        KeyPair keys = KeyPairs.make(KeyType.ECDSA);
        X500Name subject =
                new X500NameBuilder()
                        .addRDN(BCStyle.CN, "Sallyport self-signed certificate")
                        .build();
        byte[] leaf =
                new Minting(subject, keys.getPublic(), keys.getPrivate(), KeyType.ECDSA)
                        .leaf(subject, keys.getPublic(), names, clock.instant(), validity);
        byte[] pkcs8 = keys.getPrivate().getEncoded();
        try {
            return CertificateBundle.of(List.of(leaf), pkcs8);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // it was made a moment ago
        } finally {
            Arrays.fill(pkcs8, (byte) 0);
        }
    }
}

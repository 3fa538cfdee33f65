package dev.sallyport.acme.challenge;

import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.KeyMaterial;
import dev.sallyport.model.certificate.CertificateBundle;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.StringJoiner;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * The certificate that answers a TLS-ALPN-01 challenge (RFC 8737 section 3): self-signed, for one
 * identifier, with the key authorization's hash in it. To be shown only to clients that offer
 * {@link #PROTOCOL} alone and ask for {@link #serverName}.
 *
 * @param serverName the server name under which the CA asks for it
 * @param bundle certificate and key
 */
public record AlpnCertificate(String serverName, CertificateBundle bundle) {
    /** The application protocol by which it is asked for. */
    public static final String PROTOCOL = "acme-tls/1";

    private static final ASN1ObjectIdentifier ACME_IDENTIFIER =
            new ASN1ObjectIdentifier("1.3.6.1.5.5.7.1.31");
    private static final Duration SKEW = Duration.ofHours(1);
    private static final Duration LIFE = Duration.ofDays(7);

    /** Makes one with a new key. */
    public static AlpnCertificate of(Identifier identifier, String keyAuthorization, Instant now) {
        KeyMaterial key = KeyMaterial.generate(KeyAlgorithm.EC_P256);
        KeyPair pair = key.keyPair();
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(keyAuthorization.getBytes(StandardCharsets.US_ASCII));
            var name = new X500Name("CN=acme challenge");
            var builder =
                    new JcaX509v3CertificateBuilder(
                            name,
                            new BigInteger(127, new SecureRandom()).setBit(126),
                            Date.from(now.minus(SKEW)),
                            Date.from(now.plus(LIFE)),
                            name,
                            pair.getPublic());
            // "MUST NOT contain any other entries."
            builder.addExtension(
                    Extension.subjectAlternativeName, false, new GeneralNames(nameOf(identifier)));
            // "The acmeIdentifier extension MUST be critical."
            builder.addExtension(ACME_IDENTIFIER, true, new DEROctetString(hash));
            byte[] der =
                    builder.build(
                                    new JcaContentSignerBuilder("SHA256withECDSA")
                                            .build(pair.getPrivate()))
                            .getEncoded();
            return new AlpnCertificate(serverName(identifier), proven(der, key));
        } catch (IOException | GeneralSecurityException | OperatorCreationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static CertificateBundle proven(byte[] der, KeyMaterial key) {
        return key.pkcs8()
                .use(pkcs8 -> {
                    try {
                        return CertificateBundle.of(List.of(der), pkcs8);
                    } catch (GeneralSecurityException impossible) {
                        throw new IllegalStateException(impossible);
                    }
                });
    }

    private static GeneralName nameOf(Identifier identifier) {
        return switch (identifier) {
            case Identifier.Dns dns -> new GeneralName(GeneralName.dNSName, dns.text());
            case Identifier.Ip ip ->
                    new GeneralName(
                            GeneralName.iPAddress, new DEROctetString(ip.address().getAddress()));
        };
    }

    /** The name itself; for an address its reverse name, since server names are no addresses. */
    private static String serverName(Identifier identifier) {
        return switch (identifier) {
            case Identifier.Dns dns -> dns.text();
            case Identifier.Ip ip -> reverse(ip.address());
        };
    }

    /** RFC 8738 section 6: "the IN-ADDR.ARPA or IP6.ARPA" form. */
    private static String reverse(InetAddress address) {
        byte[] bytes = address.getAddress();
        var text = new StringJoiner(".");
        for (int i = bytes.length - 1; i >= 0; i--) {
            int value = bytes[i] & 0xff;
            if (bytes.length == 4) {
                text.add(String.valueOf(value));
            } else {
                text.add(Integer.toHexString(value & 0xf)).add(Integer.toHexString(value >> 4));
            }
        }
        return text + (bytes.length == 4 ? ".in-addr.arpa" : ".ip6.arpa");
    }
}
